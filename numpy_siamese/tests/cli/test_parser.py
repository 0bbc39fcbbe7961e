"""The command line's grammar: flags, numbers, verbs, versions, help; alike in every program."""

import importlib
import importlib.metadata
import json
import platform
import subprocess
import sys

import numpy as np
import pytest

from numpy_siamese.cli import main as numpy_cli
from numpy_siamese.errors import InputError, nearest, unknown_name
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.terminal.numbers import real_number, whole_number
from numpy_siamese.tests.robustness import fuzz
from numpy_siamese.tests.support.commands import assert_has_the_grammar, assert_refused, status
from numpy_siamese.tests.support.processes import COMMAND_LINES

PROGRAMS = {
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


# Numbers


@pytest.mark.parametrize(
    ("text", "value"), [("5", 5), ("+5", 5), ("-5", -5), ("-0", 0), ("007", 7), ("0", 0)]
)
def test_whole_numbers_that_are_taken(text, value):
    """Broken otherwise: a number that every program takes is refused."""
    assert whole_number(text) == value


NO_NUMBERS = ["", " ", " 5", "5 ", "5\n", "1_000", "1,000", "0x10", "５", "٣", "five", "5e", "--5"]


@pytest.mark.parametrize("text", [*NO_NUMBERS, "1e3", "5.0", "1.", "nan", "inf", "²", "9" * 5000])
def test_whole_numbers_that_are_refused(capfd, text):
    """Broken otherwise: Python's ways of writing a number are taken, and others' are not."""
    assert_refused(capfd, ["train", f"--epochs={text}"], f"--epochs: found {text!r:.80}, expected")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("0.5", 0.5), (".5", 0.5), ("5.", 5.0), ("5", 5.0), ("1e-3", 0.001), ("1E+2", 100.0)),
        *(("+.5e1", 5.0), ("inf", np.inf), ("-inf", -np.inf), ("5e-324", 5e-324), ("1e-999", 0.0)),
    ],
)
def test_numbers_that_are_taken(text, value):
    """Broken otherwise: a number that every program takes is refused."""
    assert real_number(text) == value


def test_minus_zero_is_zero():
    """Broken otherwise: config.json holds −0, and two equal runs have different files."""
    assert not np.signbit(real_number("-0"))
    assert np.isnan(real_number("nan"))


@pytest.mark.parametrize(
    "text",
    [*NO_NUMBERS, "1e3e", "0.0.1", "0,001", "1e400", "-1e400", "infinity", "0x1p3", ".", "e1"],
)
def test_numbers_that_are_refused(capfd, text):
    """Broken otherwise: a slip trains with another rate, or says that it found inf."""
    assert_refused(capfd, ["train", f"--lr={text}"], f"--lr: found {text!r:.80}, expected a number")


@pytest.mark.parametrize("text", ["-1", "-1e-3", "-.5", "-inf", "-NaN", "-1e400"])
@pytest.mark.parametrize("joint", [" ", "="])
def test_a_negative_number_is_a_value_not_a_flag(capfd, text, joint):
    """Broken otherwise: `--lr -1e-3` says that --lr lacks its value."""
    argv = ["train", *f"--lr{joint}{text}".split()]
    said = {"-1": "-1.0", "-1e-3": "-0.001", "-.5": "-0.5", "-NaN": "nan", "-1e400": "'-1e400'"}
    assert_refused(capfd, argv, f"--lr: found {said.get(text, text)}, expected")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"epochs": "5"}, "--epochs: found '5', expected a whole number"),
        ({"epochs": 5.0}, "--epochs: found 5.0, expected a whole number"),
        ({"epochs": True}, "--epochs: found True, expected a whole number"),
        ({"epochs": None}, "--epochs: found None, expected a whole number"),
        ({"epochs": np.arange(2)}, "--epochs: found array([0, 1]), expected a whole number"),
        ({"lr": "fast"}, "--lr: found 'fast', expected a number"),
        ({"lr": True}, "--lr: found True, expected a number"),
        ({"lr": 10**400}, "expected a number below infinity"),
        ({"lr": -(10**400)}, "expected a number of at least 0"),
        ({"dtype": np.float32}, "--dtype: found <class 'numpy.float32'>, expected a name"),
        ({"dtype": "Float32"}, "--dtype: found 'Float32' (did you mean 'float32'?), expected one"),
        ({"data": 5}, "--data: found 5, expected a name"),
    ],
)
def test_settings_of_another_kind_are_told(wrong, said):
    """Broken otherwise: a notebook's slip is a TypeError of a comparison, or of writing JSON."""
    with pytest.raises(InputError) as caught:
        TrainConfig(**wrong)
    assert said in str(caught.value)


