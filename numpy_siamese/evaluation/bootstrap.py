"""Bootstrap over images: how far a figure would move with other images of the same kind.

Pairs share images, so they are not independent. What is drawn anew is therefore the images. Of the
n images that occur in pairs, n are drawn with replacement. Image i then occurs mᵢ times. The pairs
of the resample are those of all its copies:

    w(i, j) = mᵢ·mⱼ    for two images: each copy of i meets each copy of j
    w(i, i) = mᵢ       for an image with itself: each copy meets itself

A pair of two copies of one image is no pair of the data and does not occur. A pair that is listed
twice counts twice. A measure takes these weights in place of a longer list of pairs.

The intervals are cautious where images have few pairs. Let e be a pair's distance from the mean of
N pairs. The variance of the mean is about

    (Σ e_p e_q + 3 Σ e_p²) / N²    the first sum over ordered pairs p ≠ q that share an image

because E[(mᵢmⱼ)²] − 1 is 3, where 1 would be right. If no two pairs share an image, the interval is
√3 times too long. With many pairs an image the first sum outweighs the second.

The interval is [v + q₁ − m, v + q₂ − m] about the value v of all pairs. Here q₁ and q₂ are
percentiles of the resampled figures, and m is their mean. m − v is the bootstrap's estimate of the
bias. It is small for most figures. An expected calibration error grows with the noise, so that its
percentiles alone often lie above v.

References
----------
Owen 2007, *The pigeonhole bootstrap*. Snijders & Borgatti 1999, *Non-parametric standard errors and
tests for network statistics*. Efron & Tibshirani 1993, *An introduction to the bootstrap*: chapter
10 for the bias, 13 for the percentiles.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arguments, _arrays

Array = np.ndarray

STREAM = 4
"""The last word of the random numbers' counter; `data` has the lower ones."""


class Interval(NamedTuple):
    """The ends of a confidence interval, of one figure or of an array of them.

    Attributes
    ----------
    low, high : array like the figure
    """

    low: Array
    high: Array


def multiplicities(n: int, seed: int, resample: int, attempt: int = 0) -> Array:
    """Return how often each of n images is drawn in a resample.

    A pure function of its arguments, by a counter-based generator (Philox).

    Parameters
    ----------
    n : int
        Images, at least one.
    seed : int
        Taken modulo 2¹²⁸.
    resample, attempt : int
        From 0 up.

    Returns
    -------
    counts : (n,) int64
        Of sum n.

    Raises
    ------
    TypeError, ValueError
        No such numbers: an image at least, the others from 0 up; the seed any int, modulo 2¹²⁸.
    """
    n = _arguments.count("n", n, 1)
    seed = _arguments.integer("seed", seed)
    resample = _arguments.count("resample", resample, 0)
    attempt = _arguments.count("attempt", attempt, 0)
    stream = np.random.Philox(key=seed % 2**128, counter=[0, attempt, resample, STREAM])
    drawn = (np.random.Generator(stream).random(n) * n).astype(np.int64)  # (n,) in 0..n−1
    return np.bincount(drawn, minlength=n)


def pair_weights(counts: Array, left_index: Array, right_index: Array) -> Array:
    """Return how often each pair occurs where image i occurs counts[i] times.

    Parameters
    ----------
    counts : (n,) int64
    left_index, right_index : (N,) int64, each from 0 to n − 1

    Returns
    -------
    weights : (N,) float64
    """
    left, right = counts[left_index], counts[right_index]
    return np.where(left_index == right_index, left, left * right).astype(np.float64)


def bootstrap_interval(
    measure: Callable[[Array], npt.ArrayLike],
    targets: npt.ArrayLike,
    left_index: npt.ArrayLike,
    right_index: npt.ArrayLike,
    n_images: int,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    progress: Callable[[float], None] | None = None,
) -> Interval:
    """Return the interval of figures about their values, by bootstrap over images.

    Parameters
    ----------
    measure : callable
        Takes the weights of the pairs, (N,) float64, and returns one figure or an array of them.
    targets : (N,) or (N, 1)
        1 for same, 0 for different. A resample without weight for a kind that occurs is drawn anew.
        Taken by position.
    left_index, right_index : (N,) integers
        The images of each pair. Taken by position.
    n_images : int
        What the indices count: each is from 0 to n_images − 1. Images in no pair are not drawn.
    resamples : int
    seed : int
        Taken modulo 2¹²⁸.
    level : float
        The share of the resamples between the two percentiles.
    progress : callable, optional
        Is told after each resample which share of them is done.

    Returns
    -------
    Interval
        Its ends are like what `measure` returns.

    Raises
    ------
    TypeError, ValueError, IndexError
        No such arrays or numbers.
    """
    n_images = _arguments.count("n_images", n_images, 1)
    resamples = _arguments.count("resamples", resamples, 1)
    level = _arguments.number("level", level)
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    left = _arrays.index("left_index", left_index, n_images)
    right = _arrays.index("right_index", right_index, n_images)
    same = _arrays.real("targets", targets, np.float64).ravel() == 1
    _arguments.same_shape(left_index=left, right_index=right, targets=same)
    if same.size == 0:
        raise ValueError("targets must hold at least one pair")
    kinds = [kind for kind in (same, ~same) if kind.any()]
    images, place = np.unique([left, right], return_inverse=True)
    left, right = place.reshape(2, -1)  # (N,) in 0..n−1
    n = len(images)

    def figures(resample: int) -> npt.ArrayLike:
        attempt = 0
        while True:
            weights = pair_weights(multiplicities(n, seed, resample, attempt), left, right)
            if all(weights[kind].any() for kind in kinds):
                return measure(weights)
            attempt += 1

    drawn = []
    for resample in range(resamples):
        drawn.append(figures(resample))
        if progress is not None:
            progress((resample + 1) / resamples)
    resampled = np.array(drawn)
    tail = (1 - level) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail], axis=0)
    shift = np.asarray(measure(np.ones(same.size))) - resampled.mean(axis=0)
    return Interval(low + shift, high + shift)
