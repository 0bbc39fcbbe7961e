"""Ratios of medians, with what the rounds tell of their spread."""

from dataclasses import dataclass

import numpy as np

RESAMPLES, CONFIDENCE = 2000, 0.99
"""Of the bootstrap."""

ENOUGH = 8
"""Rounds from which on such an interval can hold: a median lies outside the range of n values with
a probability of 2·½ⁿ, which is below 1 % from 8 on."""


@dataclass(frozen=True)
class Ratio:
    """A ratio of medians with its bootstrap confidence interval, and of how many rounds it is."""

    value: float
    low: float
    high: float
    rounds: int

    @property
    def of_few(self) -> bool:
        """Whether the rounds are too few for the interval to hold what it promises."""
        return self.rounds < ENOUGH

    def __str__(self) -> str:
        few = f", {self.rounds} rounds" if self.of_few else ""
        return f"{self.value:.2f}× ({self.low:.2f} to {self.high:.2f}{few})"


def paired(above: list[float], below: list[float]) -> Ratio:
    """Return the ratio of two jobs of the same rounds, which share the machine's pace.

    Whole rounds are drawn: where a slow round is slow for both, the ratio hardly varies.
    """
    rounds = _draws(np.random.default_rng(0), len(above))
    return _ratio(above, below, rounds, rounds)


def unpaired(above: list[float], below: list[float]) -> Ratio:
    """Return the ratio of two jobs that ran at different times, each drawn for itself.

    Rounds of one time share the machine's pace, which the interval does not know of: it tells that
    the medians differ, not why.
    """
    rng = np.random.default_rng(0)
    return _ratio(above, below, _draws(rng, len(above)), _draws(rng, len(below)))


def _draws(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return resamples of so many rounds: (RESAMPLES, count)."""
    return rng.integers(count, size=(RESAMPLES, count))


def _ratio(
    above: list[float], below: list[float], draws_above: np.ndarray, draws_below: np.ndarray
) -> Ratio:
    medians = [
        np.median(np.asarray(samples)[draws], axis=1)
        for samples, draws in ((above, draws_above), (below, draws_below))
    ]
    low, high = np.quantile(medians[0] / medians[1], [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    value, rounds = float(np.median(above) / np.median(below)), min(len(above), len(below))
    return Ratio(value, float(low), float(high), rounds)
