"""The grammar of the command line: flags, names, verbs, versions, help; alike in every program."""

import dataclasses
import importlib
import importlib.metadata
import json
import platform

import pytest

from numpy_siamese.cli import main as numpy_cli
from numpy_siamese.cli.main import NUMPY_SIAMESE, command_parser
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.options import flag
from numpy_siamese.tests.robustness import fuzz
from numpy_siamese.tests.support.commands import (
    assert_has_the_grammar,
    assert_refused,
    status,
)

PROGRAMS = {
    "numpy-siamese": (numpy_cli.main, []),
    "numpy-siamese train": (numpy_cli.main, ["train"]),
    "numpy-siamese fetch": (numpy_cli.main, ["fetch", "mnist"]),
    "python -m numpy_siamese.tests.robustness.fuzz": (fuzz.main, []),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_grammar(program, capfd, monkeypatch):
    """Broken otherwise: --epoch 5 means --epochs 5 until a flag --epoch appears, or the terminal
    breaks the lines of help in the middle of words.
    """
    assert_has_the_grammar(program, *PROGRAMS[program], capfd, monkeypatch)


# Flags


@pytest.mark.parametrize(
    ("flag", "meant"),
    [
        ("--epoch", "--epochs"),
        ("--epochs_", "--epochs"),
        ("--epohcs", "--epochs"),
        ("-epochs", "--epochs"),
        ("—epochs", "--epochs"),  # as word processors write two dashes
        ("--Epochs", "--epochs"),
        ("--batchsize", "--batch-size"),
        ("--batch_size=5", "--batch-size"),
        ("--output", "--out"),
        ("--sed", "--seed"),
        ("--momentom", "--momentum"),
        ("--threadz", "--threads"),
        ("--l", "--lr"),
        ("--gpu", None),
        ("--learning-rate", None),
        ("-x", None),
    ],
)
def test_a_flag_that_is_not_known_is_told_with_the_one_that_was_meant(capfd, flag, meant):
    """Broken otherwise: the user looks through all flags for a letter."""
    said = f"unknown flag {flag.split('=')[0]}" + (f", did you mean {meant}? (" if meant else " (")
    assert_refused(capfd, ["train", flag, "1"], said)


@pytest.mark.parametrize("flag", ["--device", "--device=cuda", "--algorithms"])
def test_a_flag_of_the_other_program_names_it(capfd, flag):
    """Broken otherwise: who wants a GPU does not learn which program has it."""
    name = flag.partition("=")[0]
    assert_refused(capfd, ["train", flag, "cuda"], f"found {name}, which is a flag of torch-siam")


def test_a_verb_of_the_other_program_names_it(capfd):
    """Broken otherwise: who wants an ONNX file does not learn which program writes one."""
    for argv in (["export", "run", "a.onnx"], ["export", "--help"]):
        assert_refused(capfd, argv, "found export, which is a verb of torch-siamese")


def test_a_flag_before_the_verb_is_told_where_it_goes(capfd):
    """Broken otherwise: `--seed 1 train` complains of the verb 1."""
    assert_refused(capfd, ["--seed", "1", "train"], "expected numpy-siamese train --seed …")
    assert_refused(capfd, ["--sed", "1", "train"], "unknown flag --sed")


def test_a_word_too_many_is_one_line(capfd):
    """Broken otherwise: `train mnist` trains on something else."""
    assert_refused(capfd, ["train", "mnist"], "found 'mnist', expected nothing more than flags")
    assert_refused(capfd, ["fetch", "mnist", "now"], "found 'now'")


@pytest.mark.usefixtures("no_pictures")
def test_of_a_repeated_flag_the_last_counts(train, tmp_path):
    """Broken otherwise: a flag added to a command from the history has no effect."""
    argv = train("--quiet", "--seed", 1, "--lr", 0.5, "--seed", 2, "--lr=0.25")
    assert status([*argv, "--out", str(tmp_path / "last")]) == 0
    assert not (tmp_path / "run").exists()
    found = json.loads((tmp_path / "last" / "config.json").read_text())
    assert (found["seed"], found["lr"]) == (2, 0.25)


@pytest.mark.parametrize("text", ["-1", "-1e-3", "-.5", "-inf", "-NaN", "-1e400"])
@pytest.mark.parametrize("joint", [" ", "="])
def test_a_negative_number_is_a_value_not_a_flag(capfd, text, joint):
    """Broken otherwise: `--lr -1e-3` says that --lr lacks its value."""
    argv = ["train", *f"--lr{joint}{text}".split()]
    said = {"-1": "-1.0", "-1e-3": "-0.001", "-.5": "-0.5", "-NaN": "nan", "-1e400": "'-1e400'"}
    assert_refused(capfd, argv, f"--lr: found {said.get(text, text)}, expected")


def test_an_unknown_data_set_is_told_through_the_command_line(capfd, tmp_path, monkeypatch):
    """Broken otherwise: the same."""
    monkeypatch.chdir(tmp_path)
    assert_refused(capfd, ["train", "--data", "emnist"], "unknown data set 'emnist', expected")


# Verbs, versions, help


VERBS = " or ".join(command_parser(NUMPY_SIAMESE).verbs())


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], f"found no verb, expected {VERBS}"),
        (["tran"], f"found 'tran' (did you mean 'train'?), expected {VERBS}"),
        (["test"], f"found 'test', expected {VERBS}"),
        (["export"], "found export, which is a verb of torch-siamese"),
        (["fetch"], "NAME"),
        (["fetch", "mnsit"], "unknown download 'mnsit' (did you mean 'mnist'?)"),
    ],
)
def test_a_verb_that_cannot_be_is_one_line(capfd, argv, said):
    """Broken otherwise: a slip gives a page of usage, or a traceback."""
    assert_refused(capfd, argv, said)


