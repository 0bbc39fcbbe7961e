"""The list of equivalent mutants is about the code as it stands."""

from importlib import import_module
from inspect import getsource

import pytest

from parity_tests.meta.mutation import Change, equivalent, single_spaced


@pytest.mark.parametrize("change", equivalent(), ids=lambda change: change.new[:60])
def test_listed_lines_stand_in_the_source(change: Change) -> None:
    """A line that has been rewritten needs no excuse for its mutants, and gets none."""
    stands = change.old in single_spaced(getsource(import_module(change.module)))
    assert stands, f"{change.module} no longer reads {change.old!r}"
    assert change.old != change.new
