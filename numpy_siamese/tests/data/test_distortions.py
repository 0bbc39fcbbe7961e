"""Distortions: the definition one pixel at a time, what maps do, and from which stream."""

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_siamese.data import distortions
from numpy_siamese.data.distortions import Distortions, resampled

IMAGES = np.random.default_rng(2).integers(0, 256, (6, 9, 7)).astype(np.uint8)
IDENTITY = np.broadcast_to(np.eye(2), (6, 2, 2))


def defined(image, matrix, shift):
    """Return the distorted image by the definition, one pixel after the other."""
    H, W = image.shape

    def at(i, j):
        return int(image[i, j]) if 0 <= i < H and 0 <= j < W else 0

    fixed = [[round(float(m) * 2**16) for m in row] for row in matrix]
    moved = [round(float(s) * 2**16) for s in shift]
    found = np.empty_like(image)
    for r, c in np.ndindex(H, W):
        about_centre = (2 * r - (H - 1), 2 * c - (W - 1))  # in half pixels
        place = []
        for row, s, side in zip(fixed, moved, (H, W), strict=True):
            twice = row[0] * about_centre[0] + row[1] * about_centre[1] + 2 * s
            twice += (side - 1) * 2**16  # about the first pixel
            place.append(math.floor((twice + 2**8) / 2**9))  # to 1/256 of a pixel
        (i, y), (j, x) = (divmod(p, 256) for p in place)
        above = at(i, j) * (256 - x) + at(i, j + 1) * x
        below = at(i + 1, j) * (256 - x) + at(i + 1, j + 1) * x
        found[r, c] = (above * (256 - y) + below * y + 2**15) >> 16
    return found


@given(
    st.lists(st.floats(-2, 2), min_size=4, max_size=4),
    st.lists(st.floats(-9, 9), min_size=2, max_size=2),
    st.integers(0, 5),
)
def test_every_pixel_is_as_defined(matrix, shift, k):
    matrix, shift = np.reshape(matrix, (2, 2)), np.array(shift)
    found = resampled(IMAGES[k : k + 1], matrix[None], shift[None])
    np.testing.assert_array_equal(found[0], defined(IMAGES[k], matrix, shift))


@pytest.mark.parametrize("block", [1, 63, 130, 10**6])
def test_blocks_change_no_pixel(monkeypatch, block):
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(6, 2, 2)), rng.normal(size=(6, 2))
    expected = resampled(IMAGES, *maps)
    monkeypatch.setattr(distortions, "BLOCK", block)
    np.testing.assert_array_equal(resampled(IMAGES, *maps), expected)


def test_the_identity_a_shift_and_a_quarter_turn_are_exact():
    np.testing.assert_array_equal(resampled(IMAGES, IDENTITY, np.zeros((6, 2))), IMAGES)
    shifted = resampled(IMAGES, IDENTITY, np.broadcast_to([2.0, -1.0], (6, 2)))
    np.testing.assert_array_equal(shifted[:, :-2, 1:], IMAGES[:, 2:, :-1])
    assert not shifted[:, -2:].any()
    assert not shifted[:, :, 0].any()
    square = IMAGES[:, :7]
    turn = np.broadcast_to([[0.0, 1.0], [-1.0, 0.0]], (6, 2, 2))
    turned = resampled(square, turn, np.zeros((6, 2)))
    np.testing.assert_array_equal(turned, np.rot90(square, axes=(1, 2)))


def test_no_images_stay_none():
    assert resampled(IMAGES[:0], IDENTITY[:0], np.zeros((0, 2))).shape == (0, 9, 7)


PARTS = ("scale_x", "scale_y", "shear_x", "shear_y", "angle", "down", "across")


def drawn_maps(monkeypatch, strength=1.0, **parts):
    """Return the map of an image of which some parts are at a share of their limits."""
    numbers = [(1 + parts.get(name, 0)) / 2 for name in PARTS]

    class Stream:
        def random(self, shape):
            return np.array([[*numbers, *(0.0 for _ in PARTS)]])

    monkeypatch.setattr(np.random, "Generator", lambda _: Stream())
    matrices, shifts = Distortions(0, strength).maps(1, 0, 0, "left")
    return matrices[0], shifts[0]


@pytest.mark.parametrize(
    ("parts", "forward", "moved"),
    [
        ({"scale_x": 1}, [[1, 0], [0, 1.2]], [0, 0]),
        ({"scale_y": -1}, [[0.8, 0], [0, 1]], [0, 0]),
        ({"shear_x": 1}, [[1, 0], [0.3, 1]], [0, 0]),
        ({"shear_y": 1}, [[1, 0.3], [0, 1]], [0, 0]),
        ({"down": 1}, [[1, 0], [0, 1]], [2 / 105, 0]),
        ({"across": -1}, [[1, 0], [0, 1]], [0, -2 / 105]),
        ({"scale_x": 1, "across": 1}, [[1, 0], [0, 1.2]], [0, 2 / 105]),
    ],
)
def test_each_part_has_its_limit(monkeypatch, parts, forward, moved):
    """The map from a distorted pixel, in (row, column), undoes what moved the ink there."""
    matrix, shift = drawn_maps(monkeypatch, **parts)
    np.testing.assert_allclose(matrix @ forward, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(matrix @ moved, -shift, atol=1e-12)


@pytest.mark.parametrize(("strength", "error"), [(1, 2e-11), (2, 1e-8)])
def test_a_rotation_is_one_by_ten_degrees_times_the_strength(monkeypatch, strength, error):
    """The first term that the series leaves out, twice 62/2835·h⁹, is 1e-11 at 10° and 7e-9 at 20°,
    with half of the angle for h.
    """
    matrix, _ = drawn_maps(monkeypatch, strength, angle=1)
    angle = math.radians(10 * strength)
    cos, sin = math.cos(angle), math.sin(angle)
    np.testing.assert_allclose(matrix @ [[cos, sin], [-sin, cos]], np.eye(2), atol=error)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(2), atol=1e-14)


