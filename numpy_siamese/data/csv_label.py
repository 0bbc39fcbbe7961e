"""Which end of a row is the label, where no header says so: what its numbers look like."""

import math

import numpy as np
import numpy.typing as npt

EVIDENCE_BITS = 10
"""How much shorter the other reading must be: then 2⁻¹⁰ of good files are refused at most."""


def looks_last(labels: npt.NDArray[np.int64], images: npt.NDArray[np.uint8]) -> bool:
    """Tell whether a table that was read label first has its label last.

    Each of the two readings is a code for the first and the last column. The shorter code explains
    them better. A column has n labels of k classes, M the largest. It takes log₂ C(M + 1, k) bits
    to say which of 0, …, M they are, and log₂ k a row. A pixel in a corner is mostly equal to the
    one beside it. If it differs in u rows, log₂ C(n, u) bits say in which, and 8 bits each say how.
    What is the same for both readings is left out: M, k and u, and the columns between.

    Let a file be drawn with the probability 2^−bits of the first code. Take the files for which the
    second code is b bits shorter. Their 2^−bits of the second code are 2ᵇ times as large, and sum
    up to 1 at most. So all of them have a probability of 2⁻ᵇ at most.

    Parameters
    ----------
    labels : (n,) int64
        The first column.
    images : (n, 28, 28) uint8
        The other columns.

    Returns
    -------
    bool
        Never for a last column of one value, as MNIST has, because that is no label to learn. Never
        for a first column above 255, because that is no pixel.

    References
    ----------
    Rissanen 1978, *Modeling by shortest data description*, Automatica 14.
    """
    last = images[:, -1, -1]
    if last.min() == last.max() or labels.max() > 255:
        return False
    return evidence(labels, images) > EVIDENCE_BITS


def evidence(labels: npt.NDArray[np.int64], images: npt.NDArray[np.uint8]) -> float:
    """Return by how many bits the label is last rather than first (`looks_last` derives them).

    Parameters
    ----------
    labels : (n,) int64
        The first column.
    images : (n, H, W) uint8
        The others.

    Returns
    -------
    float
    """
    pixels = images.reshape(len(images), -1)
    first, second, before_last, last = labels, pixels[:, 0], pixels[:, -2], pixels[:, -1]
    label_first = _label_bits(first) + _pixel_bits(last, before_last)
    label_last = _label_bits(last) + _pixel_bits(first, second)
    return label_first - label_last


def _label_bits(column: npt.NDArray[np.integer]) -> float:
    classes = np.unique(column)
    return _choice_bits(int(classes[-1]) + 1, len(classes)) + len(column) * math.log2(len(classes))


def _pixel_bits(column: npt.NDArray[np.integer], beside: npt.NDArray[np.integer]) -> float:
    unlike = int(np.count_nonzero(column != beside))
    return _choice_bits(len(column), unlike) + 8 * unlike


def _choice_bits(n: int, k: int) -> float:
    """Return log₂ C(n, k)."""
    return (math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)) / math.log(2)
