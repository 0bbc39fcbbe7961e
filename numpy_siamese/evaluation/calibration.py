"""Calibration: whether a probability of 0.8 means that 8 of 10 pairs are of the same class."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arguments
from numpy_siamese.evaluation._pairs import Pairs, checked

Array = np.ndarray

BINS = 10
"""Bins of equal width. With an even number 0.5 is an edge, so a bin holds one verdict."""


class ReliabilityTable(NamedTuple):
    """What is predicted and what is true, in bins of the probability.

    Attributes
    ----------
    edges : (B + 1,) float64
        Bin b is (edges[b], edges[b + 1]]; the first also has 0.
    weights : (B,) float64
        The sum of the weights of its pairs: without weights, their number.
    mean_prob : (B,) float64
        Their mean probability; NaN in an empty bin.
    share_same : (B,) float64
        The share of them that is of the same class; NaN in an empty bin.
    """

    edges: Array
    weights: Array
    mean_prob: Array
    share_same: Array

    @property
    def expected_calibration_error(self) -> float:
        """Σ_b w_b |share_same_b − mean_prob_b| / Σ_b w_b.

        It is biased upwards: also of a calibrated network a bin's share is off by chance. The fewer
        pairs, the more.

        References
        ----------
        Naeini, Cooper & Hauskrecht 2015, *Obtaining well calibrated probabilities using Bayesian
        binning*. Guo, Pleiss, Sun & Weinberger 2017, *On calibration of modern neural networks*,
        for the edges.
        """
        filled = self.weights > 0
        gaps = abs(self.share_same - self.mean_prob)[filled]
        return float(np.average(gaps, weights=self.weights[filled]))


def brier_score(probs: Array, targets: npt.ArrayLike, weights: Array | None = None) -> float:
    """Return the mean squared error of the probabilities, Σ w (p − target)² / Σ w.

    Parameters
    ----------
    probs : (N,) or (N, 1), in [0, 1]
    targets : as probs
        1 for same, 0 for different. Taken by position.
    weights : (N,), optional
        How often each pair counts; at least 0. Default: once.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        No such arrays.

    References
    ----------
    Brier 1950, *Verification of forecasts expressed in terms of probability*.
    """
    return brier_score_of(checked(probs, targets, weights))


def reliability_table(
    probs: Array, targets: npt.ArrayLike, weights: Array | None = None, bins: int = BINS
) -> ReliabilityTable:
    """Return the table of a reliability diagram.

    The bins are those of scikit-learn's `calibration_curve`, which takes no weights.

    Parameters
    ----------
    probs, targets, weights
        As in `brier_score`.
    bins : int
        The number B of bins of equal width, at least 1.

    Returns
    -------
    ReliabilityTable

    Raises
    ------
    TypeError, ValueError
        No such arrays or number.
    """
    bins = _arguments.count("bins", bins, 1)
    return reliability_table_of(checked(probs, targets, weights), bins)


def brier_score_of(pairs: Pairs) -> float:
    """Return the Brier score of checked pairs.

    Parameters
    ----------
    pairs : Pairs

    Returns
    -------
    float
    """
    return float(np.average((pairs.probs - pairs.same) ** 2, weights=pairs.weights))


def reliability_table_of(pairs: Pairs, bins: int = BINS) -> ReliabilityTable:
    """Return the reliability table of checked pairs.

    Parameters
    ----------
    pairs : Pairs
    bins : int
        The number of bins of equal width, at least 1.

    Returns
    -------
    ReliabilityTable
    """
    edges = np.linspace(0, 1, bins + 1)
    place = np.searchsorted(edges[1:-1], pairs.probs)  # (N,) in 0..B−1

    def total(values: Array) -> Array:
        return np.bincount(place, values, minlength=bins)  # (B,)

    weights = total(pairs.weights)
    count = np.where(weights > 0, weights, np.nan)
    mean_prob = total(pairs.weights * pairs.probs) / count
    share_same = total(pairs.weights * pairs.same) / count
    return ReliabilityTable(edges, weights, mean_prob, share_same)
