"""A run gets another end: --resume with --epochs."""

import json
import os
import shutil
import signal

import pytest

from numpy_siamese.errors import InputError
from numpy_siamese.runs.checkpoint import load_checkpoint
from numpy_siamese.tests.support.folders import contents
from numpy_siamese.tests.support.processes import assert_one_line
from numpy_siamese.tests.support.same_run import SMALL, assert_same_run
from numpy_siamese.tests.support.signals import kill_in_writing, send_in_step
from numpy_siamese.tests.support.tiny import (
    FakeLearner,
    fake_run,
    replace_pictures,
)

LONG = (*SMALL, "--epochs", 4)


@pytest.fixture(scope="module")
def runs(server, twelve_images, tmp_path_factory):
    """A finished run of two epochs, and one of four."""
    folder = tmp_path_factory.mktemp("runs")
    found = []
    for name, flags in (("two", SMALL), ("four", LONG)):
        argv = ("train", "--data", twelve_images, "--out", folder / name, *flags, "--threads", 1)
        assert server.run(*argv) == (0, "")
        found.append(folder / name)
    return found


@pytest.fixture
def two(runs, tmp_path):
    return shutil.copytree(runs[0], tmp_path / "run")


def epochs(run):
    return json.loads((run / "config.json").read_text())["epochs"]


def assert_equals_the_longer(run, four):
    """Check for the run that was begun with four epochs."""
    assert_same_run(run, four)
    assert (run / "config.json").read_bytes() == (four / "config.json").read_bytes()


@pytest.mark.parametrize("threads", [1, 2])
def test_more_epochs_give_the_run_that_was_begun_with_them(server, runs, two, threads):
    """Broken otherwise: going on beyond the end gives other weights, rows or pictures than the
    longer run; or the next --resume forgets the new end.
    """
    argv = ("train", "--resume", two, "--threads", threads)
    assert server.run(*argv, "--epochs", 4) == (0, "")
    assert_equals_the_longer(two, runs[1])
    assert server.run(*argv) == (0, "")
    assert_equals_the_longer(two, runs[1])


@pytest.mark.parametrize("batches", [1, 6, 9, 12])
def test_a_stopped_run_can_have_more_epochs(server, twelve_images, runs, tmp_path, batches):
    """Broken otherwise: the same, from the middle of an epoch, its end, or before the last test."""
    out = tmp_path / "run"
    argv = ("train", "--data", twelve_images, "--out", out, *SMALL, "--threads", 1)
    assert server.run(*argv, setup=send_in_step(batches, signal.SIGTERM))[0] == 143
    assert server.run("train", "--resume", out, "--epochs", 4) == (0, "")
    assert_equals_the_longer(out, runs[1])


def test_more_than_once(server, runs, two):
    """Broken otherwise: a run can be made longer, but not again."""
    for end in (3, 3, 4):
        assert server.run("train", "--resume", two, "--epochs", end) == (0, "")
        assert epochs(two) == end
    assert_equals_the_longer(two, runs[1])


def test_fewer_epochs_that_are_not_yet_done_are_an_end_as_well(
    server, twelve_images, runs, tmp_path
):
    """Broken otherwise: who began too long a run cannot end it well."""
    out = tmp_path / "run"
    argv = ("train", "--data", twelve_images, "--out", out, *LONG, "--threads", 1)
    assert server.run(*argv, setup=send_in_step(9, signal.SIGTERM))[0] == 143
    assert_one_line(
        server.start("train", "--resume", out, "--epochs", 1),
        f"--epochs 1: found epoch 2, batch 3 done in {out / 'checkpoint.safetensors'}",
        "expected at least 2",
    )
    assert epochs(out) == 4
    assert server.run("train", "--resume", out, "--epochs", 2) == (0, "")
    assert_equals_the_longer(out, runs[0])


def test_fewer_epochs_than_done_are_one_line(server, runs, two):
    """Broken otherwise: a slip of the finger ends in a traceback, or cuts a run short."""
    before = contents(two)
    argv = ("train", "--resume", two, "--epochs")
    assert_one_line(server.start(*argv, 1), "--epochs 1: found epoch 2 done", "expected at least 2")
    assert_one_line(server.start(*argv, 0), "--epochs: found 0")
    assert contents(two) == before


