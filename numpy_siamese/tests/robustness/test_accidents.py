"""What can go wrong under a run: it ends with one line, and the checkpoint loads."""

import json
import os
import resource
import signal

import numpy as np
import pytest

from numpy_siamese.cli.main import main
from numpy_siamese.errors import InputError
from numpy_siamese.runs.checkpoint import load_checkpoint
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.run_directory import CHECKPOINT
from numpy_siamese.runs.trainer import Trainer
from numpy_siamese.tests.support.processes import assert_one_line
from numpy_siamese.tests.support.tiny import csv_folder, dataset, replace_pictures
from numpy_siamese.training import NumpyLearner

ENDLESS = ("--epochs", 1, "--batches", 10**6, "--window", 10**6)
WITHOUT_RIGHTS = """
import ctypes
# Give up what lets root write everywhere: no capability in all three sets (capset(2), version 3).
header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
assert ctypes.CDLL(None, use_errno=True).capset(header, none) == 0
"""


@pytest.fixture
def run(tmp_path):
    return tmp_path / "run"


@pytest.fixture
def running(server, begin, run):
    """Return a function that starts an endless run and waits for checkpoints."""
    processes = []

    def start(*flags, setup=""):
        process = server.start(*begin(*ENDLESS, "--checkpoint-every", 1, *flags), setup=setup)
        processes.append(process)
        process.wait_until(lambda: "training" in process.out)
        return process

    yield start
    for process in processes:
        if not process.ended:
            process.kill_after(0)


def assert_loads(run):
    """Check for a whole checkpoint, no half-written file and nobody's lock."""
    state = load_checkpoint(run / "checkpoint.safetensors")
    assert state.is_finite()
    assert [entry.name for entry in run.iterdir() if entry.name.startswith(".")] == []
    return state


def test_a_full_disk_is_one_line_and_the_last_checkpoint_stays(running, run):
    """Broken otherwise: a full disk costs the run.

    What is written beside the checkpoint goes to /dev/full, where every write fails as on a full
    disk.
    """
    process = running()
    beside = run / f".checkpoint.safetensors.{process.pid}"

    def is_full():
        try:
            beside.symlink_to("/dev/full")
        except FileExistsError:  # just being written
            return False
        return True

    process.wait_until(is_full)
    assert_one_line(
        process,
        f"{run / 'checkpoint.safetensors'}: No space left on device; saved after epoch 1, batch ",
        f"then go on with: numpy-siamese train --resume {run}",
    )
    assert_loads(run)


def test_a_limit_on_the_size_of_files_is_one_line(running, run):
    """Broken otherwise: a quota ends the run without a word (SIGXFSZ), or with half a file."""
    process = running()
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    assert_one_line(process, run / "checkpoint.safetensors", "File too large")
    assert_loads(run)


def test_a_folder_that_becomes_read_only_is_one_line(running, server, run):
    """Broken otherwise: a file system that is remounted read-only ends in a traceback."""
    process = running(setup=WITHOUT_RIGHTS)
    run.chmod(0o555)
    try:
        assert_one_line(process, f"{run}/", "Permission denied")
        assert load_checkpoint(run / "checkpoint.safetensors").is_finite()
        again = server.start("train", "--resume", run, setup=WITHOUT_RIGHTS)
        assert_one_line(again, f"--resume {run}: cannot be written")
    finally:
        run.chmod(0o755)
    (run / ".lock").unlink()  # it could not be removed
    assert_loads(run)


def remove(path):
    path.unlink()


def halve(path):
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("damage", [remove, halve])
def test_a_checkpoint_damaged_under_a_run_is_written_anew(running, run, damage):
    """Broken otherwise: a run relies on a file that somebody else has spoilt."""
    process = running("--checkpoint-every", 10**6)
    damage(run / "checkpoint.safetensors")
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait() == 143
    assert process.err.count("\n") == 1
    assert assert_loads(run).batch > 0


def test_a_damaged_checkpoint_of_a_dead_run_is_one_line_that_names_it(running, server, run):
    """Broken otherwise: half a checkpoint is taken for a whole one, or ends in a traceback."""
    process = running("--checkpoint-every", 10**6)
    process.kill_after(0)
    halve(run / "checkpoint.safetensors")
    again = server.start("train", "--resume", run)
    assert_one_line(again, run / "checkpoint.safetensors", "expected a safetensors file")


