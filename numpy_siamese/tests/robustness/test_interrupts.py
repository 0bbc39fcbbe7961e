"""Ctrl-C and a polite kill: the first ends the batch and saves, the second ends at once."""

import json
import shlex
import signal
import subprocess
import sys

import pytest
from safetensors.numpy import load_file

from numpy_siamese.runs.checkpoint import load_checkpoint
from numpy_siamese.tests.support.commands import status
from numpy_siamese.tests.support.same_run import SMALL, assert_same_run
from numpy_siamese.tests.support.signals import SIGNALS, WORDS, send_in_step
from numpy_siamese.tests.support.tiny import PATIENCE
from numpy_siamese.training import MICRO_BATCH


@pytest.fixture(scope="module")
def whole(server, twelve_images, tmp_path_factory):
    """The run that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole") / "run"
    argv = ("train", "--data", twelve_images, "--out", out, *SMALL)
    assert server.run(*argv) == (0, "")
    return out


@pytest.fixture
def start(server, twelve_images, tmp_path):
    """Return a function that runs as `whole` was, with a setup and flags."""

    def run(setup, *flags):
        place = ("--data", twelve_images, "--out", tmp_path / "run")
        return server.run("train", *place, *SMALL, *flags, setup=setup)

    return run


def assert_goes_on_as_told(server, err, out, whole):
    """Check that the command in the message finishes the run."""
    assert err.count("\n") == 1
    program, *argv = shlex.split(err.split("go on with: ")[1])
    assert program == "numpy-siamese"
    assert argv == ["train", "--resume", str(out)]
    assert server.run(*argv) == (0, "")
    assert_same_run(out, whole)


@pytest.mark.parametrize(
    ("batches", "number", "word"),
    [(batches, signal.SIGINT, "interrupted") for batches in (1, 6, 9, 12)]
    + [(9, number, WORDS[number]) for number in (signal.SIGTERM, signal.SIGHUP)],
)
def test_a_signal_finishes_the_batch_and_saves(
    server, start, whole, tmp_path, number, word, batches
):
    """Broken otherwise: a cluster's kill loses work, or the user must guess how to go on.

    Nothing but the signal asks for a checkpoint; an epoch has six batches.
    """
    status, err = start(send_in_step(batches, number), "--checkpoint-every", 1000)
    assert status == 128 + number
    place = {1: "epoch 1, batch 1", 6: "epoch 1", 9: "epoch 2, batch 3", 12: "epoch 2"}[batches]
    assert err.startswith(f"numpy-siamese: {word}; saved after {place}, go on with: ")
    state = load_checkpoint(tmp_path / "run" / "checkpoint.safetensors")
    assert (state.epoch, state.batch) == divmod(batches, 6)
    assert_goes_on_as_told(server, err, tmp_path / "run", whole)


@SIGNALS
def test_a_second_signal_ends_at_once(server, start, whole, tmp_path, number, word):
    """Broken otherwise: a batch that hangs cannot be ended, or ending it costs the checkpoint."""
    status, err = start(send_in_step(9, number, number))
    assert status == 128 + number
    assert err.startswith(f"numpy-siamese: {word}; saved after epoch 2, batch 2, go on with: ")
    assert_goes_on_as_told(server, err, tmp_path / "run", whole)


@SIGNALS
def test_a_second_signal_in_the_writing_leaves_the_earlier_checkpoint(
    server, start, whole, tmp_path, number, word
):
    """Broken otherwise: an impatient user is left with half a file."""
    in_writing = f"os.fsync = lambda _: os.kill(os.getpid(), {int(number)})"
    status, err = start(send_in_step(9, number, then=in_writing))
    assert status == 128 + number
    assert err.startswith(f"numpy-siamese: {word}; saved after epoch 2, batch 2, go on with: ")
    assert [entry for entry in (tmp_path / "run").iterdir() if entry.name.startswith(".")] == []
    assert_goes_on_as_told(server, err, tmp_path / "run", whole)


@SIGNALS
def test_a_signal_before_the_run_begins_ends_it_with_one_line(start, tmp_path, number, word):
    """Broken otherwise: a signal while data is read gives a traceback, or is lost."""
    setup = f"""
import os
from numpy_siamese.data import sources
sources.load = lambda *_: os.kill(os.getpid(), {int(number)})
"""
    assert start(setup) == (128 + number, f"numpy-siamese: {word}\n")
    assert not (tmp_path / "run").exists()


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