def test_numpys_numbers_are_numbers():
    """Broken otherwise: settings from a sweep over np.arange fail when config.json is written."""
    config = TrainConfig(epochs=np.int64(3), lr=np.float32(0.5), momentum=1, threads=None)
    assert json.loads(json.dumps(config.to_dict()))["epochs"] == 3
    assert (type(config.epochs), type(config.lr), type(config.momentum)) == (int, float, float)
    assert config == TrainConfig(epochs=3, lr=0.5, momentum=1.0)


# Names


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("mnsit", "mnist"),
        ("minst", "mnist"),
        ("mnit", "mnist"),
        ("MNIST", "mnist"),
        ("mnist_5k", "mnist-5k"),
        ("mnist5k", "mnist-5k"),
        ("mnist-5", "mnist-5k"),
        ("mnist/", "mnist"),
        *((name, None) for name in ("omniglot", "emnist", "kmnist", "qmnist", "notmnist")),
        *((name, None) for name in ("fashion-mnist", "medmnist", "cifar10", "digits", "m", "")),
    ],
)
def test_only_slips_are_taken_for_slips(name, meant):
    """Broken otherwise: who asks for another data set is told to take MNIST."""
    assert nearest(name, ["mnist-5k", "mnist", "the path of a folder"]) == meant
    guess = f" (did you mean {meant!r}?)" if meant else ""
    message = str(unknown_name("data set", name, ["mnist-5k", "mnist"]))
    assert message == f"unknown data set {name!r}{guess}, expected mnist-5k or mnist"


def test_an_unknown_data_set_is_told_through_the_command_line(capfd, tmp_path, monkeypatch):
    """Broken otherwise: the same."""
    monkeypatch.chdir(tmp_path)
    assert_refused(capfd, ["train", "--data", "omniglot"], "unknown data set 'omniglot', expected")


# Verbs, versions, help


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "found no verb, expected train or fetch"),
        (["tran"], "found 'tran' (did you mean 'train'?), expected train or fetch"),
        (["evaluate"], "found 'evaluate', expected train or fetch"),
        (["fetch"], "NAME"),
        (["fetch", "mnsit"], "unknown download 'mnsit' (did you mean 'mnist'?)"),
    ],
)
def test_a_verb_that_cannot_be_is_one_line(capfd, argv, said):
    """Broken otherwise: a slip gives a page of usage, or a traceback."""
    assert_refused(capfd, argv, said)


def test_version_names_what_results_depend_on(capfd):
    """Broken otherwise: a report of a fault lacks what is asked first."""
    assert status(["--version"]) == 0
    own, numpy = (importlib.metadata.version(name) for name in ("numpy-siamese", "numpy"))
    expected = f"numpy-siamese {own} (NumPy {numpy}, Python {platform.python_version()})\n"
    assert capfd.readouterr() == (expected, "")


def test_version_without_an_installation(capfd, monkeypatch):
    """Broken otherwise: in a checkout that is not installed it is a traceback."""

    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert status(["--version"]) == 0
    assert capfd.readouterr().out.startswith("numpy-siamese not installed (NumPy not installed, ")


@pytest.mark.parametrize("package", ["numpy_siamese", "torch_siamese"])
@pytest.mark.parametrize("flag", ["--version", "--help"])
def test_version_and_help_import_nothing_that_takes_time(package, flag):
    """Broken otherwise: --help takes a second, with PyTorch several; where a package is missing or
    broken, it cannot be asked for its version.
    """
    script = f"""
import sys
heavy = "numpy", "torch", "pandas", "matplotlib", "safetensors", "pooch", "tqdm"
sys.modules |= dict.fromkeys(heavy)  # importing them fails
from {COMMAND_LINES[package]} import main
main([{flag!r}])
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout


def test_help_says_which_threads_are_the_default(capfd):
    """Broken otherwise: it says "all cores" where a container allows fewer."""
    assert status(["train", "--help"]) == 0
    said = " ".join(capfd.readouterr().out.split())
    assert "the cores that this process may use" in said


def test_the_process_own_arguments_are_the_default(capfd, monkeypatch):
    """Broken otherwise: the installed program sees no flags."""
    monkeypatch.setattr(sys, "argv", ["numpy-siamese", "train", "--lr", "-1"])
    assert numpy_cli.main() == 2
    assert "--lr: found -1.0" in capfd.readouterr().err
