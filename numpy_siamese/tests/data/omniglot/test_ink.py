"""Ink of drawings: 28×28 from 105×105 by exact areas."""

from fractions import Fraction

import numpy as np
import pytest

from numpy_siamese.data.omniglot import ink
from numpy_siamese.tests.support.omniglot_files import ink_of, png


def packed(drawings: np.ndarray) -> np.ndarray:
    return np.packbits(drawings, axis=2)


def area_means(drawing: np.ndarray) -> list[list[Fraction]]:
    """Return the share of ink of each of 28×28 squares of 3.75×3.75 pixels, from its definition."""
    side = Fraction(105, 28)

    def share(k: int, i: int) -> Fraction:
        """Return how much of pixel k lies in output pixel i."""
        return max(Fraction(0), min(Fraction(k + 1), side * (i + 1)) - max(Fraction(k), side * i))

    covered = [[(k, share(k, i)) for k in range(105) if share(k, i)] for i in range(28)]
    return [
        [sum((a * b for k, a in rows for m, b in columns if drawing[k, m]), Fraction(0)) / side**2
         for columns in covered]
        for rows in covered
    ]  # fmt: skip


def test_small_images_are_means_of_areas():
    """Broken otherwise: images are sampled at points, and strokes of a pixel are lost."""
    drawing = np.random.default_rng(0).random((105, 105)) < 0.3
    (found,) = ink.images(packed(drawing[None]), 28)
    expected = [[round(255 * mean) for mean in row] for row in area_means(drawing)]
    assert found.tolist() == expected


def test_every_block_of_drawings_is_made_smaller(monkeypatch):
    """Broken otherwise: drawings behind the first thousands are left as memory had them."""
    drawings = packed(np.array([ink_of(number) for number in range(7)]))
    whole = ink.images(drawings, 28)
    monkeypatch.setattr(ink, "_BLOCK", 3)
    np.testing.assert_array_equal(ink.images(drawings, 28), whole, strict=True)


@pytest.mark.parametrize("side", ink.SIZES)
def test_ink_is_bright_on_black(side):
    """Broken otherwise: Omniglot is white where MNIST is black."""
    blank, full = np.zeros((105, 105), bool), np.ones((105, 105), bool)
    images = ink.images(packed(np.array([blank, full])), side)
    assert (images[0] == 0).all()
    assert (images[1] == 255).all()


def test_a_png_is_read_as_it_was_drawn():
    """Broken otherwise: images are turned, inverted, or have ink behind the end of a row."""
    drawing = ink_of(5)
    rows = np.frombuffer(ink.packed_ink(png(drawing)), np.uint8).reshape(105, 14)
    np.testing.assert_array_equal(rows, packed(drawing[None])[0], strict=True)
