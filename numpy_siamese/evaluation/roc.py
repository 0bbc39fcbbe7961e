"""ROC: which errors a threshold makes, and which threshold to take.

A pair is called *same* when p > t, as in `verification`. So pairs of one probability always get
the same verdict. Of the weights w of different and of same pairs,

    FAR(t) = Σ w [p > t] / Σ w    over different pairs: falsely accepted as same
    FRR(t) = Σ w [p ≤ t] / Σ w    over same pairs: falsely rejected as different
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arguments
from numpy_siamese.evaluation._pairs import Pairs, of_both_kinds

Array = np.ndarray


class OperatingPoint(NamedTuple):
    """What the verdicts at one threshold are worth.

    Attributes
    ----------
    far : float
        False accept rate.
    frr : float
        False reject rate.
    accuracy : float
        The share of right verdicts.
    """

    far: float
    frr: float
    accuracy: float


class RocCurve(NamedTuple):
    """Both error rates at every threshold that matters.

    Attributes
    ----------
    thresholds : (K,) float64
        The probabilities that occur, falling, and −∞, above which is every pair.
    far : (K,) float64
        Rises from 0 to 1.
    frr : (K,) float64
        Falls from 1 to 0.
    share_same : float
        The share of same pairs among all, by weight.
    """

    thresholds: Array
    far: Array
    frr: Array
    share_same: float

    @property
    def auc(self) -> float:
        """The area under 1 − FRR over FAR, by trapezoids.

        That is the probability that a same pair has a higher p than a different one. A tie counts
        one half.

        References
        ----------
        Hanley & McNeil 1982, *The meaning and use of the area under a receiver operating
        characteristic (ROC) curve*.
        """
        return float(np.trapezoid(1 - self.frr, self.far))

    @property
    def equal_error_rate(self) -> float:
        """The rate at which FAR = FRR, between two thresholds on the straight line of the curve."""
        after = int(np.argmax(self.far >= self.frr))
        before = after - 1
        short, over = (abs(self.far[k] - self.frr[k]) for k in (before, after))
        step = self.far[after] - self.far[before]
        return float(self.far[before] + step * short / (short + over))

    @property
    def threshold_at_equal_error(self) -> float:
        """The threshold at which |FAR − FRR| is least, of several the largest.

        It is one of the probabilities that occur.
        """
        gaps = np.round(abs(self.far - self.frr), 12)  # rates of n pairs differ by 1/n² or more
        return float(self.thresholds[np.argmin(gaps)])

    def at(self, threshold: float) -> OperatingPoint:
        """Return FAR, FRR and accuracy where a pair is called same above `threshold`.

        Parameters
        ----------
        threshold : float

        Returns
        -------
        OperatingPoint

        Raises
        ------
        TypeError, ValueError
            A threshold that is no finite number.
        """
        threshold = _arguments.finite("threshold", threshold)
        # above t are the same pairs as above the highest probability that is at most t
        k = np.searchsorted(-self.thresholds, -threshold)
        far, frr = float(self.far[k]), float(self.frr[k])
        wrong = far * (1 - self.share_same) + frr * self.share_same
        return OperatingPoint(far, frr, 1 - wrong)

    def threshold_at_far(self, far: float) -> float:
        """Return the smallest threshold whose FAR is at most `far`.

        It is one of the probabilities that occur. With n different pairs, FAR is a multiple of 1/n.
        Below that the threshold is the highest probability of a different pair.

        Parameters
        ----------
        far : float, in [0, 1)

        Returns
        -------
        threshold : float

        Raises
        ------
        TypeError, ValueError
            `far` is no number in [0, 1).
        """
        far = _arguments.number("far", far)
        if not 0 <= far < 1:
            raise ValueError(f"far must be at least 0 and below 1, got {far}")
        return float(self.thresholds[np.flatnonzero(self.far <= far)[-1]])


def roc_curve(probs: Array, targets: npt.ArrayLike, weights: Array | None = None) -> RocCurve:
    """Return the ROC curve of pairs; scikit-learn counts.

    scikit-learn calls a pair same when p ≥ s. Above the next lower probability are the same pairs,
    so that is the threshold here.

    Parameters
    ----------
    probs : (N,) or (N, 1), in [0, 1]
    targets : as probs
        1 for same, 0 for different; both occur. Taken by position.
    weights : (N,), optional
        How often each pair counts; at least 0. Default: once.

    Returns
    -------
    RocCurve

    Raises
    ------
    TypeError, ValueError
        No such arrays. A kind of pair is missing, or has no weight.

    References
    ----------
    Fawcett 2006, *An introduction to ROC analysis*.

    Examples
    --------
    >>> import numpy as np
    >>> curve = roc_curve(np.array([0.1, 0.4, 0.35, 0.8]), [0, 0, 1, 1])
    >>> curve.auc
    0.75
    >>> curve.at(0.5)
    OperatingPoint(far=0.0, frr=0.5, accuracy=0.75)
    """
    return curve_of(of_both_kinds(probs, targets, weights))


def curve_of(pairs: Pairs) -> RocCurve:
    """Return the ROC curve of checked pairs of both kinds.

    Parameters
    ----------
    pairs : Pairs

    Returns
    -------
    RocCurve
    """
    import sklearn
    from sklearn import metrics

    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        far, accepted, at_least = metrics.roc_curve(
            pairs.same, pairs.probs, sample_weight=pairs.weights, drop_intermediate=False
        )
    share_same = float(np.average(pairs.same, weights=pairs.weights))
    return RocCurve(np.append(at_least[1:], -np.inf), far, 1 - accepted, share_same)
