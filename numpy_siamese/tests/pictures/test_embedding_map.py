"""The map of embeddings: points at their places, images that can be seen, names of classes."""

from itertools import combinations

import numpy as np
import pytest

from numpy_siamese.pictures import embedding_map
from numpy_siamese.pictures.embedding_map import THUMBNAIL, map_figure, map_picture
from numpy_siamese.tests.support.figures import assert_nothing_overlaps, words_of
from numpy_siamese.tests.support.tiny import split

pytestmark = pytest.mark.usefixtures("warnings_are_errors")

IMAGES, LABELS = split([30, 30, 30])
POINTS = np.random.default_rng(0).normal(size=(90, 2)) + 4 * LABELS[:, None]
NAMES = {0: "zero", 1: "one", 2: "$two$"}


def call(points=POINTS, images=IMAGES, labels=LABELS, names=None, method="PCA"):
    return map_figure(points, images, labels, names or NAMES, method)


def centres(figure):
    boxes = [image.get_extent() for image in figure.axes[0].images]
    return np.array([[(x0 + x1) / 2, (y0 + y1) / 2] for x0, x1, y0, y1 in boxes])


def test_places_keep_the_directions_and_proportions_of_the_points():
    """Broken otherwise: axes are exchanged, mirrored or stretched, and distances mean nothing."""
    places = embedding_map._placed(np.array([[0, 0], [4, 0], [0, 1]], np.float32))
    (right, none), (zero, up) = places[1] - places[0], places[2] - places[0]
    assert (none, zero) == (0, 0)
    assert right == pytest.approx(4 * up)
    assert up > 0
    assert (places > THUMBNAIL / 2).all()
    assert (places < embedding_map.SIZE - THUMBNAIL / 2).all()


def test_thumbnails_do_not_hide_each_other():
    """Broken otherwise: a heap of images of which none can be seen."""
    shown = centres(call())
    assert len(shown) > 20
    for place, other in combinations(shown, 2):
        assert abs(place - other).max() >= THUMBNAIL


def test_every_image_is_a_thumbnail_or_a_dot():
    """Broken otherwise: points get lost where there is no room for images."""
    figure = call()
    dots = sum(
        len(line.get_xdata()) for line in figure.axes[0].lines if line.get_marker() != "None"
    )
    assert len(figure.axes[0].images) + dots == 90


def test_a_thumbnail_is_its_own_image_dark_on_white():
    """Broken otherwise: the image of another point stands there."""
    figure = call(POINTS[:1], IMAGES[:1], LABELS[:1])
    (image,) = figure.axes[0].images
    np.testing.assert_array_equal(image.get_array()[:, :, 0], 255 - IMAGES[0])


def test_classes_are_named_and_the_axes_too():
    """Broken otherwise: a reader in grey cannot tell the classes."""
    words = words_of(call())
    assert {"zero", "one", "$two$", "PCA, axis 1", "PCA, axis 2"} <= set(words)
    assert "90 images, PCA of their embeddings" in words


def test_names_are_moved_apart_where_classes_lie_on_each_other():
    """Broken otherwise: one class's name hides another's."""
    figure = call(np.zeros((90, 2)))
    assert len(figure.axes[0].images) == 1
    assert_nothing_overlaps(figure)


@pytest.mark.parametrize("factor", [2.0**-1040, 2.0**-100, 2.0**100, 2.0**1023])
def test_places_do_not_depend_on_the_scale(factor):
    """Broken otherwise: embeddings of a network that collapsed or exploded end in nan."""
    corners = np.array([[-1, -1], [1, 0], [0, 1], [1, 1]], np.float64)
    with np.errstate(all="raise", under="ignore"):
        found = embedding_map._placed(corners * factor)
    np.testing.assert_array_equal(found, embedding_map._placed(corners))


def test_points_on_a_line_have_a_place():
    """Broken otherwise: an axis without extent is divided by."""
    with np.errstate(all="raise"):
        places = embedding_map._placed(np.array([[0, 3], [2, 3], [4, 3]], np.float64))
    assert places[:, 1].tolist() == [embedding_map.SIZE / 2] * 3
    assert np.diff(places[:, 0]).tolist() == [(embedding_map.SIZE - 140 - THUMBNAIL) / 2] * 2


def names_at(places, length):
    """Return the map of classes of long names at such places."""
    n = len(places)
    names = {k: f"{k:0{length}}" for k in range(n)}
    return map_figure(places, np.resize(IMAGES, (n, 28, 28)), np.arange(n), names, "PCA")


def test_names_stay_on_the_page_and_as_near_as_they_can():
    """Broken otherwise: names of classes at the edge or in a crowd leave the page."""
    edge = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0], [0.5, 0.01]])
    figure = names_at(edge, 12)
    assert_nothing_overlaps(figure)
    places = embedding_map._placed(edge)
    texts = {text.get_text(): text for text in figure.axes[0].texts}
    moved = [texts[f"{k:012}"].get_position() - place for k, place in enumerate(places)]
    assert moved[4].tolist() == [0, 0]
    assert 0 < abs(moved[5]).max() <= 48
    assert moved[5].min() == 0, "aside instead of the shortest way up"


def test_names_of_many_classes_leave_the_map_to_be_seen():
    """Broken otherwise: names hide the points, lie on each other, or lack without a word."""
    figure = names_at(np.random.default_rng(0).normal(0, 0.01, size=(700, 2)), 12)
    assert_nothing_overlaps(figure)
    words = words_of(figure)
    shown = sum(len(text) == 12 for text in words)
    assert 20 < shown <= 40
    assert f"{shown} of 700 classes named: there is no room for more" in words


def test_many_classes_have_colours_of_their_own():
    """Broken otherwise: two classes look the same."""
    colors = embedding_map._colors(47)
    assert len({tuple(np.round(color, 6)) for color in colors}) == 47


def test_the_same_map_has_the_same_bytes():
    """Broken otherwise: a run that is embedded again leaves another file."""
    arguments = POINTS, IMAGES, LABELS, NAMES, "t-SNE"
    assert map_picture(*arguments) == map_picture(*arguments)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"points": POINTS[:5]}, r"points, images and labels must be"),
        ({"labels": LABELS[:5]}, r"points, images and labels must be"),
        ({"points": POINTS[:0], "images": IMAGES[:0], "labels": LABELS[:0]}, "n > 0"),
        ({"points": POINTS * np.nan}, "points must be finite"),
    ],
)
def test_what_does_not_fit_is_refused(changed, said):
    """Broken otherwise: points without images, or images without points."""
    with pytest.raises(ValueError, match=said):
        call(**changed)
