"""Logits of all pairs, whose differences are computed a block at a time."""

import tracemalloc

import numpy as np
import pytest

from numpy_siamese.functional import pairwise

RNG = np.random.default_rng(0)
LEFT, RIGHT, WEIGHT, DY = (
    RNG.integers(-3, 4, shape).astype(np.float64) for shape in ((7, 4), (3, 4), (1, 4), (7, 3))
)


def results():
    y, pullback = pairwise.pairwise_l1_logits(LEFT, RIGHT, WEIGHT, np.ones(1))
    return [y, *pullback(DY)]


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 6])
def test_blocks_change_nothing(rows):
    """Broken otherwise: rows are left out, or a gradient is that of the last block alone."""
    whole = results()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairwise, "BLOCK", rows * RIGHT.size)
        in_blocks = results()
    for found, expected in zip(in_blocks, whole, strict=True):
        np.testing.assert_array_equal(found, expected, strict=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradients_are_sums_in_the_dtype_of_the_embeddings(dtype):
    """Broken otherwise: signs of float64 double what passes through the cache."""
    rng = np.random.default_rng(0)
    left, right, dy = (
        rng.standard_normal(shape).astype(dtype) for shape in ((5, 8), (4, 8), (5, 4))
    )
    _, pullback = pairwise.pairwise_l1_logits(left, right, np.ones((1, 8), dtype))
    expected = [dy[[i]] @ np.sign(left[i] - right) for i in range(5)]
    np.testing.assert_array_equal(pullback(dy)[0], np.concatenate(expected), strict=True)


def test_the_differences_are_never_all_held():
    """Broken otherwise: a batch needs memory for N·M·E numbers, and every pass leaves the cache."""
    left, right = np.random.default_rng(0).standard_normal((2, 300, 64))
    tracemalloc.start()
    y, pullback = pairwise.pairwise_l1_logits(left, right, np.ones((1, 64)))
    pullback(y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < left.nbytes * len(right) / 10
