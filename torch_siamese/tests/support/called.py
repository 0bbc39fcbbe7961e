"""A plugin of pytest: which functions each test calls.

CALLED=found.json python -m pytest -p torch_siamese.tests.support.called TEST…
"""

import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from torch_siamese.tests.support.cuda_places import ROOMS, ROOT

_PLACES = tuple(f"{ROOT / room}{os.sep}" for room in ROOMS)
_called: dict[str, set[str]] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Note the functions that a test calls, its fixtures included."""
    codes: set[CodeType] = set()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        codes.add(frame.f_code)

    sys.settrace(note)
    threading.settrace(note)
    try:
        return (yield)
    finally:
        sys.settrace(None)
        threading.settrace(None)
        _called[item.nodeid] = {_name(c) for c in codes if c.co_filename.startswith(_PLACES)}


def _name(code: CodeType) -> str:
    """Return path and qualified name of a function."""
    path = Path(code.co_filename).relative_to(ROOT).as_posix()
    return f"{path}::{code.co_qualname.replace('<locals>.', '')}"


def pytest_sessionfinish() -> None:
    """Write what was called, by test."""
    found = {test: sorted(names) for test, names in _called.items()}
    Path(os.environ["CALLED"]).write_text(json.dumps(found))
