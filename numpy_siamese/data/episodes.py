"""Episodes: N-way K-shot tasks, in which a query image is assigned to one of N classes.

Of each class K support images are given. The query is another image of one of the classes. The
share of right assignments is how the field compares networks that learn from few examples.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arguments
from numpy_siamese.data.pairs import checked_labels

Array = np.ndarray

EPISODES = 2000
"""How many are drawn by default: drawing no more leaves ±2.2 points of an accuracy at most."""

WAYS = (2, 5, 10)
"""The classes of an episode, as the field reports them."""

SHOTS = (1, 5)
"""The support images of a class, as the field reports them."""

STREAM = 5
"""The last word of the random numbers' counter. Pairs and the bootstrap have the lower ones."""


class Episodes(NamedTuple):
    """E tasks of N ways and K shots, as indices into the images.

    Attributes
    ----------
    query : (E,) int64
        The image to assign.
    support : (E, N, K) int64
        The images that are known, K of each of N classes. The query is none of them.
    position : (E,) int64
        Which of the N classes is the query's: support[e, position[e]].
    """

    query: Array
    support: Array
    position: Array


def draw_episodes(
    labels: npt.ArrayLike, ways: int, shots: int, episodes: int = EPISODES, seed: int = 0
) -> Episodes:
    """Draw N-way K-shot episodes.

    The N classes of an episode are distinct and in random order, each choice equally likely. The
    true class stands at a uniform position. So no score that merely prefers a position, or the
    first of equals, is above chance. Of each class K + 1 distinct images are drawn uniformly. The
    last of the true class is the query.

    Episodes are independent of each other. They are a pure function of labels, ways, shots and
    seed, by a counter-based generator (Philox). More of them begin with the same ones.

    Every class takes part. One with too few images is refused and not left out, as the task would
    be another one without it.

    Parameters
    ----------
    labels : (n,) integers, whole numbers, bools or strings
        The class of each image. Taken by position.
    ways : int
        N, from 2 to the number of classes.
    shots : int
        K, at least 1 and below the images of every class.
    episodes : int
        E, at least 1.
    seed : int
        Taken modulo 2¹²⁸.

    Returns
    -------
    Episodes

    Raises
    ------
    TypeError
        No such labels or numbers.
    ValueError
        No such labels or numbers. More ways than classes. A class of fewer than K + 1 images.

    References
    ----------
    Vinyals et al. 2016, *Matching networks for one shot learning*.
    """
    N, K = _arguments.count("ways", ways, 2), _arguments.count("shots", shots, 1)
    E, seed = _arguments.count("episodes", episodes, 1), _arguments.integer("seed", seed)
    labels = checked_labels(labels)
    classes, counts = np.unique(labels, return_counts=True)
    C = len(classes)
    if N > C:
        raise ValueError(f"ways must be at most the {C} classes of labels, got {N}")
    _enough(classes, counts, K)
    order = np.argsort(labels, kind="stable")  # image numbers, class after class
    starts = np.cumsum(counts) - counts

    stream = np.random.Philox(key=seed % 2**128, counter=[0, N, K, STREAM])
    # a row for each episode, so that more episodes begin with the same ones
    unit = np.random.Generator(stream).random((E, 1 + C + N * (K + 1)))
    position = (unit[:, 0] * N).astype(np.int64)  # as in `PairSampler`, exact to 2⁻⁵³
    chosen = np.argsort(unit[:, 1 : 1 + C], axis=1, kind="stable")[:, :N]  # (E, N) classes
    ranks = _distinct(counts[chosen], unit[:, 1 + C :].reshape(E, N, K + 1))
    images = order[starts[chosen][..., None] + ranks]  # (E, N, K + 1)
    query = images[np.arange(E), position, K]
    return Episodes(query, np.ascontiguousarray(images[..., :K]), position)


def draw_settings(
    labels: npt.ArrayLike,
    ways: Sequence[int] | None = None,
    shots: Sequence[int] | None = None,
    episodes: int = EPISODES,
    seed: int = 0,
) -> list[Episodes]:
    """Draw episodes of each number of ways, and of each of these with each number of shots.

    Parameters
    ----------
    labels, episodes, seed
        As in `draw_episodes`.
    ways : ints, optional
        Default: `WAYS`. Of those above the number of classes one remains, which is that number.
    shots : ints, optional
        Default: those of `SHOTS` that leave a query in every class, and at least 1.

    Returns
    -------
    list of Episodes
        The numbers of shots follow each other, within each number of ways.

    Raises
    ------
    TypeError, ValueError
        As `draw_episodes`, of the first setting that cannot be drawn.
    """
    labels = checked_labels(labels)
    counts = np.unique(labels, return_counts=True)[1]
    if ways is None:
        ways = sorted({min(N, len(counts)) for N in WAYS})
    if shots is None:
        shots = [K for K in SHOTS if K == 1 or counts.min() > K]
    return [draw_episodes(labels, N, K, episodes, seed) for N in ways for K in shots]


def spread_ways(classes: int) -> list[int]:
    """Return numbers of ways from 2 to all classes: 2, 3, 5, 10, 20, 50, 100, …, and all.

    Parameters
    ----------
    classes : int
        At least 2.

    Returns
    -------
    list of int
        Rising.

    Raises
    ------
    TypeError, ValueError
        No such number.
    """
    classes = _arguments.count("classes", classes, 2)
    steps = [3, *(k * 10**power for power in range(len(str(classes))) for k in (2, 5, 10))]
    return [*sorted({step for step in steps if step < classes}), classes]


def _enough(classes: Array, counts: Array, K: int) -> None:
    """Raise ValueError if a class has not K images and a query."""
    least = counts.argmin()
    if counts[least] <= K:
        raise ValueError(
            f"labels must have at least {K + 1} images a class ({K} shots and a query), "
            f"got {counts[least]} of class {classes[least]}"
        )


def _distinct(n: Array, unit: Array) -> Array:
    """Return distinct integers from 0 to n − 1, every ordered choice equally likely.

    The j-th is drawn from the n − j that are left. What is left is numbered upwards, so an integer
    moves up by one for each earlier choice that is not above it.

    Parameters
    ----------
    n : (...)
    unit : (..., m), uniform in [0, 1)

    Returns
    -------
    (..., m) int64
    """
    taken = np.empty(unit.shape, np.int64)
    for j in range(unit.shape[-1]):
        rank = (unit[..., j] * (n - j)).astype(np.int64)
        for earlier in np.moveaxis(np.sort(taken[..., :j], axis=-1), -1, 0):
            rank += rank >= earlier
        taken[..., j] = rank
    return taken
