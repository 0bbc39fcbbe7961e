"""Verdicts on pairs."""

import numpy as np

from numpy_siamese.evaluation.verification import accuracy


def test_a_pair_is_called_same_above_one_half():
    """Broken otherwise: accuracy counts other verdicts than the documented ones."""
    above, below = np.nextafter(np.float32(0.5), np.float32([1, 0]))
    probs, truth = np.array([[above], [0.5], [below]]), np.array([[1], [0], [0]], np.float32)
    assert accuracy(probs, truth) == 1.0
    assert accuracy(probs, 1 - truth) == 0.0
    assert accuracy(probs[:2], truth[1:]) == 0.5