def test_a_run_keeps_checkpoints_to_its_end(server, two):
    """Broken otherwise: half of a run has kept its checkpoints."""
    again = server.start("train", "--resume", two, "--epochs", 4, "--no-keep-checkpoints")
    assert_one_line(again, "config.json, expected no --no-keep-checkpoints; --checkpoint-every")


@pytest.mark.parametrize("count", range(1, 6))
@pytest.mark.parametrize("when", ["half", "renamed"])
def test_a_kill_while_the_end_is_moved_loses_nothing(server, runs, two, count, when):
    """Broken otherwise: config.json is half written, or promises what summary.json says is done."""
    argv = ("train", "--resume", two)
    killed = server.run(*argv, "--epochs", 4, setup=kill_in_writing(count, when))
    assert killed == (-signal.SIGKILL, "")
    if epochs(two) == 4:
        assert json.loads((two / "summary.json").read_text())["finished"] is False
        assert server.run(*argv) == (0, "")
        assert_equals_the_longer(two, runs[1])
    else:
        assert server.run(*argv) == (0, "")
        assert_equals_the_longer(two, runs[0])


def test_what_else_is_in_the_configuration_stays(server, two):
    """Broken otherwise: a run of the other package loses what only that one knows."""
    path = two / "config.json"
    written = json.loads(path.read_text()) | {"device": "cuda", "algorithms": "deterministic"}
    path.write_text(json.dumps(written))
    assert server.run("train", "--resume", two, "--epochs", 3, "--threads", 2) == (0, "")
    assert json.loads(path.read_text()) == written | {"epochs": 3}


def test_a_finished_run_says_so(server, two):
    """Broken otherwise: going on with what is finished looks as if it did something."""
    process = server.start("train", "--resume", two)
    assert process.wait() == 0
    first = " ".join(process.out.split("done in")[0].split())
    assert f"{two} is finished, after epoch 2; --epochs sets another end" in first
    process = server.start("train", "--resume", two, "--epochs", 3)
    assert process.wait() == 0
    assert f"going on in {two} after epoch 2" in " ".join(process.out.split())


def test_without_a_checkpoint_there_is_nothing_to_compare(server, runs, two):
    """Broken otherwise: a run that was killed before its first checkpoint cannot be made longer."""
    for entry in two.iterdir():
        if entry.is_file() and entry.name != "config.json":  # what was kept is of that time
            entry.unlink()
    assert server.run("train", "--resume", two, "--epochs", 4, "--threads", 1) == (0, "")
    assert_equals_the_longer(two, runs[1])


def test_a_full_disk_keeps_the_end_that_was(server, two):
    """Broken otherwise: the new end is recorded without a run that knows of it, or half of it."""
    setup = """
from numpy_siamese.runs import run_directory
write = run_directory.write_atomically
def full(path, content):
    if path.name == "config.json":
        raise OSError(28, "No space left on device", str(path))
    write(path, content)
run_directory.write_atomically = full
"""
    argv = ("train", "--resume", two, "--epochs", 4)
    status, err = server.run(*argv, setup=setup)
    assert (status, err.count("\n")) == (2, 1)
    assert f"{two / 'config.json'}: No space left on device" in err
    assert epochs(two) == 2
    assert load_checkpoint(two / "checkpoint.safetensors").epoch == 2
    assert [name for name in os.listdir(two) if name.startswith(".")] == []


@pytest.mark.slow
def test_from_python_as_well(tmp_path, monkeypatch):
    """Broken otherwise: only the command line records the new end."""
    replace_pictures(monkeypatch)
    fake_run(tmp_path / "run", epochs=1).train()
    learner = FakeLearner()
    learner.batches = [()] * 3
    learner.load_state = lambda *_: None
    fake_run(tmp_path / "run", learner, resume=True, epochs=3).train()
    assert epochs(tmp_path / "run") == 3
    assert len(learner.batches) == 9
    with pytest.raises(InputError, match=r"--epochs 2: found epoch 3 done .* at least 3"):
        fake_run(tmp_path / "run", learner, resume=True, epochs=2)
