"""The command line: what it prints where, and how it ends."""

import dataclasses
import json
import signal
import subprocess
import sys

import pytest
from safetensors.numpy import load_file

from numpy_siamese.cli.main import main
from numpy_siamese.runs.config import TrainConfig, flag
from numpy_siamese.runs.signals import WORDS
from numpy_siamese.tests.commands import SMALL, status
from numpy_siamese.tests.tiny import csv_folder
from numpy_siamese.training import MICRO_BATCH

PATIENCE = 20
"""Seconds after which a process that should end is taken for stuck, and a test fails."""


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
def test_flags_reach_the_run(capfd, train, data, tmp_path):
    """Broken otherwise: a flag is accepted and ignored."""
    flags = {
        "data": str(data),
        "epochs": 2,
        "batches": 2,
        "batch_size": 5,
        "lr": 0.25,
        "momentum": 0.5,
        "seed": 2**64 - 1,
        "dtype": "float64",
        "threads": 1,
        "window": 7,
        "test_pairs": 11,
        "checkpoint_every": 1,
        "on_nan": "continue",
    }
    assert flags.keys() == {field.name for field in dataclasses.fields(TrainConfig)}
    argv = [text for name, value in flags.items() for text in (flag(name), str(value))]
    assert status(train(*argv, "--quiet")) == 0
    found = json.loads((tmp_path / "run" / "config.json").read_text())
    del found["data_sha256"], found["environment"]
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


def test_the_second_ctrl_c_does_not_wait_for_the_batch(capfd, train, tmp_path, monkeypatch):
    """Broken otherwise: a batch that hangs cannot be ended from the keyboard."""

    def learn(self, _):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("the batch went on")

    monkeypatch.setattr("numpy_siamese.training.NumpyLearner.learn", learn)
    before = signal.getsignal(signal.SIGINT)
    assert status(train("--quiet")) == 130
    assert signal.getsignal(signal.SIGINT) is before
    assert capfd.readouterr() == ("", "numpy-siamese: interrupted\n")
    assert not (tmp_path / "run").exists()  # nothing was trained


@pytest.mark.usefixtures("no_pictures")
def test_a_run_gives_the_handlers_of_signals_back(train):
    """Broken otherwise: after a run in a notebook the first Ctrl-C does nothing."""
    before = [signal.getsignal(number) for number in WORDS]
    assert status(train("--quiet")) == 0
    assert [signal.getsignal(number) for number in WORDS] == before


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
    (section,) = (text for text in everything if text.split()[0] == flag(field.name)[2:])
    default = field.metadata["automatic"] if field.default is None else field.default
    expected = f"{field.metadata['help']} (default: {default})"
    assert "".join(expected.split()) in "".join(section.split())  # wherever lines are broken


# Processes of their own


def run_python(*arguments):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True)


def test_python_m_runs_the_command_line(train):
    """Broken otherwise: the module cannot be run, or its exit status is lost."""
    process = run_python("-m", "numpy_siamese", *train("--batch-size", 1))
    assert process.returncode == 2
    assert process.stdout == ""
    assert process.stderr.startswith("numpy-siamese: error: --batch-size")
    assert process.stderr.count("\n") == 1


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_ends_a_run_with_one_line_and_a_readable_folder(train, tmp_path, threads):
    """Broken otherwise: Ctrl-C gives a traceback, hangs, or leaves half-written files.

    Three micro-batches are enough for both threads to be at work.
    """
    size = 2 * MICRO_BATCH + 1
    many = ("--batches", 100_000, "--window", 1, "--batch-size", size, "--threads", threads)
    with subprocess.Popen(
        [sys.executable, "-m", "numpy_siamese", *train(*many)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        lines = iter(process.stdout.readline, "")
        assert any(line.split()[:4] == ["epoch", "1/1", "batch", "1"] for line in lines)
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()  # where it has not ended by itself
    run = tmp_path / "run"
    assert err.startswith("numpy-siamese: interrupted; saved after epoch 1, batch ")
    assert err.endswith(f", go on with: numpy-siamese train --resume {run}\n")
    assert err.count("\n") == 1
    assert process.returncode == 130
    assert json.loads((run / "summary.json").read_text())["finished"] is False
    assert json.loads((run / "config.json").read_text())["window"] == 1
    header, *rows = (run / "metrics.csv").read_text().splitlines()
    assert header == "epoch,batch,loss,accuracy,seconds"
    assert [row.split(",")[:2] for row in rows] == [["1", str(k + 1)] for k in range(len(rows))]
    assert json.loads((run / "summary.json").read_text())["batches_done"] == len(rows) >= 1
    assert "fc1.bias" in load_file(run / "model.safetensors")
    assert not [entry for entry in run.iterdir() if entry.name.startswith(".")]


def test_no_module_of_numpy_siamese_imports_torch_even_in_a_run(train):
    """Broken otherwise: the NumPy package is slow to start, or cannot run without PyTorch."""
    script = """
import pkgutil, sys, importlib, numpy_siamese
from numpy_siamese.cli.main import main
for module in pkgutil.walk_packages(numpy_siamese.__path__, "numpy_siamese."):
    if ".tests" not in module.name and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
assert main(sys.argv[1:]) == 0
print([name for name in sys.modules if name.split(".")[0] in ("torch", "torch_siamese")])
print("numpy_siamese.training" in sys.modules, "safetensors" in sys.modules)
"""
    process = run_python("-c", script, *train("--quiet"))
    assert (process.stderr, process.stdout) == ("", "[]\nTrue True\n")


def test_the_math_needs_numpy_and_nothing_else():
    """Broken otherwise: the gradients cannot be studied where only NumPy is installed.

    Every import but NumPy's and the standard library's fails; a training step still works.
    """
    script = """
import sys

class OnlyNumpy:
    def find_spec(self, name, path=None, target=None):
        root = name.split(".")[0]
        if root not in {"numpy", "numpy_siamese", *sys.stdlib_module_names}:
            raise ModuleNotFoundError(f"{name} is not there", name=name)

sys.meta_path.insert(0, OnlyNumpy())
import numpy as np
from numpy_siamese import definitions, functional, initialization, model, optim
from numpy_siamese import inference, training
from numpy_siamese.data import pairs
net = model.SiameseNet()
digits = np.zeros((2, 1, 28, 28), np.float32)
loss, probs, grads = training.loss_and_gradients(net, digits, digits, np.ones((2, 1)), 2, 1)
optim.SGD(net.parameters(), 0.1).step(grads)
print(loss == float(-np.log(probs).mean()))
try:
    import matplotlib
except ModuleNotFoundError:
    print("and nothing else")
"""
    process = run_python("-c", script)
    assert (process.stderr, process.stdout) == ("", "True\nand nothing else\n")


def test_a_rate_that_is_too_high_is_one_line(tmp_path, capsys):
    """Broken otherwise: --lr 1e30 ends in a traceback about probabilities."""
    (tmp_path / "data").mkdir()
    data = csv_folder(tmp_path / "data", [10, 10])
    flags = ["--batch-size=4", "--test-pairs=4", "--epochs=1", "--batches=30", "--lr=1e30"]
    assert main(["train", f"--data={data}", f"--out={tmp_path / 'run'}", *flags]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "--lr 1e+30" in err
    assert "diverged at epoch 1" in err
