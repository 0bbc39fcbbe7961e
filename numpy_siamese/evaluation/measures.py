"""Measures of pairs: all figures of verification together, each with its interval."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arguments, _arrays
from numpy_siamese.evaluation._pairs import Pairs, of_both_kinds
from numpy_siamese.evaluation.bootstrap import bootstrap_interval
from numpy_siamese.evaluation.calibration import brier_score_of, reliability_table_of
from numpy_siamese.evaluation.roc import curve_of
from numpy_siamese.evaluation.verification import THRESHOLD

Array = np.ndarray

FAR_LEVELS = (0.01, 0.001)
"""The false accept rates that thresholds are given for."""


def pair_measures(
    probs: Array,
    targets: npt.ArrayLike,
    left_index: npt.ArrayLike,
    right_index: npt.ArrayLike,
    n_images: int,
    validation_probs: Array,
    validation_targets: npt.ArrayLike,
    resamples: int = 1000,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Return what a network's verdicts on test pairs are worth, with 95 % intervals.

    Thresholds are chosen on validation pairs, whose images should be in no test pair, and applied
    to the test pairs. The intervals are those of `bootstrap`, over the test images, cut off at 0
    and 1. The thresholds stay the same in them. A rate of 0 has the interval [0, 0], as every
    resample has that rate.

    Parameters
    ----------
    probs : (N,) or (N, 1), in [0, 1]
        Of the test pairs.
    targets : as probs
        1 for same, 0 for different; both occur. Taken by position.
    left_index, right_index : (N,) integers
        The images of each test pair. Taken by position.
    n_images : int
        What the indices count: each is from 0 to n_images − 1.
    validation_probs, validation_targets
        The same of the validation pairs.
    resamples : int
    seed : int
    progress : callable, optional
        As in `bootstrap_interval`.

    Returns
    -------
    dict
        For JSON. A figure is {"value", "low", "high"}.

        - pairs, validation_pairs : int
        - accuracy : figure, at the threshold 0.5
        - roc_auc, eer, brier, ece : figures
        - threshold : float, of equal error rates on the validation pairs
        - accuracy_at_threshold, far, frr : figures, at this threshold
        - at_far : list of {"target", "threshold", "far", "frr"}, for each false accept rate of
          `FAR_LEVELS`. The threshold is the smallest with at most that rate on the validation
          pairs. The figures at it are those of the test pairs.

    Raises
    ------
    TypeError, ValueError, IndexError
        No such arrays or numbers. A kind of pair is missing.
    """
    probs, validation_probs = _arrays.floats(probs=probs, validation_probs=validation_probs)
    validation = curve_of(of_both_kinds(validation_probs, validation_targets, prefix="validation_"))
    threshold = validation.threshold_at_equal_error
    at_levels = {level: validation.threshold_at_far(level) for level in FAR_LEVELS}
    pairs = of_both_kinds(probs, targets)
    n = _arguments.count("n_images", n_images, 1)
    left = _arrays.index("left_index", left_index, n)
    right = _arrays.index("right_index", right_index, n)
    _arguments.same_shape(left_index=left, right_index=right, probs=pairs.probs)

    falling = np.argsort(-pairs.probs, kind="stable")  # so no resample needs sorting
    pairs = Pairs(*(part[falling] for part in pairs))
    values = _figures(pairs, threshold, at_levels)
    low, high = bootstrap_interval(
        lambda weights: list(_figures(pairs.weighted(weights), threshold, at_levels).values()),
        pairs.same,
        left[falling],
        right[falling],
        n,
        resamples,
        seed,
        progress=progress,
    )
    low, high = (np.clip(end, 0, 1).tolist() for end in (low, high))
    figures = {
        name: {"value": value, "low": low[k], "high": high[k]}
        for k, (name, value) in enumerate(values.items())
    }
    at_far = [
        {
            "target": level,
            "threshold": chosen,
            "far": figures.pop(f"far at {level}"),
            "frr": figures.pop(f"frr at {level}"),
        }
        for level, chosen in at_levels.items()
    ]
    return {
        "pairs": len(pairs.probs),
        "validation_pairs": validation_probs.size,
        "threshold": threshold,
        **figures,
        "at_far": at_far,
    }


def _figures(pairs: Pairs, threshold: float, at_levels: dict[float, float]) -> dict[str, float]:
    curve = curve_of(pairs)
    chosen = curve.at(threshold)
    figures = {
        "accuracy": curve.at(THRESHOLD).accuracy,
        "roc_auc": curve.auc,
        "eer": curve.equal_error_rate,
        "brier": brier_score_of(pairs),
        "ece": reliability_table_of(pairs).expected_calibration_error,
        "accuracy_at_threshold": chosen.accuracy,
        "far": chosen.far,
        "frr": chosen.frr,
    }
    for level, other in at_levels.items():
        point = curve.at(other)
        figures |= {f"far at {level}": point.far, f"frr at {level}": point.frr}
    return figures
