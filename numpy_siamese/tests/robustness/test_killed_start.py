"""A start that was killed leaves a folder that the corrected command takes, and no other."""

import json
import signal

import pytest

from numpy_siamese.errors import InputError
from numpy_siamese.runs.run_directory import RunDirectory
from numpy_siamese.tests.support.folders import contents
from numpy_siamese.tests.support.same_run import SMALL
from numpy_siamese.tests.support.signals import kill_in_writing
from numpy_siamese.tests.support.tiny import fake_run

KILLED = {
    "in the first batch": """
import os, signal
from numpy_siamese.training import NumpyLearner
NumpyLearner.learn = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
""",
    **{f"in file {count}": kill_in_writing(count, "half") for count in (1, 4, 5, 6)},
}


@pytest.mark.parametrize("setup", KILLED.values(), ids=KILLED)
def test_a_start_that_was_killed_does_not_block_the_corrected_command(
    server, twelve_images, tmp_path, setup
):
    """Broken otherwise: after the system has killed a run for its memory, the same command with a
    smaller batch is refused.
    """
    argv = ("train", "--data", twelve_images, "--out", tmp_path / "run", *SMALL, "--threads", 1)
    assert server.run(*argv, setup=setup) == (-signal.SIGKILL, "")
    assert server.run(*argv, "--batch-size", 4) == (0, "")
    assert json.loads((tmp_path / "run" / "config.json").read_text())["batch_size"] == 4


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(
    "change", ["note", "kept", "trained", "rows", "damaged", "no lock", "at work"]
)
def test_what_is_more_than_a_start_is_not_taken(tmp_path, monkeypatch, change):
    """Broken otherwise: a new run takes the place of one that has trained, or somebody's file."""
    out = tmp_path / "run"
    run = fake_run(out, keep_checkpoints=True)
    if change == "note":
        (out / "notes.txt").write_text("precious")
    elif change == "kept":
        (out / "checkpoints" / "batch-000001.safetensors").write_bytes(b"of a batch")
    elif change == "trained":
        run._learn(0, range(1))
        run._save()
    elif change == "rows":
        with open(out / "metrics.csv", "a") as file:
            file.write("1,100,0.5,0.5,9.0\n")
    elif change == "damaged":
        (out / "checkpoint.safetensors").write_bytes(b"half")
    elif change == "no lock":
        monkeypatch.setattr("numpy_siamese.files.lock.IS_KEPT", False)
    if change != "at work":
        run.directory.close()
    before = contents(tmp_path / "run")
    expected = "is writing to it" if change == "at work" else "holds"
    with pytest.raises(InputError, match=expected):
        RunDirectory(out)
    assert contents(tmp_path / "run") == before
    run.directory.close()
