"""Tests that are slow by the room that they are in; others carry the marker themselves."""

import pytest

SLOW_ROOMS = {"robustness", "meta"}
"""Folders whose tests kill runs, spoil files or plant faults."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests of slow rooms, so that `-m "not slow"` leaves them out."""
    for item in items:
        if SLOW_ROOMS & set(item.path.relative_to(config.rootpath).parts):
            item.add_marker(pytest.mark.slow)