def test_version_names_what_results_depend_on(capfd, monkeypatch):
    """Broken otherwise: a report of a fault lacks what is asked first."""
    versions = {"numpy-siamese": "0.7", "numpy": "2.9"}
    monkeypatch.setattr(importlib.metadata, "version", versions.__getitem__)
    assert status(["--version"]) == 0
    expected = f"numpy-siamese 0.7 (NumPy 2.9, Python {platform.python_version()})\n"
    assert capfd.readouterr() == (expected, "")


def test_version_without_an_installation(capfd, monkeypatch):
    """Broken otherwise: in a checkout that is not installed it is a traceback."""

    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert status(["--version"]) == 0
    assert capfd.readouterr().out.startswith("numpy-siamese not installed (NumPy not installed, ")


def test_help_says_which_threads_are_the_default(capfd):
    """Broken otherwise: it says "all cores" where a container allows fewer."""
    assert status(["train", "--help"]) == 0
    said = " ".join(capfd.readouterr().out.split())
    assert "the cores that this process may use" in said


@pytest.mark.parametrize("argv", [["--help"], ["train", "--help"], ["fetch", "--help"]])
def test_help_is_no_error(capfd, argv):
    """Broken otherwise: help fails, in a script's eyes or outright."""
    assert status(argv) == 0
    out, err = capfd.readouterr()
    assert "numpy-siamese" in out
    assert err == ""


@pytest.mark.parametrize("field", dataclasses.fields(TrainConfig), ids=lambda field: field.name)
def test_help_shows_every_field_with_its_meaning_and_default(capfd, field):
    """Broken otherwise: a flag cannot be found, or promises another default than it has."""
    assert status(["train", "--help"]) == 0
    everything = capfd.readouterr().out.split("\n  --")
    (section,) = (t for t in everything if t.split()[0].rstrip(",") == flag(field.name)[2:])
    default = field.metadata.get("automatic", field.default)
    expected = f"{field.metadata['help']} (default: {default})"
    assert "".join(expected.split()) in "".join(section.split())  # wherever lines are broken
