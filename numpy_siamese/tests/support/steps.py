"""Batches of random pairs, and when two steps give the same."""

import numpy as np

from numpy_siamese.data.dataset import gather
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.tests.support.tiny import split


def pairs(N, dtype=np.float32):
    """Return (left, right, targets) of N random pairs of both kinds."""
    digits = split([8, 8, 8])
    left, right, targets = PairSampler(digits.labels, N, seed=0).batch(0, 0)
    return gather(digits.images, left, dtype), gather(digits.images, right, dtype), targets


def assert_same_bits(found, expected):
    """Check (loss, probs, grads) or dicts of arrays for equality, in every bit."""
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        found, expected = found.values(), expected.values()
    for a, b in zip(found, expected, strict=True):
        if isinstance(b, dict):
            assert_same_bits(a, b)
        else:
            np.testing.assert_array_equal(a, b, strict=True)
