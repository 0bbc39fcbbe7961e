"""Turned images are classes of their own."""

import numpy as np
import pytest

from numpy_siamese.data.dataset import Split
from numpy_siamese.data.rotations import with_turns


def test_each_turn_is_a_class():
    images = np.random.default_rng(0).integers(0, 256, (3, 4, 4)).astype(np.uint8)
    found = with_turns(Split(images, np.array([7, 2, 7])))
    assert found.labels.tolist() == [28, 8, 28, 29, 9, 29, 30, 10, 30, 31, 11, 31]
    for r in range(4):
        np.testing.assert_array_equal(found.images[3 * r + 1], np.rot90(images[1], r))


def test_images_must_be_square():
    with pytest.raises(ValueError, match="square, got 4×5"):
        with_turns(Split(np.zeros((1, 4, 5), np.uint8), np.zeros(1, np.int64)))
