"""A start that fails leaves no trace, so that the corrected command can follow."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest

from numpy_siamese.data.download import DOWNLOADS, fetch
from numpy_siamese.errors import InputError
from numpy_siamese.runs.run_directory import RunDirectory
from numpy_siamese.tests.support.commands import status
from numpy_siamese.tests.support.folders import contents, left_in
from numpy_siamese.tests.support.same_run import SMALL
from numpy_siamese.tests.support.tiny import FakeLearner, csv_folder, fake_run

FULL = """
from numpy_siamese.files import atomic_write as files
left = {count}
def full(folder):
    global left
    left -= 1
    if left == 0:
        raise OSError(28, "No space left on device")
files._sync_folder = full
"""
"""The disk is full once so many files are written."""

INTERRUPTED = "signal.raise_signal(signal.SIGINT)"

FAILURES = {
    "no memory for the weights": (
        "from numpy_siamese.training import NumpyLearner\n"
        "def fail(*_): raise MemoryError('too much')\n"
        "NumpyLearner.__init__ = fail",
        2,
    ),
    "the first file": (FULL.format(count=1), 2),
    "the second file": (FULL.format(count=2), 2),
    "the last file": (FULL.format(count=5), 2),
    "no memory for a picture": (
        "from numpy_siamese.pictures import plots\n"
        "def fail(*_): raise MemoryError('too much')\n"
        "plots.pair_grid = fail",
        2,
    ),
    "Ctrl-C in a picture": (
        "import signal\nfrom numpy_siamese.pictures import plots\n"
        f"plots.pair_grid = lambda *_: {INTERRUPTED}",
        130,
    ),
    "Ctrl-C in the first file": (
        f"import os, signal\nos.fsync = lambda _: {INTERRUPTED}",
        130,
    ),
    "Ctrl-C twice": (
        "import os, signal\nfrom numpy_siamese.runs import run_directory\n"
        "remove = run_directory.remove_empty\n"
        "def interrupted(folders):\n"
        f"    run_directory.remove_empty = remove; {INTERRUPTED}\n"
        f"run_directory.remove_empty = interrupted\nos.fsync = lambda _: {INTERRUPTED}",
        130,
    ),
    "nobody reads": (
        "import sys\n"
        "class Gone:\n"
        "    def write(self, _): raise BrokenPipeError(32, 'Broken pipe')\n"
        "    def flush(self): pass\n"
        "    def isatty(self): return False\n"
        "sys.stdout = Gone()",
        2,
    ),
    "no memory for the first batch": (
        "from numpy_siamese.training import NumpyLearner\n"
        "def fail(*_): raise MemoryError('too much')\n"
        "NumpyLearner.learn = fail",
        2,
    ),
    "Ctrl-C twice in the first batch": (
        "import signal\nfrom numpy_siamese.training import NumpyLearner\n"
        f"def fail(*_): {INTERRUPTED}; {INTERRUPTED}\n"
        "NumpyLearner.learn = fail",
        130,
    ),
    "a first batch that diverges": (
        "import numpy as np\nfrom numpy_siamese.training import NumpyLearner\n"
        "NumpyLearner.learn = lambda *_: (np.array([np.nan]), np.array([0.5]))",
        2,
    ),
}
"""What fails (a statement that makes it so) and the exit status."""


@pytest.mark.parametrize("existing", [[], ["a"], ["a", "a/b", "a/b/run"]], ids=len)
@pytest.mark.parametrize(("setup", "expected"), FAILURES.values(), ids=FAILURES)
def test_a_failed_start_leaves_nothing(server, twelve_images, tmp_path, setup, expected, existing):
    """Broken otherwise: a folder that was not there blocks the corrected command, or an empty one
    that a scheduler has made is gone.
    """
    for folder in existing:
        (tmp_path / folder).mkdir()
    out = tmp_path / "a" / "b" / "run"
    argv = ("train", "--data", twelve_images, "--out", out, *SMALL, "--threads", 1)
    status, err = server.run(*argv, setup=setup)
    assert status == expected, err
    assert err.count("\n") == 1
    assert "go on with" not in err
    assert "the last checkpoint" not in err
    assert left_in(tmp_path) == existing


def test_the_corrected_command_works(server, twelve_images, tmp_path):
    """Broken otherwise: the same, with what a user would do next."""
    argv = ("train", "--out", tmp_path / "new" / "run", *SMALL, "--threads", 1)
    (tmp_path / "bad").mkdir()
    bad = csv_folder(tmp_path / "bad", [3, 3, 1])
    assert server.run(*argv, "--data", bad)[0] == 2
    assert server.run(*argv, "--data", twelve_images, setup=FULL.format(count=4))[0] == 2
    assert server.run(*argv, "--data", twelve_images) == (0, "")


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError("too much"), OSError(5, "bad")])
def test_an_error_in_the_first_batch_leaves_nothing(tmp_path, error):
    """Broken otherwise: the same, for who trains from Python; and the error is another one."""
    run = fake_run(tmp_path / "a" / "run", FakeLearner(fails=error, at=0))
    assert (tmp_path / "a" / "run" / "config.json").exists()
    assert not run.is_kept
    with pytest.raises(type(error)) as caught:
        run.train()
    assert caught.value is error
    assert left_in(tmp_path) == []


@pytest.mark.usefixtures("no_pictures")
def test_what_others_have_put_there_stays(tmp_path):
    """Broken otherwise: a note, or another run beside it, is gone with a failed start."""

    class Noted(FakeLearner):
        def step(self, *_):
            (tmp_path / "runs" / "mine" / "notes.txt").write_text("precious")
            (tmp_path / "runs" / "other").mkdir()
            raise MemoryError("too much")

    run = fake_run(tmp_path / "runs" / "mine", Noted())
    with pytest.raises(MemoryError):
        run.train()
    assert left_in(tmp_path) == ["runs", "runs/mine", "runs/mine/notes.txt", "runs/other"]


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("at", [0, 1])
def test_a_run_that_goes_on_is_never_taken_back(tmp_path, at):
    """Broken otherwise: an error after --resume costs the run."""
    first = FakeLearner(fails=KeyboardInterrupt(), at=4)
    with pytest.raises(KeyboardInterrupt):
        fake_run(tmp_path / "run", first, window=1).train()
    before = left_in(tmp_path)
    failing = FakeLearner(fails=MemoryError("too much"), at=at)
    failing.load_state = lambda *_: None
    run = fake_run(tmp_path / "run", failing, resume=True, window=1)
    assert run.is_kept
    with pytest.raises(MemoryError):
        run.train()
    assert left_in(tmp_path) == before


@pytest.mark.usefixtures("no_pictures")
def test_a_run_that_goes_on_is_kept_before_its_first_batch_too(tmp_path):
    """Broken otherwise: the user is not told how to go on, and summary.json is of before."""
    fake_run(tmp_path / "run").directory.close()
    failing = FakeLearner(fails=MemoryError("too much"), at=0)
    failing.load_state = lambda *_: None
    run = fake_run(tmp_path / "run", failing, resume=True)
    assert run.is_kept
    with pytest.raises(MemoryError):
        run.train()
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (summary["finished"], summary["batches_done"]) == (False, 0)


@pytest.mark.usefixtures("no_pictures")
def test_a_resumption_that_fails_at_once_leaves_the_run(tmp_path, monkeypatch):
    """Broken otherwise: the same, where pictures cannot be drawn."""
    first = FakeLearner(fails=KeyboardInterrupt(), at=1)
    with pytest.raises(KeyboardInterrupt):
        fake_run(tmp_path / "run", first, checkpoint_every=1).train()
    before = contents(tmp_path / "run")

    def fail(*_):
        raise MemoryError("too much")

    monkeypatch.setattr("numpy_siamese.pictures.plots.pair_grid", fail)
    learner = FakeLearner()
    learner.load_state = lambda *_: None
    with pytest.raises(MemoryError):
        fake_run(tmp_path / "run", learner, resume=True, checkpoint_every=1)
    assert contents(tmp_path / "run") == before


@pytest.mark.parametrize("signals", [1, 2])
def test_a_first_ctrl_c_in_the_first_batch_keeps_it(server, begin, tmp_path, signals):
    """Broken otherwise: a batch that was trained is thrown away, or one that was not is kept."""
    setup = f"""
