"""Learning rate and momentum of each step, and the decay of an average of weights.

All are functions of the number of the step alone, in Python's numbers. So both packages compute the
same, and a run that goes on knows them without a memory.
"""

import math
from dataclasses import dataclass

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


def decay_of_average(decay: float, step: int) -> float:
    """Return how much of an average of weights stays at step t: min(decay, (1 + t)/(10 + t)).

    So a young average forgets the initial weights soon.

    Parameters
    ----------
    decay : float
    step : int
        Counted from 0.

    References
    ----------
    `tf.train.ExponentialMovingAverage`, `num_updates`.
    """
    return min(decay, (1 + step) / (10 + step))
