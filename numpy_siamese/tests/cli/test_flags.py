"""Flags and their values: what is taken, and what is refused in one line that names it."""

import argparse
from dataclasses import fields

import pytest

from numpy_siamese.cli.main import main
from numpy_siamese.errors import InputError
from numpy_siamese.runs.config import TrainConfig, converted, flag
from numpy_siamese.tests.support.commands import assert_refused, status
from numpy_siamese.tests.support.tiny import csv_folder

# The configuration


def test_the_defaults_are_the_reference_recipe():
    """Broken otherwise: without flags another recipe runs than the documented one.

    The recipe: SGD with rate 0.001 and momentum 0.1, 100 pairs, 1,000 batches, 5 epochs, a line
    every 100 batches.
    """
    config = TrainConfig()
    assert (config.epochs, config.batches, config.batch_size, config.window) == (5, 1000, 100, 100)
    assert (config.lr, config.momentum, config.dtype) == (0.001, 0.1, "float32")


def test_the_other_defaults_are_the_documented_ones():
    """Broken otherwise: the README's figures are of other settings than those that a reader gets.

    The embedded digits, seed 0, 20,000 test pairs; threads and checkpoints as they fit; a network
    that diverges stops.
    """
    config = TrainConfig()
    assert (config.data, config.seed, config.test_pairs) == ("mnist-5k", 0, 20_000)
    assert (config.threads, config.checkpoint_every, config.on_nan) == (None, None, "stop")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lr", "--lr LR learning rate of SGD (default: 0.001)"),
        ("dtype", "--dtype {float32,float64} precision (default: float32)"),
        ("on_nan", "--on-nan {stop,continue} what to do with a batch whose loss is not a finite"),
        ("checkpoint_every", "(default: 100, or as many as keep the cost below 1 % of the time)"),
    ],
)
def test_help_says_what_a_flag_means_takes_and_has_by_default(name, said):
    """Broken otherwise: the help leaves out a flag's meaning, choices or default, or ends in an
    error over a percent sign.
    """
    parser = argparse.ArgumentParser()
    TrainConfig.add_flags(parser)
    assert said in " ".join(parser.format_help().split()), name


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("epochs", 1, 2**31 - 1),
        ("batches", 1, 2**31 - 1),
        ("batch_size", 2, 2**31 - 1),
        ("seed", 0, 2**64 - 1),
        ("threads", 1, 2**31 - 1),
        ("window", 1, 2**31 - 1),
        ("test_pairs", 2, 2**31 - 1),
        ("checkpoint_every", 1, 2**31 - 1),
        ("lr", 0.0, 1.7976931348623157e308),
        ("momentum", 0.0, 1.7976931348623157e308),
    ],
)
def test_the_limits_of_each_number_are_taken_and_no_more(name, least, most):
    """Broken otherwise: a value at the edge is refused, or one beyond it trains on nothing."""
    for value in (least, most):
        assert getattr(TrainConfig(**{name: value}), name) == value
    step = 1 if isinstance(least, int) else 5e-324
    for value, said in ((least - step, "of at least"), (most + most if step < 1 else most + 1, "")):
        with pytest.raises(InputError, match=f"{flag(name)}: found .* expected a number {said}"):
            TrainConfig(**{name: value})


def test_what_of_a_run_may_change_when_it_goes_on():
    """Broken otherwise: a run cannot move to another machine, or becomes another run unnoticed."""
    free = {spec.name for spec in fields(TrainConfig) if spec.metadata.get("of_sitting")}
    assert free == {"data", "epochs", "threads", "checkpoint_every", "on_nan"}


@pytest.mark.parametrize("wrong", [{"dtype": "float16"}, {"batch_size": 1}, {"lr": float("nan")}])
def test_a_configuration_checks_itself_without_the_command_line(wrong):
    """Broken otherwise: a notebook, or an edited config.json, trains with what no flag allows."""
    (name,) = wrong
    with pytest.raises(InputError, match=flag(name)):
        TrainConfig(**wrong)


