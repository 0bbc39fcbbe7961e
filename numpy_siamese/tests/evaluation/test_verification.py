"""Whether a pair is of the same class: how many verdicts are right."""

import numpy as np
import pytest

from numpy_siamese.evaluation.verification import accuracy


def test_a_pair_is_called_same_above_one_half():
    """Broken otherwise: accuracy counts other verdicts than the documented ones."""
    above, below = np.nextafter(np.float32(0.5), np.float32([1, 0]))
    probs, truth = np.array([[above], [0.5], [below]]), np.array([[1], [0], [0]], np.float32)
    assert accuracy(probs, truth) == 1.0
    assert accuracy(probs, 1 - truth) == 0.0
    assert accuracy(probs[:2], truth[1:]) == 0.5


@pytest.mark.parametrize(
    ("probs", "targets", "said"),
    [
        (np.ones((1, 1)), np.array([["a"]]), "^targets must"),
        (np.ones((0, 1)), np.ones((0, 1)), "^probs must hold at least one"),
    ],
)
def test_what_cannot_be_is_refused_under_its_name(probs, targets, said):
    """Broken otherwise: the error names no argument of the call, or another one."""
    with pytest.raises((TypeError, ValueError), match=said):
        accuracy(probs, targets)
