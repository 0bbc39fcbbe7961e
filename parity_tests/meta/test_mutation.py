"""The list of equivalent mutants is about the code as it stands."""

import json
from importlib import import_module
from inspect import getsource
from pathlib import Path

import pytest

from parity_tests.meta.mutation import Change, equivalent, main, single_spaced


@pytest.mark.parametrize("change", equivalent(), ids=lambda change: change.new[:60])
def test_listed_lines_stand_in_the_source(change: Change) -> None:
    """A line that has been rewritten needs no excuse for its mutants, and gets none."""
    stands = change.old in single_spaced(getsource(import_module(change.module)))
    assert stands, f"{change.module} no longer reads {change.old!r}"
    assert change.old != change.new


def test_what_was_aborted_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mutant that hangs where it would survive must not pass for one that is told."""
    found = {f"package.room.x_f__mutmut_{k}": status for k, status in enumerate([1, 1, -24, None])}
    (tmp_path / "mutants").mkdir()
    text = json.dumps({"exit_code_by_key": found})
    (tmp_path / "mutants" / "room.py.meta").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    assert main([]) == 1  # one has not run
    row, *_, last = capsys.readouterr().out.splitlines()[2:]
    assert row.replace(" ", "") == "|package.room|4|2|1|0|0|1|75.0%|"
    assert last == "package.room.x_f__mutmut_2"
