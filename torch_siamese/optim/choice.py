"""The rule of update that a run's configuration asks for; the twin of `numpy_siamese`'s."""

from collections.abc import Sequence

from torch import nn

from torch_siamese.config import TrainConfig
from torch_siamese.optim.adam import AdamW
from torch_siamese.optim.sgd import SGD


def optimizer_of(
    config: TrainConfig, parameters: Sequence[nn.Parameter], fused: bool
) -> SGD | AdamW:
    """Return SGD, or Adam with a decay beside the gradient.

    Parameters
    ----------
    config : TrainConfig
    parameters : sequence of parameters
    fused : bool
        Whether one kernel of SGD updates all parameters. Adam's always does.
    """
    if config.optimizer == "adam":
        return AdamW(parameters, config.lr, config.weight_decay)
    return SGD(parameters, config.lr, config.momentum, fused, config.weight_decay)