def test_a_folder_removed_under_a_run_is_one_line(running, run):
    """Broken otherwise: tidying up ends a run in a traceback, or a new folder appears."""
    process = running()
    run.rename(run.with_name("gone"))
    assert_one_line(process, f"{run}/", "No such file or directory")
    assert not run.exists()
    assert load_checkpoint(run.with_name("gone") / "checkpoint.safetensors").is_finite()


@pytest.mark.parametrize("again", ["--resume", "--out"])
def test_two_runs_in_one_folder_are_told(running, server, begin, run, again):
    """Broken otherwise: two runs write over each other's files."""
    process = running()
    if again == "--resume":
        second = server.start("train", "--resume", run)
        assert_one_line(second, f"{run}: process {process.pid} is writing to it")
    else:
        process.wait_until(lambda: load_checkpoint(run / CHECKPOINT).batch > 0)
        assert_one_line(server.start(*begin()), "holds another run")
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait() == 143
    assert_loads(run)


def test_two_new_runs_in_one_folder_are_told(server, begin, run):
    """Broken otherwise: two runs that start at once in an empty folder both take it."""
    early = "from numpy_siamese.runs.run_directory import RunDirectory as D; import time\n"
    early += "D.write_json = lambda *_: time.sleep(60)"  # it has the lock, and nothing written yet
    first = server.start(*begin(), setup=early)
    first.wait_until(lambda: (run / ".lock").exists() and (run / ".lock").read_text())
    assert_one_line(server.start(*begin()), f"{run}: process {first.pid} is writing to it")
    first.kill_after(0)
    assert server.run(*begin("--epochs", 1, "--batches", 1)) == (0, "")


def test_the_lock_of_a_dead_process_is_taken_over(running, server, run):
    """Broken otherwise: after a crash nobody can go on until a file is removed by hand."""
    first = running()
    first.kill_after(0)
    assert (run / ".lock").read_text() == str(first.pid)
    second = server.start("train", "--resume", run)
    second.wait_until(lambda: "going on" in second.out)
    assert (run / ".lock").read_text() == str(second.pid)
    os.kill(second.pid, signal.SIGTERM)
    assert second.wait() == 143
    assert_loads(run)


# A loss that is no number


DIVERGING = ("--lr", 1e30, "--epochs", 1, "--batches", 30, "--checkpoint-every", 1)


def test_a_loss_that_is_no_number_stops_and_names_the_batch(server, begin, run):
    """Broken otherwise: NaN spreads through the weights and into the last good checkpoint."""
    process = server.start(*begin(*DIVERGING))
    assert_one_line(process, "diverged at epoch 1, batch ", "--on-nan continue", run)
    batch = int(process.err.split("batch ")[1].split(",")[0])
    assert assert_loads(run).batch == batch - 1 >= 1
    assert f"after epoch 1, batch {batch - 1}, is in {run}" in process.err


def test_such_batches_can_be_left_out(server, begin, run):
    """Broken otherwise: --on-nan continue stops, or hides what was left out."""
    process = server.start(*begin(*DIVERGING, "--on-nan", "continue"))
    assert (process.wait(), process.err) == (0, "")
    assert "left out: its loss is not finite" in process.out
    assert assert_loads(run).batch < 30
    summary = json.loads((run / "summary.json").read_text())
    assert summary["finished"] is True
    assert summary["last_window"]["loss"] is None
    assert "nan" in (run / "metrics.csv").read_text()


def test_a_run_that_was_stopped_by_it_can_leave_it_out(server, begin, run):
    """Broken otherwise: hours of a run are lost to one batch."""
    assert server.run(*begin(*DIVERGING))[0] == 2
    assert server.run("train", "--resume", run, "--on-nan", "continue") == (0, "")


@pytest.mark.parametrize("spoilt", ["net.conv1.bias", "fc1.weight"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_not_saved(tmp_path, monkeypatch, spoilt, value):
    """Broken otherwise: a step whose loss was still finite spoils the last good checkpoint."""
    replace_pictures(monkeypatch)
    config = TrainConfig(
        epochs=1, batches=5, batch_size=4, test_pairs=10, threads=1, checkpoint_every=1
    )
    digits = dataset()
    learner = NumpyLearner(config, digits.train.images)
    learn, steps = learner.learn, []

    def spoiling(batches):
        steps.append(learn(batches))
        if len(steps) == 3:
            learner.net.parameters()[spoilt].flat[0] = value
        return steps[-1]

    learner.learn = spoiling
    run = Trainer(config, digits, learner, tmp_path / "run", quiet=True)
    with pytest.raises(InputError, match=r"diverged at .* batch 3, .* after epoch 1, batch 2"):
        run.train()
    assert assert_loads(tmp_path / "run").batch == 2


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
