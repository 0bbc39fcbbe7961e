"""The rule of update that a run's configuration asks for; the twin of `numpy_siamese`'s."""

import itertools
from collections.abc import Mapping
from typing import Any

from torch import nn

from numpy_siamese.rates import sgd_settings
from torch_siamese.config import TrainConfig
from torch_siamese.optim.adam import AdamW
from torch_siamese.optim.sgd import SGD


def optimizer_of(
    config: TrainConfig, parameters: Mapping[str, nn.Parameter], fused: bool
) -> SGD | AdamW:
    """Return SGD, or Adam with a decay beside the gradient.

    Parameters
    ----------
    config : TrainConfig
        SGD has the settings of each layer that suit the model.
    parameters : mapping of name → parameter
    fused : bool
        Whether one kernel of SGD updates all parameters. Adam's always does.
    """
    if config.optimizer == "adam":
        return AdamW([*parameters.values()], config.lr, config.weight_decay)
    common = config.lr, config.momentum, config.weight_decay

    def settings(name: str) -> dict[str, float]:
        return sgd_settings(config.model, name, *common)

    groups: list[dict[str, Any]] = [
        {"params": [parameters[name] for name in names], **settings(names[0])}
        for _, alike in itertools.groupby(parameters, settings)
        for names in [[*alike]]
    ]
    return SGD(groups, config.lr, config.momentum, fused)
