"""docs/gradcheck.md says what happens: its examples and its commands run."""

import doctest
import re
import sys
from pathlib import Path

import pytest

from numpy_siamese.gradients import cases, check, comparison
from numpy_siamese.gradients.result import ArgumentCheck
from numpy_siamese.tests.support.commands import status

DOCUMENT = Path(__file__).parents[3] / "docs" / "gradcheck.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")

COMMANDS = [
    command.splitlines()
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
    for command in block.split("$ numpy-siamese ")[1:]
]
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
EXAMPLES = [block for block in BLOCKS if ">>>" in block]
(MODULE,) = (block for block in BLOCKS if ">>>" not in block)


def without_measured(line):
    """Return a line without what differs from machine to machine: errors, bounds, last digits."""
    return re.sub(r"(\d\.\d{5})\d+", r"\1", re.sub(r"\d(\.\d)?e[+-]\d+", "…", line))


class Checker(doctest.OutputChecker):
    """Compares what a machine of another kind prints too."""

    def check_output(self, want, got, optionflags):
        return super().check_output(without_measured(want), without_measured(got), optionflags)


def test_the_examples_print_what_the_document_says():
    """Broken otherwise: a reader who follows the page sees something else."""
    text = "\n".join(EXAMPLES)
    examples = doctest.DocTestParser().get_doctest(text, {}, DOCUMENT.name, str(DOCUMENT), 0)
    report: list[str] = []
    runner = doctest.DocTestRunner(Checker(), verbose=False)
    failed, attempted = runner.run(examples, out=report.append)
    assert attempted > 12
    assert failed == 0, "".join(report)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_the_commands_print_what_the_document_says(command, capfd, tmp_path, monkeypatch):
    """Broken otherwise: a reader who pastes a command sees something else."""
    (tmp_path / "layers.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "layers", raising=False)
    words, *lines = command
    expected = 1 if any(line.endswith("wrong") for line in lines) else 0
    assert status(words.split()) == expected
    shown = capfd.readouterr().out.splitlines()
    assert [without_measured(line) for line in shown] == [without_measured(line) for line in lines]
    monkeypatch.delitem(sys.modules, "layers", raising=False)


def test_the_numbers_of_the_document_are_those_of_the_code():
    """Broken otherwise: the page promises another bound, or other entries, than are used."""
    assert len(COMMANDS) == 3
    assert f"{check.ENTRIES} entries are drawn" in TEXT
    assert f"in the shell {cases.OF_OPERATION}, and {cases.OF_NETWORK} of the network" in TEXT
    assert comparison.TELLS == 1e-5
    for field in ("kinks", "lost", "fault", "wrong"):
        assert field in ArgumentCheck._fields