# What is refused


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--batch-size", "0"], ["--batch-size", "found 0", "at least 2"]),
        (["--batch-size", "1"], ["--batch-size", "found 1", "at least 2"]),
        (["--lr", "-0.1"], ["--lr", "found -0.1", "at least 0"]),
        (["--lr", "nan"], ["--lr", "found nan", "at least 0"]),
        (["--lr", "inf"], ["--lr", "found inf"]),
        (["--momentum", "-1"], ["--momentum", "found -1.0", "at least 0"]),
        (["--momentum", "nan"], ["--momentum", "found nan"]),
        (["--epochs", "0"], ["--epochs", "found 0", "at least 1"]),
        (["--batches", "0"], ["--batches", "found 0", "at least 1"]),
        (["--window", "0"], ["--window", "found 0", "at least 1"]),
        (["--test-pairs", "1"], ["--test-pairs", "found 1", "at least 2"]),
        (["--threads", "0"], ["--threads", "found 0", "at least 1"]),
        (["--seed", "-1"], ["--seed", "found -1", "at least 0"]),
        (["--seed", str(2**64)], ["--seed", f"found {2**64}", "below 18446744073709551616"]),
        (["--dtype", "float16"], ["--dtype", "float16", "float32", "float64"]),
        (["--epochs", "few"], ["--epochs", "few"]),
        (["--epochs", "1.5"], ["--epochs", "1.5"]),
        (["--lr", "fast"], ["--lr", "fast"]),
        (["--lr"], ["--lr", "expected one argument"]),
        (["--learning-rate", "1"], ["--learning-rate"]),
        (["--data", "mnsit"], ["data set 'mnsit'", "did you mean 'mnist'?"]),
        (["--data", "/no/such/folder"], ["/no/such/folder"]),
    ],
    ids=lambda part: "=".join(part) if part[0].startswith("--") else "",
)
def test_a_flag_that_cannot_be_is_one_line_that_names_it(capfd, train, tmp_path, flags, said):
    """Broken otherwise: a slip gives a traceback, or a run of something else."""
    assert_refused(capfd, train(*flags), *said)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([10, 10, 1], "class 2 has 1 image, but a pair without itself needs 2"),
        ([10], "only class 0"),
    ],
)
def test_classes_too_small_for_pairs_are_one_line(capfd, train, tmp_path, counts, said):
    """Broken otherwise: unusable data ends a run with a traceback, or after its first epoch."""
    folder = tmp_path / "digits"
    folder.mkdir()
    csv_folder(folder, counts)
    assert_refused(capfd, train("--data", folder), str(folder), said)
    assert not (tmp_path / "run").exists()


def test_a_file_that_cannot_be_read_is_one_line_that_names_it(capfd, train, tmp_path):
    """Broken otherwise: the user does not learn which file to mend."""
    for name in ("mnist_train.csv", "mnist_test.csv"):
        (tmp_path / name).write_text("label,pixels\n")
    assert_refused(capfd, train("--data", tmp_path), str(tmp_path / "mnist_train.csv"))


@pytest.mark.parametrize("below", ["", "run"])
def test_a_file_in_the_way_of_out_is_one_line(capfd, train, tmp_path, below):
    """Broken otherwise: an `--out` that cannot be written costs the whole run, or the file."""
    (tmp_path / "file").write_text("precious")
    out = tmp_path / "file" / below
    assert_refused(capfd, train("--out", out), f"--out {out}: ")
    assert (tmp_path / "file").read_text() == "precious"


@pytest.mark.usefixtures("no_pictures")
def test_an_existing_run_is_one_line_and_stays(capfd, train, tmp_path):
    """Broken otherwise: repeating a command overwrites its results."""
    assert status(train("--quiet")) == 0
    before = {entry.name: entry.read_bytes() for entry in (tmp_path / "run").iterdir()}
    capfd.readouterr()
    assert_refused(capfd, train("--seed", 1), f"--out {tmp_path / 'run'}: holds another run")
    assert {entry.name: entry.read_bytes() for entry in (tmp_path / "run").iterdir()} == before


def test_a_disk_that_fails_is_one_line_that_names_the_file(capfd, train, tmp_path, monkeypatch):
    """Broken otherwise: a full disk ends in a traceback."""

    def full(path, _):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("numpy_siamese.runs.run_directory.write_atomically", full)
    assert_refused(capfd, train(), str(tmp_path / "run" / "config.json"), "No space left on device")


@pytest.mark.parametrize("flag", ["--batches", "--threads", "--epochs", "--test-pairs"])
def test_a_number_beyond_all_counting_is_one_line(flag, capsys):
    """Broken otherwise: a slip of the finger ends in a traceback of some library."""
    assert main(["train", flag, "1" + 400 * "0"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert f"{flag}: found" in err


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("lr", "fast", "--lr: found 'fast', expected a number"),
        ("lr", [1], "--lr: found [1], expected a number"),
        ("lr", "0.1", "--lr: found '0.1', expected a number"),
        ("lr", True, "--lr: found True, expected a number"),
        ("lr", 10**400, f"--lr: found {10**400!r:.400}, expected a number below infinity"),
        ("lr", -(10**400), f"--lr: found {-(10**400)!r:.400}, expected a number of at least 0"),
        ("epochs", 1.0, "--epochs: found 1.0, expected a whole number"),
        ("data", 5, "--data: found 5, expected a name"),
        (
            "dtype",
            "float23",
            "--dtype: found 'float23' (did you mean 'float32'?), expected one of float32, float64",
        ),
    ],
)
def test_a_value_of_another_kind_is_refused_in_these_words(name, value, said):
    """Broken otherwise: whoever calls from Python is told nothing, or of another flag."""
    with pytest.raises(InputError) as caught:
        TrainConfig(**{name: value})
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        (5, str, "found a int"),
        ("1", float, "found a str"),
        (None, float, "found a NoneType"),
        (True, int, "found a truth value"),
    ],
)
def test_what_cannot_be_converted_is_named(value, kind, said):
    """Broken otherwise: the type that was found is not the one that is told."""
    with pytest.raises(TypeError, match=f"^{said}$"):
        converted(value, kind)