import signal
from numpy_siamese.training import NumpyLearner
learn = NumpyLearner.learn
def interrupted(self, batches):
    for _ in range({signals}):
        signal.raise_signal(signal.SIGINT)
    return learn(self, batches)
NumpyLearner.learn = interrupted
"""
    status, err = server.run(*begin(), setup=setup)
    assert status == 128 + signal.SIGINT
    if signals == 1:
        assert "saved after epoch 1, batch 1, go on with" in err
        summary = json.loads((tmp_path / "run" / "summary.json").read_text())
        assert summary["batches_done"] == 1
    else:
        assert err == "numpy-siamese: interrupted\n"
        assert left_in(tmp_path) == []


def test_a_folder_that_is_taken_stays_as_it_is(tmp_path):
    """Broken otherwise: two runs that start in one folder take each other's files away."""
    first = RunDirectory(tmp_path / "run")
    first.write_json("config.json", {})
    with pytest.raises(InputError, match="holds another run"):
        RunDirectory(tmp_path / "run")
    assert left_in(tmp_path) == ["run", "run/.lock", "run/config.json"]
    first.close()


@pytest.mark.parametrize("out", ["a/../b", "./a/b/", "a//b"])
def test_folders_by_another_name_are_taken_back(tmp_path, monkeypatch, out):
    """Broken otherwise: .. or // in a path leaves folders behind, or removes others."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    directory = RunDirectory(Path(out))
    directory.write_metrics("metrics.csv", [])
    directory.discard()
    assert left_in(tmp_path) == ["other"]
    directory.discard()  # a second time does nothing
    assert left_in(tmp_path) == ["other"]


# Flags, data and devices


@pytest.mark.parametrize(
    "flags",
    [
        ["--data", "mnsit"],
        ["--lr", "-1"],
        ["--resume", "nowhere"],
        ["--config", "nowhere"],
        ["--dtype", "float16"],
    ],
    ids=lambda flags: flags[0],
)
def test_what_can_be_refused_is_refused_first(capfd, tmp_path, monkeypatch, flags):
    """Broken otherwise: runs/NAME-TIME holds an empty run for every slip."""
    monkeypatch.chdir(tmp_path)
    assert status(["train", *flags]) == 2
    assert left_in(tmp_path) == []


def test_a_download_that_fails_leaves_no_folder(tmp_path):
    """Broken otherwise: the folder stands there as if it held the data."""
    with pytest.raises(InputError, match="no mirror gave"):
        fetch("mnist", tmp_path / "a" / "mnist", mirrors=["http://127.0.0.1:9/"])
    assert left_in(tmp_path) == []


def test_a_download_that_fails_keeps_what_came(tmp_path):
    """Broken otherwise: calling again cannot go on where it stopped."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    (folder / next(iter(DOWNLOADS["mnist"].checksums))).write_bytes(np.zeros(9).tobytes())
    before = left_in(tmp_path)
    with pytest.raises(InputError, match="no mirror gave"):
        fetch("mnist", folder, mirrors=["http://127.0.0.1:9/"])
    assert left_in(tmp_path) == before
