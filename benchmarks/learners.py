"""The learner of either package, in a process that imports no more than it needs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from numpy_siamese.errors import InputError
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.learner import Learner, Pairs


def cpu_config(package: str, **settings: Any) -> TrainConfig:
    """Return a configuration of the package, 'numpy' or 'torch', on the CPU."""
    return TrainConfig(**settings) if package == "numpy" else torch_config("cpu", **settings)


def torch_config(device: str, **settings: Any) -> TrainConfig:
    """Return a configuration of `torch_siamese` on a device, with its mode and precision."""
    from torch_siamese.config import TrainConfig as TorchTrainConfig

    return TorchTrainConfig(device=device, **settings)


def learned(learner: Any, batches: Sequence[Pairs]) -> np.ndarray:
    """Let a learner learn; return the losses.

    Raises
    ------
    MemoryError
        A device's memory does not suffice. The message says for how many pairs it does.
    """
    try:
        losses, _ = learner.learn(batches)
    except InputError as error:  # torch_siamese has looked for the largest batch that fits
        raise MemoryError(str(error)) from error
    return losses


def new_learner(package: str, config: Any, images: np.ndarray) -> Learner:
    """Return the package's learner."""
    if package == "numpy":
        from numpy_siamese.training import NumpyLearner

        return NumpyLearner(config, images)
    from torch_siamese.training import TorchLearner

    return TorchLearner(config, images)
