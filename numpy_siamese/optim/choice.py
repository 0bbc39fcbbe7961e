"""The rule of update that a run's configuration asks for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from numpy_siamese.optim.adam import AdamW
from numpy_siamese.optim.optimizer import Optimizer
from numpy_siamese.optim.sgd import SGD
from numpy_siamese.rates import sgd_settings

if TYPE_CHECKING:
    from numpy_siamese.runs.config import TrainConfig


def optimizer_of(config: "TrainConfig", parameters: Mapping[str, np.ndarray]) -> Optimizer:
    """Return SGD, or Adam with a decay beside the gradient.

    Parameters
    ----------
    config : TrainConfig
        SGD has the settings of each layer that suit the model.
    parameters : dict of name → array of float32 or float64

    Returns
    -------
    Optimizer
    """
    if config.optimizer == "adam":
        return AdamW(parameters, config.lr, weight_decay=config.weight_decay)
    common = config.lr, config.momentum, config.weight_decay
    groups = {name: sgd_settings(config.model, name, *common) for name in parameters}
    return SGD(parameters, config.lr, groups=groups)
