"""From any grey image to 28×28, as MNIST's digits were made."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from numpy_siamese import data
from numpy_siamese.data.preparation import Preparation, has_light_ground

DARK, LIGHT, MIXED = (Preparation(ground) for ground in ("dark", "light", "mixed"))


@pytest.fixture(scope="module")
def mnist():
    """Every eighth of the embedded digits."""
    return data.load("mnist-5k").train.images[::8]


def page(height: int, width: int, boxes: list[tuple[int, int, int, int]], ink=255.0, ground=0.0):
    """Return a page with boxes (top, left, height, width) of ink."""
    grey = np.full((height, width), ground, np.float32)
    for top, left, h, w in boxes:
        grey[top : top + h, left : left + w] = ink
    return grey


def test_mnists_digits_stay_as_they_are(mnist):
    """Broken otherwise: this is not what was done to MNIST, and its networks see something else.

    The figures: 77 % of digits differ by 2 levels or less, because their strongest pixel, 253 at
    least, becomes 255. The others lose a rim. All together differ by 0.11 levels in the mean, and
    by 14.8 with the centre of mass half a pixel elsewhere.
    """
    found = np.stack([DARK(digit.astype(np.float32)) for digit in mnist])
    difference = np.abs(found.astype(int) - mnist)
    assert (difference.max(axis=(1, 2)) <= 2).mean() > 0.75
    assert difference.mean() < 0.2


def test_a_page_of_any_size_ink_and_ground_gives_the_same_digit(mnist):
    """Broken otherwise: the network sees how a digit was scanned, not the digit."""
    for digit in mnist[:40].astype(np.float32):
        expected = DARK(digit)
        large = np.zeros((300, 500), np.float32)
        large[40:180, 333:473] = digit.repeat(5, axis=0).repeat(5, axis=1)
        np.testing.assert_array_equal(DARK(large), expected)
        np.testing.assert_array_equal(LIGHT(255 - large), expected)
        faint = 40 + large * np.float32(0.25)  # of 40 to 104
        assert np.abs(DARK(faint).astype(int) - expected).max() <= 1


def test_the_aspect_is_kept_and_the_longer_side_is_20():
    """Broken otherwise: a 1 is as wide as a 0."""
    for height, width, expected in ((40, 10, (20, 5)), (10, 40, (5, 20)), (7, 7, (20, 20))):
        image = DARK(page(100, 90, [(30, 20, height, width)]))
        rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
        assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == expected
        assert np.unique(image).tolist() == [0, 255]


def test_a_line_thinner_than_a_pixel_is_seen():
    """Broken otherwise: a pen's line in a large drawing is nearly as dark as its ground."""
    lines = [(100, 100, 700, 2), (100, 798, 700, 2), (100, 100, 2, 700), (798, 100, 2, 700)]
    image = DARK(page(900, 900, lines))
    assert np.count_nonzero(image) == 4 * 19
    # two of 35 pixels are ink, at a corner two rows and two columns
    assert np.unique(image[image > 0]).tolist() == [round(255 * 70 / 136), 255]


def test_the_centre_of_mass_is_in_the_middle():
    """Broken otherwise: it is the box that is centred, and every shape lies where MNIST's do not.

    A triangle has its centre of mass at a third of its sides.
    """
    triangle = np.tril(np.ones((20, 20), np.float32)) * 255
    image = DARK(np.pad(triangle, 40)).astype(float)
    for axis in (0, 1):
        mass = image.sum(axis=1 - axis)
        assert abs(mass @ np.arange(28) / mass.sum() - 14) <= 0.5


def test_all_ink_stays_inside():
    """Broken otherwise: a heavy end pushes the other one over the rim."""
    heavy = page(60, 60, [(10, 10, 20, 20), (30, 19, 20, 2)])
    image = DARK(heavy)
    rows = np.flatnonzero(image.any(axis=1))
    assert rows.tolist() == list(range(8, 28))


@pytest.mark.parametrize("spoil", ["noise", "JPEG", "shade"])
def test_an_uneven_ground_is_no_ink(tmp_path, mnist, spoil):
    """Broken otherwise: a scan's noise fills the box, and the digit is a small thing within.

    The figures: the mean error is 1.7 to 5.6 levels, and 15 to 25 where noise is ink.
    """
    rng = np.random.default_rng(0)
    errors = []
    for digit in mnist[::5]:
        grey = np.pad(255 - digit.astype(np.float32) * 0.7, 6, constant_values=255)
        if spoil == "noise":
            grey = np.clip(grey - 10 + 3 * rng.standard_normal(grey.shape), 0, 255)
        elif spoil == "JPEG":
            Image.fromarray(grey.astype(np.uint8)).save(tmp_path / "a.jpg", quality=75)
            grey = np.asarray(Image.open(tmp_path / "a.jpg"))
        else:
            grey = grey - np.linspace(0, 25, grey.shape[1])
        found = LIGHT(grey.astype(np.float32)).astype(int)
        errors.append(np.abs(found - digit).mean())
    assert np.mean(errors) < 9


def test_no_ink_is_told_by_zeros():
    """Broken otherwise: dust, or nothing at all, is enlarged to a digit."""
    for grey in (page(5, 5, []), page(30, 20, [(10, 10, 3, 3)], ink=107, ground=100)):
        assert not DARK(grey).any()
        assert not LIGHT(grey).any()
    dark_ink = page(30, 20, [(10, 10, 3, 3)], ink=0, ground=100)
    assert not DARK(dark_ink).any()
    assert LIGHT(dark_ink).any()


