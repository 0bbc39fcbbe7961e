"""Ranking: which of many references are likest to a query, by the network's head.

The likeness is the logit of the pair, a weighted L1 distance of embeddings plus a bias,

    logit(q, s) = Σ_d w_d |q_d − s_d| + b

and no probability. In float32 σ(17) is 1: probabilities of sure pairs are equal where their logits
differ. Equal references have equal logits, wherever they stand. Of equal logits the reference with
the lower index comes first. The network's own logits differ in their last bits, since a product of
matrices adds in another order. So two references may change places if their logits differ by less
than these roundings.
"""

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arguments, _arrays
from numpy_siamese.data.pairs import checked_labels
from numpy_siamese.evaluation._head import logits_of

Array = np.ndarray

BLOCK = 2**20
"""Bytes of references that are compared at a time. They stay in a core's cache."""


def reference_logits(query: Array, references: Array, weight: Array, bias: Array) -> Array:
    """Compare a query with every reference.

    Memory beside the result: three times `BLOCK` bytes at most, however many references there are.

    Parameters
    ----------
    query : (D,)
        Its embedding.
    references : (n, D)
    weight : (1, D)
    bias : (1,)
        All of float32 or all of float64, finite.

    Returns
    -------
    (n,) of the embeddings' dtype

    Raises
    ------
    TypeError, ValueError
        No such arrays.
    """
    query, references, weight, bias = _arrays.floats(
        query=query, references=references, weight=weight, bias=bias
    )
    if references.ndim != 2:
        raise ValueError(f"references must be (n, D), got {references.shape}")
    n, D = references.shape
    expected = {"query": (query, (D,)), "weight": (weight, (1, D)), "bias": (bias, (1,))}
    for name, (array, shape) in expected.items():
        if array.shape != shape:
            raise ValueError(f"{name} must be {shape} for references {(n, D)}, got {array.shape}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite")

    logits = np.empty(n, references.dtype)
    count = max(1, BLOCK // max(1, D * references.itemsize))
    for start in range(0, n, count):
        block = references[start : start + count]
        if not np.isfinite(block).all():
            raise ValueError("references must be finite")
        logits[start : start + count] = logits_of(block - query, weight, bias)
    return logits


def highest(logits: Array, top: int | None = None) -> Array:
    """Return the indices of the highest logits, from the highest down.

    Memory beside the result: 24 bytes for each logit at most.

    Parameters
    ----------
    logits : (n,)
    top : int, optional
        How many; all, if there are no more. Default: all.

    Returns
    -------
    (min(top, n),) int64
        Of equal logits the lower index comes first.

    Raises
    ------
    TypeError, ValueError
        No such array or number. A logit that is NaN.
    """
    (logits,) = _arrays.floats(logits=logits)
    if logits.ndim != 1:
        raise ValueError(f"logits must be (n,), got {logits.shape}")
    if np.isnan(logits).any():
        raise ValueError("logits must not be NaN")
    n = len(logits)
    count = n if top is None else _arguments.count("top", top, 1)
    chosen = np.arange(n)
    if count < n:
        last = logits[np.argpartition(logits, n - count)[n - count]]  # which just gets in
        above, tied = np.flatnonzero(logits > last), np.flatnonzero(logits == last)
        chosen = np.sort(np.concatenate([above, tied[: count - len(above)]]))
    return chosen[np.argsort(-logits[chosen], kind="stable")]


def class_logits(logits: Array, labels: npt.ArrayLike) -> tuple[Array, Array]:
    """Return the mean logit of each class's references, as `one_shot` compares classes.

    Parameters
    ----------
    logits : (n,)
    labels : (n,) integers, whole numbers, bools or strings
        The class of each reference. Taken by position.

    Returns
    -------
    classes : (C,)
        The labels that occur, sorted.
    logits : (C,) float64

    Raises
    ------
    TypeError, ValueError
        No such arrays, or of two lengths.
    """
    (logits,) = _arrays.floats(logits=logits)
    labels = checked_labels(labels)
    if logits.shape != labels.shape:
        raise ValueError(f"logits must be {labels.shape} as labels are, got {logits.shape}")
    classes, of_each = np.unique(labels, return_inverse=True)
    sums = np.bincount(of_each, logits, len(classes))
    return classes, sums / np.bincount(of_each, minlength=len(classes))
