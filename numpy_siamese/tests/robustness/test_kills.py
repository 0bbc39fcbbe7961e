"""A run that was killed and goes on is the run that would have been, bit for bit."""

import json
import random
import signal

import pytest

from numpy_siamese.tests.support.same_run import SMALL, WRITTEN, assert_same_run
from numpy_siamese.tests.support.signals import kill_in_writing

MOMENTS = 25
MANY_MICRO_BATCHES = "from numpy_siamese import training; training.MICRO_BATCH = 2"
"""So that threads matter in batches of five pairs."""


@pytest.fixture(scope="module")
def whole(server, twelve_images, tmp_path_factory):
    """The run that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole") / "run"
    argv = ("train", "--data", twelve_images, "--out", out, *SMALL, "--threads", 1)
    assert server.run(*argv, setup=MANY_MICRO_BATCHES) == (0, "")
    return out


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_run_killed_at_any_moment_goes_on_bit_for_bit(
    server, twelve_images, whole, tmp_path, moment
):
    """Broken otherwise: what was reported as saved is lost, or going on gives another run.

    Every second moment is one of the clock; the others are in the writing of a file. Threads vary.
    """
    dice = random.Random(moment)
    out, setup = tmp_path / "run", MANY_MICRO_BATCHES
    place = ("--data", twelve_images, "--out", out)
    begin = ("train", *place, *SMALL, "--threads", dice.choice([1, 2]))
    if moment % 2:
        step = dice.choice(["half", "unsynced", "unnamed", "renamed"])
        killing = kill_in_writing(dice.randint(1, WRITTEN), step)
        assert server.run(*begin, setup=setup + killing) == (-signal.SIGKILL, "")
    else:
        length = json.loads((whole / "summary.json").read_text())["seconds"]
        process = server.start(*begin, setup=setup)
        # a faster machine may be done
        assert process.kill_after(dice.uniform(0, length)) in (-signal.SIGKILL, 0)
        assert process.err == ""
    if (out / "config.json").exists():
        again = ("train", "--resume", out, "--threads", dice.choice([1, 2, 4]))
    else:  # killed before there was a run
        again = begin
    assert server.run(*again, setup=setup) == (0, "")
    assert_same_run(out, whole)
