"""Where things stand on the pictures of a run, in pixels, and how large they are."""

import matplotlib
import numpy as np
import pytest

from numpy_siamese.pictures import plots
from numpy_siamese.pictures.examples import Examples
from numpy_siamese.tests.pictures.test_plots import TEST, TRAIN

pytestmark = pytest.mark.usefixtures("warnings_are_errors")


def examples(N, probs, shape=(28, 28)):
    images = np.zeros((N, *shape), np.uint8)
    return Examples(
        f"section of {N}", images, images, np.zeros(N), np.full(N, 0.25) if probs else None
    )


def pixels(figure):
    """Return a figure's width and height in pixels."""
    return tuple(figure.get_size_inches() * figure.dpi)


@pytest.mark.parametrize(
    ("N", "probs", "size"),
    [
        # 24 + N · (2 · 112 + 8 + 32) − 32 + 24 wide; 56 + rows · (112 + lines · 20 + 32) high
        (1, False, (280, 56 + 164)),
        (2, False, (544, 56 + 164)),
        (5, True, (1336, 56 + 184)),
        (6, True, (1336, 56 + 2 * 184)),
    ],
)
def test_a_page_is_as_large_as_its_pairs(N, probs, size):
    """Broken otherwise: pairs lie on each other, or the page is mostly empty."""
    assert pixels(plots.pair_grid_figure("t", examples(N, probs))) == size


def test_images_need_not_be_square():
    """Broken otherwise: the width of an image is taken for its height."""
    figure = plots.pair_grid_figure("t", examples(1, False, (20, 30)))
    assert pixels(figure) == (48 + 2 * 120 + 8, 56 + 80 + 20 + 32)
    assert [image.get_extent() for image in figure.axes[0].images] == [
        [24, 144, 156, 76],
        [152, 272, 156, 76],
    ]
    assert [text.get_position() for text in figure.axes[0].texts] == [(148, 73)]


def test_pixels_are_drawn_as_they_are_whatever_the_settings():
    """Broken otherwise: pixels are blurred, or moved by a rounding to keep them square."""
    with matplotlib.rc_context({"image.interpolation": "bicubic", "image.aspect": "equal"}):
        (axes,) = plots.pair_grid_figure("t", examples(2, False)).axes
    assert axes.get_aspect() == "auto"
    assert [image.get_interpolation() for image in axes.images] == ["nearest"] * 4


def test_every_text_of_a_grid_is_in_its_place():
    """Broken otherwise: words lie outside the page, on an image, or over another pair."""
    figure = plots.pair_grid_figure("a title", examples(2, True), examples(1, True))
    (axes,) = figure.axes
    height = 56 + 2 * 40 + 2 * 184
    assert pixels(figure) == (544, height)
    found = {
        (text.get_text().split(",")[0], *text.get_position()): (
            text.get_va(),
            text.get_ha(),
            text.get_fontsize(),
        )
        for text in axes.texts
    }
    # a heading at the top of its section; a caption over the middle of its pair, 3 above images
    # that begin two lines of 20 below the row's top
    over_pair = ("bottom", "center", 8.5)
    assert found == {
        ("section of 2", 24, 56): ("top", "left", 10.5),
        ("different", 24 + 116, 56 + 40 + 40 - 3): over_pair,
        ("different", 24 + 116 + 264, 56 + 40 + 40 - 3): over_pair,
        ("section of 1", 24, 56 + 40 + 184): ("top", "left", 10.5),
        ("different", 24 + 116, 56 + 40 + 184 + 40 + 40 - 3): over_pair,
    }
    x, y = figure._suptitle.get_position()
    assert (x, y) == (0.5, 1 - 12 / height)
    assert figure._suptitle.get_va() == "top"
    extents = [image.get_extent() for image in axes.images]
    left, top = 24, 56 + 40 + 40
    assert extents[:2] == [
        [left, left + 112, top + 112, top],
        [left + 120, left + 232, top + 112, top],
    ]
    assert axes.get_xlim() == (0, 544)
    assert axes.get_ylim() == (height, 0)


def test_the_page_of_the_curves():
    """Broken otherwise: a panel is missing room, curves are cut off at its edge, or the frame and
    the lines behind the curves are louder than they.
    """
    figure = plots.curves_figure("t", 4, TRAIN, TEST)
    assert pixels(figure) == (1280, 520)
    for axes in figure.axes:
        assert axes.get_subplotspec().get_geometry()[:2] == (1, 2)
        assert {name: s.get_visible() for name, s in axes.spines.items()} == {
            "left": True,
            "bottom": True,
            "top": False,
            "right": False,
        }
        assert {line.get_label(): line.get_markersize() for line in axes.lines} == {
            "training": 4,
            "test": 6,
        }
        for line in axes.lines:
            assert line.get_clip_on() is False
            assert line.get_in_layout() is False
        assert {line.get_alpha() for line in axes.get_xgridlines()} == {0.3}
        assert {text.get_va() for text in axes.texts} == {"center"}


@pytest.mark.parametrize(
    ("heights", "apart"),
    [
        ([], []),
        ([0.5], [0.5]),
        ([0.2, 0.7], [0.2, 0.7]),
        ([0.5, 0.5], [0.465, 0.535]),
        ([0.25, 0.3], [0.24, 0.31]),
    ],
)
def test_labels_are_moved_apart_around_their_middle(heights, apart):
    """Broken otherwise: two labels lie on each other, or far from the ends of their curves."""
    assert plots._apart(heights) == pytest.approx(apart, rel=2**-50)


def test_labels_that_just_touch_stay_where_they_are():
    """Broken otherwise: they are moved by a rounding."""
    heights = [0.3, 0.3 + plots.LABEL_HEIGHT]
    assert heights[1] - heights[0] == plots.LABEL_HEIGHT
    assert plots._apart(heights) == heights


def test_labels_stand_in_the_order_of_the_last_values():
    """Broken otherwise: the upper label belongs to the lower curve."""
    figure = plots.curves_figure("t", 4, TRAIN, TEST)
    for axes in figure.axes:
        ends = sorted(
            (text.get_position()[1], float(text.get_text().split()[1])) for text in axes.texts
        )
        assert [value for _, value in ends] == sorted(value for _, value in ends)
