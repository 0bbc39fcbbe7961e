"""The learner is that of the package asked for, and torch's is on the CPU."""

import numpy as np

import numpy_siamese.training
import torch_siamese.training
from benchmarks.learners import cpu_config, new_learner


def test_each_package_has_its_own() -> None:
    """Broken otherwise: NumPy's memory is measured twice, or PyTorch's on a GPU."""
    images = np.zeros((2, 28, 28), np.uint8)
    ours = new_learner("numpy", cpu_config("numpy", threads=1), images)
    theirs = new_learner("torch", cpu_config("torch", threads=1), images)
    assert type(ours) is numpy_siamese.training.NumpyLearner
    assert type(theirs) is torch_siamese.training.TorchLearner
    assert theirs.device.type == "cpu"
    assert ours.threads == theirs.threads == 1
