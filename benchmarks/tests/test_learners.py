"""The learner is that of the package asked for, and torch's is on the CPU."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import numpy_siamese.training
import torch_siamese.training
from benchmarks.learners import cpu_config, learned, new_learner
from numpy_siamese.errors import InputError


def test_each_package_has_its_own() -> None:
    """Broken otherwise: NumPy's memory is measured twice, or PyTorch's on a GPU."""
    images = np.zeros((2, 28, 28), np.uint8)
    ours = new_learner("numpy", cpu_config("numpy", threads=1), images)
    theirs = new_learner("torch", cpu_config("torch", threads=1), images)
    assert type(ours) is numpy_siamese.training.NumpyLearner
    assert type(theirs) is torch_siamese.training.TorchLearner
    assert theirs.device.type == "cpu"
    assert ours.threads == theirs.threads == 1


def test_a_batch_that_is_too_large_is_a_lack_of_memory() -> None:
    """Broken otherwise: the whole benchmark ends, for `torch_siamese` blames the user's flag."""

    def learn(batches: Any) -> Any:
        if batches == ["too many"]:
            raise InputError("--batch-size 9: found CUDA out of memory, expected at most 7")
        return np.array([0.5]), np.array([1.0])

    learner = SimpleNamespace(learn=learn)
    assert learned(learner, ["few"]).tolist() == [0.5]
    with pytest.raises(MemoryError, match=r"expected at most 7$"):
        learned(learner, ["too many"])
