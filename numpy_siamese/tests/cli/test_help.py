"""What --help shows: each verb in one line, and of each verb an example that works."""

import json
import shlex

import pytest

from numpy_siamese.cli.main import NUMPY_SIAMESE, command_parser
from numpy_siamese.tests.support.commands import example_of, status

VERB_NAMES = list(command_parser(NUMPY_SIAMESE).verbs())


def test_each_verb_has_one_line(capfd, monkeypatch):
    """Broken otherwise: whoever types --help does not see what the program can do."""
    monkeypatch.setenv("COLUMNS", "80")
    assert status(["--help"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    for name in VERB_NAMES:
        (line,) = (line for line in lines if line.split()[:1] == [name])
        assert len(line.split()) > 2
    assert lines[lines.index("verbs:") + 2 :][: len(VERB_NAMES)] == [
        line for line in lines if line.split()[:1] and line.split()[0] in VERB_NAMES
    ]


@pytest.mark.parametrize("verb", ["", *VERB_NAMES])
def test_help_ends_with_an_example_that_can_be_parsed(capfd, verb):
    """Broken otherwise: who copies the example is told that its flags are unknown."""
    words = example_of(NUMPY_SIAMESE, verb, capfd)
    if verb:
        arguments = command_parser(NUMPY_SIAMESE).parse_args(words[1:])
        assert arguments.verb == verb
    else:
        assert status(words[1:]) == 0


@pytest.mark.parametrize("verb", VERB_NAMES)
def test_help_has_no_doubled_percent_sign(capfd, verb):
    """Broken otherwise: a description says "95 %%", since argparse does not format it."""
    assert status([verb, "--help"]) == 0
    shown = capfd.readouterr().out
    assert "usage:" in shown
    assert "%%" not in shown


def test_the_example_of_train_trains(capfd, tmp_path, monkeypatch, no_pictures):
    """Broken otherwise: the first command that anybody tries fails."""
    monkeypatch.chdir(tmp_path)
    words = example_of(NUMPY_SIAMESE, "train", capfd)
    few = ["--batches", "2", "--batch-size", "2", "--test-pairs", "2"]
    assert status([*words[1:], *few]) == 0
    summary = json.loads((tmp_path / "runs" / "first" / "summary.json").read_text())
    assert summary["finished"] is True


def test_the_example_of_fetch_names_a_data_set(capfd, monkeypatch):
    """Broken otherwise: the example fetches what does not exist."""
    from numpy_siamese.data import download

    fetched = []
    monkeypatch.setattr(download, "fetch", lambda name, out: fetched.append((name, out)))
    words = example_of(NUMPY_SIAMESE, "fetch", capfd)
    assert status(words[1:]) == 0
    assert fetched == [(words[2], None)]
    assert words[2] in download.DOWNLOADS


def test_a_parser_without_an_example_has_no_end(capfd):
    """Broken otherwise: the help of a benchmark ends with the word None."""
    from numpy_siamese.cli.parser import Parser

    assert "example" not in Parser(prog="it").format_help()
    text = Parser(prog="it", example="'two words' --flag").format_help()
    assert text.endswith("\n\nexample:\n  it 'two words' --flag\n")
    assert shlex.split(text.splitlines()[-1]) == ["it", "two words", "--flag"]
