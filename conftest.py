"""Which tests are slow by their room or by a fixture, and what makes the others quick.

Other slow tests carry the marker themselves.
"""

import gc

import pytest

SLOW_ROOMS = {"robustness", "meta"}
"""Folders whose tests kill runs, spoil files or plant faults."""

SLOW_FIXTURES = {"begin", "server", "train"}
"""Fixtures that start a run."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark slow tests, so that `-m "not slow"` leaves them out."""
    for item in items:
        rooms = item.path.relative_to(config.rootpath).parts
        if not SLOW_ROOMS.isdisjoint(rooms) or not SLOW_FIXTURES.isdisjoint(
            getattr(item, "fixturenames", ())
        ):
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """Keep modules and collected tests out of garbage collection, which every run does often."""
    gc.collect()
    gc.freeze()
