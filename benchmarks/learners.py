"""The learner of either package, on the CPU, in a process that imports no more than it needs."""

from typing import Any

import numpy as np

from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.learner import Learner


def cpu_config(package: str, **settings: Any) -> TrainConfig:
    """Return a configuration of the package, 'numpy' or 'torch'."""
    if package == "numpy":
        return TrainConfig(**settings)
    from torch_siamese.config import TrainConfig as TorchTrainConfig

    return TorchTrainConfig(device="cpu", **settings)


def new_learner(package: str, config: Any, images: np.ndarray) -> Learner:
    """Return the package's learner."""
    if package == "numpy":
        from numpy_siamese.training import NumpyLearner

        return NumpyLearner(config, images)
    from torch_siamese.training import TorchLearner

    return TorchLearner(config, images)