@given(st.integers(1, 60), st.integers(1, 60), st.randoms(use_true_random=False))
def test_every_image_is_prepared(height, width, random):
    """Broken otherwise: an image of one row, or one of noise, ends in a traceback or in NaN."""
    rng = np.random.default_rng(random.getrandbits(32))
    grey = (rng.random((height, width)) ** rng.integers(1, 40) * 255).astype(np.float32)
    before = grey.copy()
    image = MIXED(grey)
    assert (image.shape, image.dtype) == ((28, 28), np.uint8)
    assert image.max() in (0, 255)
    np.testing.assert_array_equal(grey, before)


# The decision for the set


def test_the_ground_of_a_digit_is_known(mnist):
    """Broken otherwise: ink and ground are exchanged, also where both are dark, or both light."""
    for digit in mnist.astype(np.float32):
        for low, high in ((0, 1), (100, 0.3), (0, 0.3), (150, 0.4)):
            assert not has_light_ground(low + high * digit)
            assert has_light_ground(255 - low - high * digit)


@pytest.mark.parametrize(
    ("light", "dark", "ground"),
    [(1, 0, "light"), (0, 1, "dark"), (9, 1, "light"), (1, 9, "dark"), (8, 1, "mixed"),
     (1, 8, "mixed"), (5, 5, "mixed")],
)  # fmt: skip
def test_most_images_decide_for_the_set(light, dark, ground):
    """Broken otherwise: one odd image turns itself round, or a mixed set is half negatives."""
    assert Preparation.of_set([True] * light + [False] * dark) == Preparation(ground)


def test_a_mixed_set_judges_each_image():
    """Broken otherwise: half of the set has ground for ink."""
    dark = page(30, 20, [(10, 5, 8, 3)])
    np.testing.assert_array_equal(MIXED(dark), DARK(dark))
    np.testing.assert_array_equal(MIXED(255 - dark), DARK(dark))


@pytest.mark.parametrize(
    ("grey", "error", "said"),
    [
        ([[1.0]], TypeError, "grey must be a numpy.ndarray, got list"),
        (np.zeros((2, 2), np.uint8), TypeError, "grey must be float32, got uint8"),
        (np.zeros((2, 2, 3), np.float32), ValueError, r"grey must be \(H, W\) of at least one"),
        (np.zeros((0, 2), np.float32), ValueError, r"at least one pixel, got \(0, 2\)"),
    ],
)
def test_what_is_no_grey_image_is_refused(grey, error, said):
    """Broken otherwise: colours are taken for rows, or bytes wrap around below 0."""
    for call in (DARK, MIXED, has_light_ground):
        with pytest.raises(error, match=said):
            call(grey)


def test_another_ground_is_refused():
    """Broken otherwise: a slip in a recorded preparation means dark."""
    with pytest.raises(ValueError, match="ground must be light, dark or mixed, got 'white'"):
        Preparation("white")


def test_the_ground_is_the_border_however_much_ink_there_is():
    """Broken otherwise: a bold drawing that fills most of its page is taken for the page."""
    for ink, ground in ((255.0, 0.0), (0.0, 255.0)):
        bold = page(40, 40, [(2, 2, 36, 36)], ink, ground)
        assert has_light_ground(bold) == (ground > ink)


def test_few_strokes_outweigh_a_shade_of_many_pixels():
    """Broken otherwise: a shadow over the page decides what is ink."""
    for ink, ground, shade in ((255.0, 100.0, 95.0), (0.0, 155.0, 160.0)):
        shaded = page(60, 60, [(5, 5, 50, 50)], shade, ground)
        shaded[20:40, 30:32] = ink
        assert has_light_ground(shaded) == (ground > ink)


def test_ink_that_stands_out_by_eight_levels_is_seen():
    """Broken otherwise: the faintest pencil that the documentation promises to see is none."""
    assert DARK(page(40, 40, [(10, 10, 20, 20)], 108.0, 100.0)).any()
    assert not DARK(page(40, 40, [(10, 10, 20, 20)], 107.0, 100.0)).any()


def test_a_speck_on_the_border_is_no_noise():
    """Broken otherwise: one bright pixel at the edge of a page hides its faint strokes."""
    clean = page(60, 60, [(20, 20, 20, 4)], 200.0)
    clean[20:40, 24:28] = 40  # of 200, the faint part of a stroke
    speck = clean.copy()
    speck[0, 0] = 30
    np.testing.assert_array_equal(DARK(speck), DARK(clean))


def test_of_another_size_the_whole_picture_is_read():
    """Broken otherwise: strokes of Omniglot lie and are scaled as the network never saw them."""
    whole = Preparation("light", 105)
    strokes = page(105, 105, [(10, 4, 80, 2), (10, 4, 2, 60)])
    np.testing.assert_array_equal(whole(255 - strokes), strokes.astype(np.uint8), strict=True)
    twice = strokes.repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_array_equal(whole(255 - twice), strokes.astype(np.uint8), strict=True)
    assert not whole(np.full((50, 50), 200, np.float32)).any()


def test_of_another_size_the_aspect_is_kept():
    """Broken otherwise: a wide picture is a tall one, or is moved to a side."""
    wide = page(4, 8, [(1, 2, 1, 3)])
    expected = np.zeros((8, 8), np.uint8)
    expected[3, 2:5] = 255
    read = Preparation("dark", 8)
    np.testing.assert_array_equal(read(wide), expected, strict=True)
    np.testing.assert_array_equal(read(np.ascontiguousarray(wide.T)), expected.T, strict=True)


def test_a_long_strip_takes_no_square_of_memory():
    """Broken otherwise: a picture of one row of 200,000 pixels ends in want of memory."""
    image = Preparation("dark", 105)(page(1, 200_000, [(0, 50, 1, 100_000)]))
    assert np.flatnonzero(image.any(axis=1)).tolist() == [52]
