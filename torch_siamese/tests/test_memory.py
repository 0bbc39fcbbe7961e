"""A batch that does not fit in a device's memory: the largest one that does is said."""

import re

import numpy as np
import pytest
import torch

from numpy_siamese.errors import InputError
from numpy_siamese.tests.support.commands import SMALL, assert_refused, end_of
from numpy_siamese.tests.support.tiny import split
from torch_siamese import cuda_graph
from torch_siamese.cli import main
from torch_siamese.config import TrainConfig
from torch_siamese.memory import largest_batch
from torch_siamese.tests.support.counting_device import CountingDevice
from torch_siamese.training import TorchLearner

IMAGES = split([4, 4]).images


@pytest.mark.parametrize("below", [1, 2, 3, 100, 8192])
@pytest.mark.parametrize("fits", [0, 1, 2, 60, 99, 8191])
def test_the_largest_batch_is_found_by_bisection(below, fits):
    """Broken otherwise: the batch that is said does not fit, or a larger one does."""
    asked = []

    def attempt(pairs):
        asked.append(pairs)
        if pairs > fits:
            raise MemoryError

    assert largest_batch(attempt, below) == min(fits, below - 1)
    assert len(asked) <= np.ceil(np.log2(below))


def test_another_failure_is_not_one_of_memory():
    """Broken otherwise: a mistake in a step is told as a batch that is too large."""
    with pytest.raises(ZeroDivisionError):
        largest_batch(lambda pairs: 1 / 0, 8)


def test_what_an_attempt_took_is_given_back(monkeypatch):
    """Broken otherwise: what a large attempt leaves behind makes smaller ones fail."""
    given_back = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: given_back.append(1))
    largest_batch(lambda pairs: None, 5)
    assert len(given_back) == 3


def batch(pairs):
    index = np.arange(pairs) % len(IMAGES)
    return index, index[::-1].copy(), np.ones((pairs, 1))


def learner(mode):
    return TorchLearner(TrainConfig(device="cuda", threads=1, mode=mode), IMAGES)


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "limit"), [("eager", 20), ("tuned", 20), ("graph", 60)])
def test_a_batch_that_does_not_fit_names_one_that_does(monkeypatch, mode, limit):
    """Broken otherwise: people halve the batch again and again until a run begins."""
    monkeypatch.setattr(cuda_graph, "MANY", 2)
    with CountingDevice(limit * 10**6) as device:
        own = learner(mode)
        with pytest.raises(InputError, match="--batch-size 64: found CUDA out of memory, ") as told:
            own.learn([batch(64)] * 5)
        fits = int(re.search(r"expected at most (\d+)$", str(told.value))[1])
        assert 1 < fits < 64
        assert own.learn([batch(1)] * 2)[0].shape == (2,), "the learner goes on"
        del own, told  # the error's frames know the learner
        learner(mode).learn([batch(fits)] * 5)
        with pytest.raises(InputError):
            learner(mode).learn([batch(2 * fits)] * 5)
        assert device.memory.peak <= limit * 10**6


def test_graphs_make_room_before_a_batch_is_looked_for(device):
    """Broken otherwise: attempts fail for what the failed batch's learner still holds."""
    own = learner("graph")
    own.learn([batch(4)] * 5)
    held = device.memory.held
    device.memory.limit = held + 10**6
    with pytest.raises(InputError, match="at most"):
        own.learn([batch(64)])
    assert device.memory.held < held / 2


def test_a_device_without_room_for_one_pair_says_so():
    """Broken otherwise: a batch of no pair is asked for."""
    with CountingDevice() as device:
        own = learner("eager")
        device.memory.limit = device.memory.held + 10**5
        with pytest.raises(InputError, match="expected more memory, for not one pair fits"):
            own.learn([batch(8)])


def test_memory_of_the_cpu_is_no_matter_of_the_batch(monkeypatch):
    """Broken otherwise: a CPU short of memory tries one batch after the other."""
    own = TorchLearner(TrainConfig(device="cpu", threads=1), IMAGES)

    def fail(batches):
        raise MemoryError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(own, "_learned", fail)
    with pytest.raises(MemoryError, match="DefaultCPUAllocator"):
        own.learn([batch(8)])


@pytest.mark.slow
@pytest.mark.usefixtures("no_pictures")
def test_train_says_in_one_line_which_batch_fits(data, tmp_path, capfd):
    """Broken otherwise: a run that cannot begin leaves a folder, or a traceback."""
    place = ["train", "--data", str(data), "--out", str(tmp_path / "run"), *SMALL, "--quiet"]
    argv = [*place, "--threads", "1", "--device", "cuda", "--mode", "tuned", "--batch-size"]
    with CountingDevice(20 * 10**6):
        assert end_of(main, [*argv, "100"]) == 2
        told = capfd.readouterr().err
        assert told.count("\n") == 1
        assert told.startswith("torch-siamese: error: --batch-size 100: found CUDA out of memory, ")
        fits = re.search(r"expected at most (\d+)\n$", told)[1]
        assert not (tmp_path / "run").exists()
        assert end_of(main, [*argv, fits]) == 0
    assert_refused(capfd, [*argv, fits], "found no CUDA device", main=main, program="torch-siamese")
