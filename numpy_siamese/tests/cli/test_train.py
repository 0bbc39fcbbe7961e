"""The verb `train` and its flags: what cannot be is refused in one line that names it."""

import dataclasses
import json

import pytest

from numpy_siamese.cli.main import main
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.options import flag
from numpy_siamese.tests.support.commands import SMALL, assert_refused, status
from numpy_siamese.tests.support.drawings import write_drawings
from numpy_siamese.tests.support.folders import contents
from numpy_siamese.tests.support.tiny import csv_folder

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
        (["--alphabet-share", "0.5"], ["error: --alphabet-share", "expected --loss n-pair"]),
        (["--verdict-weight", "1"], ["--verdict-weight: found --loss bce, expected --loss n-pair"]),
        (
            ["--model", "modern", "--momentum", "0.1"],
            ["--momentum: found --optimizer adam, expected --optimizer sgd"],
        ),
        (["--distortions", "3"], ["--distortions", "found 3.0", "of at most 2"]),
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


@pytest.mark.parametrize("below", ["", "run", "a/b"])
def test_a_file_in_the_way_of_out_is_one_line(capfd, train, tmp_path, below):
    """Broken otherwise: an `--out` that cannot be written costs the whole run, or the file."""
    (tmp_path / "file").write_text("precious")
    out = tmp_path / "file" / below
    assert_refused(capfd, train("--out", out), f"--out {out}: cannot be used as a folder")
    assert (tmp_path / "file").read_text() == "precious"


@pytest.mark.usefixtures("no_pictures")
def test_an_existing_run_is_one_line_and_stays(capfd, train, tmp_path):
    """Broken otherwise: repeating a command overwrites its results."""
    assert status(train("--quiet")) == 0
    before = contents(tmp_path / "run")
    capfd.readouterr()
    assert_refused(capfd, train("--seed", 1), f"--out {tmp_path / 'run'}: holds another run")
    assert contents(tmp_path / "run") == before


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


# What is printed


@pytest.mark.usefixtures("no_pictures")
def test_without_a_terminal_lines_go_to_standard_output_and_there_is_no_bar(capfd, train, tmp_path):
    """Broken otherwise: a log file is full of a bar's fragments, or lacks the lines."""
    assert status(train("--window", 2)) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert "\r" not in out
    lines = out.splitlines()
    assert f"writing {tmp_path / 'run'}\n" in out
    windows = [line for line in lines if line.startswith("epoch") and "batch" in line]
    assert [line.split("  ")[0] for line in windows] == [
        "epoch 1/1 batch 2",
        "epoch 1/1 batch 3",
    ]
    rows = (tmp_path / "run" / "metrics.csv").read_text().splitlines()[1:]
    for line, row in zip(windows, rows, strict=True):
        _, _, loss, accuracy, _ = row.split(",")
        assert f"loss {float(loss):.4f} accuracy {float(accuracy):.4f}" in line
    (test,) = (tmp_path / "run" / "test_metrics.csv").read_text().splitlines()[1:]
    _, _, loss, accuracy, _ = test.split(",")
    expected = f"test pairs 10  loss {float(loss):.4f} accuracy {float(accuracy):.4f}"
    assert len([line for line in lines if expected in line]) == 1


def test_quiet_prints_nothing(capfd, train, tmp_path):
    """Broken otherwise: a script that trains many networks is noisy."""
    assert status(train("--quiet")) == 0
    assert capfd.readouterr() == ("", "")
    assert (tmp_path / "run" / "model.safetensors").exists()


@pytest.mark.usefixtures("no_pictures")
def test_flags_reach_the_run(capfd, train, tmp_path):
    """Broken otherwise: a flag is accepted and ignored."""
    flags = {
        "data": str(write_drawings(tmp_path / "shapes", 4)),
        "test_share": 0.5,
        "holdout_classes": "circle",
        "model": "modern",
        "epochs": 2,
        "batches": 2,
        "batch_size": 5,
        "loss": "n-pair",
        "verdict_weight": 0.25,
        "rotations": True,
        "alphabet_share": 0.0,
        "distortions": 1.5,
        "optimizer": "sgd",
        "lr": 0.25,
        "momentum": 0.5,
        "weight_decay": 0.125,
        "schedule": "koch",
        "patience": 0,
        "seed": 2**64 - 1,
        "dtype": "float64",
        "threads": 1,
        "window": 7,
        "test_pairs": 11,
        "checkpoint_every": 1,
        "on_nan": "continue",
        "keep_checkpoints": True,
    }
    assert flags.keys() == {field.name for field in dataclasses.fields(TrainConfig)}
    argv = [
        flag(name) if value is True else f"{flag(name)}={value}" for name, value in flags.items()
    ]
    assert status(train(*argv, "--quiet")) == 0
    found = json.loads((tmp_path / "run" / "config.json").read_text())
    del found["data_sha256"], found["environment"], found["class_names"], found["preparation"]
    assert found == flags


@pytest.mark.usefixtures("no_pictures")
def test_the_default_folder_is_new_and_names_the_program(capfd, data, tmp_path, monkeypatch):
    """Broken otherwise: without --out a run is lost among others, or refused."""
    monkeypatch.chdir(tmp_path)
    assert status(["train", "--data", str(data), *SMALL]) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.startswith("numpy-siamese-")
    assert (folder / "model.safetensors").exists()
    assert f"runs/{folder.name}" in capfd.readouterr().out