@pytest.mark.parametrize("seed", range(8))
def test_parts_apply_in_the_order_of_the_equation(monkeypatch, seed):
    """T R H S, of (x, y), with all seven parts at once.

    The rotation is off by 1.3e-11 at most, and the inverse of H S makes at most 1.8 times as much
    of it: 1.3/(1 − 0.09) by the shear and 1/0.8 by the scale.
    """
    shares = dict(zip(PARTS, np.random.default_rng(seed).uniform(-1, 1, 7), strict=True))
    matrix, shift = drawn_maps(monkeypatch, **shares)
    angle = math.radians(10 * shares["angle"])
    rotation = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    shear = [[1, 0.3 * shares["shear_x"]], [0.3 * shares["shear_y"], 1]]
    scale = np.diag([1 + 0.2 * shares["scale_x"], 1 + 0.2 * shares["scale_y"]])
    swap = np.array([[0, 1], [1, 0]])
    inverse = swap @ np.linalg.inv(np.array(rotation) @ shear @ scale) @ swap
    np.testing.assert_allclose(matrix, inverse, atol=3e-11)
    moved = np.array([shares["down"], shares["across"]]) * 2 / 105
    np.testing.assert_allclose(shift, -inverse @ moved, atol=3e-11)


def test_a_shift_is_a_share_of_height_and_width():
    distort = Distortions(3, 2.0)
    matrices, shifts = distort.maps(len(IMAGES), 0, 0, "left")
    expected = resampled(IMAGES, matrices, shifts * [9, 7])
    assert (resampled(IMAGES, matrices, shifts * 9) != expected).any()
    np.testing.assert_array_equal(distort(IMAGES, 0, 0, "left"), expected)


@pytest.mark.parametrize(
    ("seed", "left", "right"),
    [
        (1, "94fdad949c942d37", "2a7ee231f44cab81"),
        (3, "c335d2f88e1fa569", "91462a0b36889888"),
        (2**64 - 1, "52a28234663f9aca", "9f4de26485689cfe"),
        (-1, "6fada6125b307b1c", "176baf9c5aac0dad"),
    ],
)
def test_a_seed_keeps_its_distortions(seed, left, right):
    """Broken otherwise: a run that an earlier version began goes on with other images."""
    for side, expected in (("left", left), ("right", right)):
        found = Distortions(seed, 2.0)(IMAGES, 2, 3, side)
        assert hashlib.sha256(found.tobytes()).hexdigest()[:16] == expected


def test_half_of_the_parts_take_part_and_are_uniform():
    matrices, shifts = Distortions(5).maps(20_000, 0, 0, "right")
    assert (shifts == 0).all(axis=1).mean() == pytest.approx(0.25, abs=0.013)  # 4 deviations
    still = np.abs(matrices - np.eye(2)).max(axis=(1, 2)) == 0
    assert still.mean() == pytest.approx(0.5**5, abs=0.005)  # 4 deviations
    only_down = shifts[still & (shifts[:, 0] != 0) & (shifts[:, 1] == 0), 0]
    assert abs(only_down).max() <= 2 / 105
    assert np.percentile(abs(only_down), 50) == pytest.approx(1 / 105, rel=0.25)


def test_no_strength_is_no_distortion():
    np.testing.assert_array_equal(Distortions(0, 0.0)(IMAGES, 3, 4, "left"), IMAGES)


def test_a_side_of_a_batch_is_a_function_of_its_place():
    distort = Distortions(1)
    found = distort(IMAGES, 2, 3, "left")
    np.testing.assert_array_equal(distort(IMAGES, 2, 3, "left"), found)
    np.testing.assert_array_equal(distort(IMAGES[:4], 2, 3, "left"), found[:4])
    others = [distort(IMAGES, 1, 3, "left"), distort(IMAGES, 2, 4, "left")]
    others += [distort(IMAGES, 2, 3, "right"), Distortions(2)(IMAGES, 2, 3, "left")]
    others += [Distortions(1, split="test")(IMAGES, 2, 3, "left")]
    assert all((other != found).any() for other in others)


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (lambda: Distortions(0, 2.5), "strength must be from 0 to 2, got 2.5"),
        (lambda: Distortions(0, split="x"), "split must be one of"),
        (lambda: Distortions(0)(IMAGES, 0, 0, "up"), "side must be left or right"),
        (lambda: Distortions(0)(IMAGES, -1, 0, "left"), "^epoch must be at least 0"),
        (lambda: Distortions(0)(IMAGES, 0, -1, "left"), "^k must be at least 0"),
        (lambda: Distortions(0, math.nan), "^strength must be finite"),
    ],
)
def test_what_is_amiss_is_said(refused, said):
    with pytest.raises(ValueError, match=said):
        refused()


def test_a_seed_that_is_no_number_is_said():
    with pytest.raises(TypeError, match=r"^seed must be an int"):
        Distortions("one")
