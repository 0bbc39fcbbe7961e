"""N-way K-shot accuracy of a network and of nearest neighbours, in the same episodes.

A class is chosen by its likeness to the query. The network's is the logit of the pair,

    logit(q, s) = Σ_d w_d |q_d − s_d| + b

and no probability. In float32 σ(17) is 1: probabilities of sure pairs are equal where their logits
differ. Of the K shots of a class the mean logit counts, which is the sum of their log-odds up to a
factor. A single odd shot does not decide. Other ways are the largest logit, which is the nearest
neighbour, and the logit of the mean embedding (Snell et al. 2017), for which no head was trained.

References
----------
Koch, Zemel & Salakhutdinov 2015, *Siamese neural networks for one-shot image recognition*.
Snell, Swersky & Zemel 2017, *Prototypical networks for few-shot learning*.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arrays
from numpy_siamese.data.dataset import checked_images
from numpy_siamese.data.episodes import EPISODES, draw_settings
from numpy_siamese.data.pairs import checked_labels
from numpy_siamese.evaluation._head import logits_of
from numpy_siamese.evaluation.jackknife import accuracy_interval

Array = np.ndarray

BLOCK = 2**20
"""Bytes of one side of the comparisons that are made at a time. They stay in a core's cache."""

EXACT = 256
"""Products of two bytes whose sum float32 has exactly: 256 · 255² < 2²⁴."""


class Method(NamedTuple):
    """What a way to choose a class is called.

    Attributes
    ----------
    name : str
    short : str
        The same in a table.
    """

    name: str
    short: str


METHODS = {
    "siamese": Method("Siamese network", "network"),
    "nearest_neighbor": Method("nearest neighbour, L2", "pixels, L2"),
    "nearest_neighbor_cosine": Method("nearest neighbour, cosine", "pixels, cosine"),
    "untrained": Method("untrained network", "untrained"),
}
"""What `one_shot_measures` compares, by the keys of its entries."""


class Embedded(NamedTuple):
    """Images as a network sees them, and the head that compares two.

    Attributes
    ----------
    embeddings : (n, D)
    weight : (1, D)
    bias : (1,)
        All of float32 or all of float64.
    """

    embeddings: Array
    weight: Array
    bias: Array


