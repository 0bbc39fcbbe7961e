"""Ink of drawings: 28×28 from 105×105 by exact areas."""

import math
from fractions import Fraction

import numpy as np
import pytest

from numpy_siamese.data.omniglot import ink
from numpy_siamese.data.preparation import Preparation
from numpy_siamese.tests.support.omniglot_files import ink_of, png


def packed(drawings: np.ndarray) -> np.ndarray:
    return np.packbits(drawings, axis=2)


def boxed(drawing: np.ndarray) -> list[list[int]]:
    """Return 28×28 pixels of a drawing, from their definition."""
    rows, columns = ([k for k in range(105) if drawing.take(k, axis).any()] for axis in (0, 1))
    ink = drawing[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].tolist()
    h, w = len(ink), len(ink[0])
    height, width = (max(1, round(Fraction(20 * n, max(h, w)))) for n in (h, w))

    def share(k: int, i: int, side: Fraction) -> Fraction:
        """Return how much of pixel k lies in output pixel i, of so many pixels' side."""
        return max(Fraction(0), min(Fraction(k + 1), side * (i + 1)) - max(Fraction(k), side * i))

    def mean(i: int, j: int) -> Fraction:
        a, b = Fraction(h, height), Fraction(w, width)
        of_rows, of_columns = [share(k, i, a) for k in range(h)], [share(m, j, b) for m in range(w)]
        shares = ((x, y, ink[k][m]) for k, x in enumerate(of_rows) if x
                  for m, y in enumerate(of_columns) if y)  # fmt: skip
        return sum((x * y for x, y, is_ink in shares if is_ink), Fraction(0)) / (a * b)

    means = [[mean(i, j) for j in range(width)] for i in range(height)]
    mass = sum(map(sum, means))
    down = sum(i * sum(row) for i, row in enumerate(means)) / mass
    across = sum(j * value for row in means for j, value in enumerate(row)) / mass
    top = min(max(round(14 - down), 0), 28 - height)
    left = min(max(round(14 - across), 0), 28 - width)
    image = [[0] * 28 for _ in range(28)]
    for i, j in np.ndindex(height, width):
        level = 255 * means[i][j] / max(map(max, means))
        image[top + i][left + j] = math.floor(level + Fraction(1, 2))
    return image


DRAWINGS = {
    "wide": ((30, 50), (2, 100), 0.3),
    "tall": ((0, 105), (90, 97), 0.3),
    "all": ((0, 105), (0, 105), 0.3),
    "small": ((40, 47), (50, 61), 0.5),
    "point": ((50, 51), (104, 105), 1.0),
    "line": ((10, 90), (60, 61), 1.0),
}
"""Rows, columns and the share of ink."""


@pytest.mark.parametrize("kind", DRAWINGS)
def test_small_images_are_exact_areas_in_the_box_of_mnist(kind):
    """Broken otherwise: points are sampled, strokes are lost, or a character is off the middle."""
    (top, bottom), (left, right), share = DRAWINGS[kind]
    drawing = np.zeros((105, 105), bool)
    noise = np.random.default_rng(3).random((bottom - top, right - left)) < share
    drawing[top:bottom, left:right] = noise
    (found,) = ink.images(packed(drawing[None]), 28)
    assert found.tolist() == boxed(drawing)


def test_small_images_are_near_those_of_a_picture():
    """Broken otherwise: `predict` is given other images than a network has learned."""
    prepare, drawings = Preparation("mixed"), np.array([ink_of(number) for number in range(40)])
    for drawing, found in zip(drawings, ink.images(packed(drawings), 28), strict=True):
        picture = prepare(np.where(drawing, 0, 255).astype(np.float32))
        moved = [np.roll(found, place, (0, 1)) for place in np.ndindex(3, 3)]
        moved = [np.roll(image, (-1, -1), (0, 1)).ravel() for image in moved]
        assert max(np.corrcoef(picture.ravel(), image)[0, 1] for image in moved) > 0.97


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
    assert (images[1] > 0).sum() == (20 if side == 28 else 105) ** 2
    assert set(images[1].ravel().tolist()) <= {0, 255}


def test_a_png_is_read_as_it_was_drawn():
    """Broken otherwise: images are turned, inverted, or have ink behind the end of a row."""
    drawing = ink_of(5)
    rows = np.frombuffer(ink.packed_ink(png(drawing)), np.uint8).reshape(105, 14)
    np.testing.assert_array_equal(rows, packed(drawing[None])[0], strict=True)
