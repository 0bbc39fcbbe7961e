"""Learning rate and momentum of each step and layer, and the decay of an average of weights.

All are functions of the number of the step alone, in Python's numbers. So both packages compute the
same, and a run that goes on knows them without a memory.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

SCHEDULES = ("constant", "cosine", "koch")

WARM_UP = 0.05
"""The share of all steps in which the rate of `cosine` rises."""

KOCH_DECAY, KOCH_START = 0.99, 0.5
"""By what Koch's rate is multiplied after an epoch, and the momentum of its first epoch."""


@dataclass(frozen=True)
class Schedule:
    r"""The learning rate and the momentum of step t, counted from 0.

    With T steps in all, of which w = ⌊0.05·T⌋ warm up, and epochs e of E, counted from 0:

        constant    lr,                            μ
        cosine      lr·(t + 1)/(w + 1)             μ,  while t < w, and then
                    lr·(1 + cos(π·(t − w)/(T − w)))/2
        koch        lr·0.99ᵉ                       ½ + (μ − ½)·e/(E − 1)

    Koch's momentum rises from ½ in the first epoch to μ in the last. The paper does not say over
    which epochs it rises. A run of one epoch has μ.

    Parameters
    ----------
    kind : str
        One of `SCHEDULES`.
    epochs, batches : int
        Of the run, and of an epoch.

    Raises
    ------
    ValueError
        An unknown kind. A number below 1.

    References
    ----------
    Loshchilov and Hutter, "SGDR", 2017, for the cosine; Goyal et al. 2017 for the warm-up; Koch et
    al. 2015, section 3.2.
    """

    kind: str
    epochs: int
    batches: int

    def __post_init__(self) -> None:
        if self.kind not in SCHEDULES:
            raise ValueError(f"kind must be one of {', '.join(SCHEDULES)}, got {self.kind!r}")
        for name, value in (("epochs", self.epochs), ("batches", self.batches)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")

    def rate(self, lr: float, step: int) -> float:
        """Return the learning rate of a step."""
        if self.kind == "koch":
            return lr * KOCH_DECAY ** self._epoch(step)
        if self.kind == "constant":
            return lr
        steps = self.epochs * self.batches
        rising = int(WARM_UP * steps)
        if step < rising:
            return lr * (step + 1) / (rising + 1)
        return lr * (1 + math.cos(math.pi * (step - rising) / (steps - rising))) / 2

    def momentum(self, final: float, step: int) -> float:
        """Return the momentum of a step, given that of the last epoch."""
        if self.kind != "koch" or self.epochs == 1:
            return final
        return KOCH_START + (final - KOCH_START) * self._epoch(step) / (self.epochs - 1)

    def _epoch(self, step: int) -> int:
        return step // self.batches


class LayerFactors(NamedTuple):
    """By what the settings of SGD are multiplied for one layer."""

    lr: float = 1.0
    momentum: float = 1.0
    weight_decay: float = 1.0


OF_LAYERS: Mapping[str, Mapping[str, LayerFactors]] = MappingProxyType(
    {"koch": {"net.fc1": LayerFactors(lr=10, weight_decay=0.1)}}
)
"""Factors by model and layer. All other layers have the settings as they are.

Koch et al. search rate, momentum and penalty of each layer, and do not tell what they found. At the
start a step of one rate changes the weights of `net.fc1` by a thousandth of what it changes those
of convolutions, as shares of the weights: they are 20 times as large, and the sigmoid after them is
saturated. So their rate is the highest of the paper's range. Their penalty is smaller, as rate and
penalty together shrink weights.
"""


def sgd_settings(
    model: str, parameter: str, lr: float, momentum: float, weight_decay: float
) -> dict[str, float]:
    """Return the settings of SGD for a parameter of a model's network.

    Parameters
    ----------
    model : str
    parameter : str
        Its name in the state dict.
    lr, momentum, weight_decay : float
        As configured.

    Returns
    -------
    dict of "lr", "momentum", "weight_decay" → float

    Examples
    --------
    >>> sgd_settings("koch", "net.conv1.bias", 0.25, 0.5, 0.125)
    {'lr': 0.25, 'momentum': 0.5, 'weight_decay': 0.125}
    >>> sgd_settings("koch", "net.fc1.weight", 0.25, 0.5, 0.0)["lr"]
    2.5
    """
    layer, _, _ = parameter.rpartition(".")
    of_layer = OF_LAYERS.get(model, {}).get(layer, LayerFactors())
    given = LayerFactors(lr, momentum, weight_decay)
    return {
        name: value * factor
        for name, value, factor in zip(LayerFactors._fields, given, of_layer, strict=True)
    }