def one_shot_measures(
    labels: npt.ArrayLike,
    images: Array,
    trained: Embedded,
    untrained: Embedded,
    ways: Sequence[int] | None = None,
    shots: Sequence[int] | None = None,
    episodes: int = EPISODES,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> list[dict[str, Any]]:
    """Measure a network beside its baselines, for each number of ways and of shots.

    Embeddings are computed once, by the caller, and serve all episodes. The intervals are those of
    `jackknife`. They cover other episodes and other images of these classes. They do not cover
    another training or other classes. All methods see the same episodes. So their differences are
    known better than their intervals suggest.

    Parameters
    ----------
    labels : (n,) integers, whole numbers, bools or strings
        The class of each image. Taken by position.
    images : (n, 28, 28) uint8
    trained, untrained : Embedded
        The images as the network embeds them, with its weights after and before training.
    ways, shots, episodes, seed
        As in `draw_settings`.
    progress : callable, optional
        Is told after each setting which share of them is done.

    Returns
    -------
    list of dict
        For JSON, for each setting. A figure is {"value", "low", "high"}.

        - ways, shots, episodes : int
        - siamese : figure, by the trained network's mean logit
        - nearest_neighbor : figure, by the L2 distance of pixels to the nearest shot
        - nearest_neighbor_cosine : figure, by the cosine of pixels with the nearest shot
        - untrained : figure, by the untrained network's mean logit. Its head has weights of both
          signs, so it may stay below chance.
        - chance : float, 1/ways

    Raises
    ------
    TypeError, ValueError
        No such arrays or numbers. Labels, images and embeddings of several lengths.
    """
    labels, images = checked_labels(labels), checked_images(images)
    for name, network in (("trained", trained), ("untrained", untrained)):
        if not isinstance(network, Embedded):
            raise TypeError(f"{name} must be Embedded, got {_arrays.type_name(network)}")
    lengths = {"images": images, "trained.embeddings": trained.embeddings}
    lengths["untrained.embeddings"] = untrained.embeddings
    for name, array in lengths.items():
        n = _arrays.array(name, array).shape[:1]
        if n != labels.shape:
            raise ValueError(f"{name} must be as many as the {len(labels)} labels, got {n}")

    entries = []
    settings = draw_settings(labels, ways, shots, episodes, seed)
    for drawn in settings:
        query, support, position = drawn
        l2, cosine = pixel_likeness(images, query, support)
        likeness = {
            "siamese": _mean(head_logits(*trained, query, support)),
            "nearest_neighbor": l2.max(axis=-1),
            "nearest_neighbor_cosine": cosine.max(axis=-1),
            "untrained": _mean(head_logits(*untrained, query, support)),
        }
        E, N, K = support.shape
        entry: dict[str, Any] = {"ways": N, "shots": K, "episodes": E}
        for name, of_method in likeness.items():
            credit = episode_accuracy(of_method, position)
            low, high = accuracy_interval(credit, labels, drawn)
            entry[name] = {"value": float(credit.mean()), "low": low, "high": high}
        entries.append(entry | {"chance": 1 / N})
        if progress is not None:
            progress(len(entries) / len(settings))
    return entries


def head_logits(
    embeddings: Array, weight: Array, bias: Array, query: Array, support: Array
) -> Array:
    """Compare each query with its support images, as the network's head does.

    Equal support images have equal logits, wherever they stand: the order of a sum's terms depends
    on nothing else. Memory stays bounded beside the result.

    Parameters
    ----------
    embeddings : (n, D)
    weight : (1, D)
    bias : (1,)
        All of float32 or all of float64, finite.
    query : (E,) integers
    support : (E, N, K) integers
        Into embeddings.

    Returns
    -------
    (E, N, K) of the embeddings' dtype

    Raises
    ------
    TypeError, ValueError, IndexError
        No such arrays.
    """
    embeddings, weight, bias = _arrays.floats(embeddings=embeddings, weight=weight, bias=bias)
    if embeddings.ndim != 2:
        raise ValueError(f"embeddings must be (n, D), got {embeddings.shape}")
    n, D = embeddings.shape
    if weight.shape != (1, D):
        raise ValueError(f"weight must be (1, {D}) as embeddings are, got {weight.shape}")
    if bias.shape != (1,):
        raise ValueError(f"bias must be (1,), got {bias.shape}")
    for name, array in (("embeddings", embeddings), ("weight", weight), ("bias", bias)):
        if not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite")
    query, support = _indices(query, support, n)

    def compare(left: Array, right: Array) -> Array:
        difference = embeddings[left]
        difference -= embeddings[right]
        return logits_of(difference, weight, bias)

    return _in_blocks(query, support, D * embeddings.itemsize, embeddings.dtype, compare)


def pixel_likeness(images: Array, query: Array, support: Array) -> tuple[Array, Array]:
    """Compare each query with its support images, pixel by pixel.

    What is the same for all support images of a query is left out.

    Parameters
    ----------
    images : (n, H, W) uint8
    query : (E,) integers
    support : (E, N, K) integers
        Into images.

    Returns
    -------
    l2 : (E, N, K) float64
        2 q·s − |s|² = |q|² − |q − s|², exact whole numbers.
    cosine : (E, N, K) float64
        q·s / |s|; 0 for a black image.

    Raises
    ------
    TypeError, ValueError, IndexError
        No such arrays.
    """
    images = checked_images(images)
    query, support = _indices(query, support, len(images))
    pixels = images.reshape(len(images), -1)

    def products(left: Array, right: Array) -> Array:
        q, s = pixels[left].astype(np.float32), pixels[right].astype(np.float32)
        total = np.zeros(len(left))
        for k in range(0, pixels.shape[1], EXACT):
            part = slice(k, k + EXACT)
            total += np.einsum("rp,rp->r", q[:, part], s[:, part])
        return total

    row = 4 * pixels.shape[1]
    dots = _in_blocks(query, support, row, np.float64, products)
    every = np.arange(len(images))
    squares = _in_blocks(every, every[:, None, None], row, np.float64, products).ravel()
    norms = np.sqrt(np.maximum(squares, 1))
    return 2 * dots - squares[support], dots / norms[support]


def episode_accuracy(likeness: Array, position: Array) -> Array:
    """Return whether the likest class is the true one: 1 or 0, and 1/(number tied) in a tie.

    A likeness is compared as it is: what is equal is tied.

    Parameters
    ----------
    likeness : (E, N)
    position : (E,) integers
        Where the true class stands.

    Returns
    -------
    (E,) float64

    Raises
    ------
    TypeError, ValueError, IndexError
        No such arrays. A likeness that is NaN.
    """
    (likeness,) = _arrays.floats(likeness=likeness)
    if likeness.ndim != 2 or likeness.shape[1] == 0:
        raise ValueError(f"likeness must be (E, N), got {likeness.shape}")
    if np.isnan(likeness).any():
        raise ValueError("likeness must not be NaN")
    E, N = likeness.shape
    position = _arrays.index("position", _arrays.array("position", position), N)
    if len(position) != E:
        raise ValueError(f"position must be ({E},) as likeness is, got {position.shape}")
    tied = likeness == likeness.max(axis=1, keepdims=True)  # (E, N)
    return tied[np.arange(E), position] / tied.sum(axis=1)


def _mean(logits: Array) -> Array:
    """Return the mean logit of each class's shots: (E, N, K) → (E, N) float64."""
    return logits.mean(axis=-1, dtype=np.float64)


def _indices(query: Array, support: Array, n: int) -> tuple[Array, Array]:
    """Return query and support images, if they are positions below n and belong together."""
    query, support = _arrays.array("query", query), _arrays.array("support", support)
    if support.ndim != 3 or query.shape != support.shape[:1]:
        raise ValueError(
            f"query and support must be (E,) and (E, N, K), got {query.shape} and {support.shape}"
        )
    flat = _arrays.index("support", support.ravel(), n)
    return _arrays.index("query", query, n), flat.reshape(support.shape)


def _in_blocks(
    query: Array,
    support: Array,
    row: int,
    dtype: npt.DTypeLike,
    compare: Callable[[Array, Array], Array],
) -> Array:
    """Compare as many pairs at a time as fit in a block, of which a pair's side has `row` bytes."""
    E, N, K = support.shape
    right = support.ravel()
    found = np.empty(right.size, dtype)
    rows = max(1, BLOCK // max(1, row))
    for start in range(0, right.size, rows):
        pairs = np.arange(start, min(start + rows, right.size))
        found[pairs] = compare(query[pairs // (N * K)], right[pairs])
    return found.reshape(E, N, K)
