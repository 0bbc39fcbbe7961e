"""Views: what the first is, on what the others depend, what is refused."""

import numpy as np
import pytest

from numpy_siamese.data.distortions import Distortions
from numpy_siamese.data.views import VIEW_STRENGTH, view

IMAGES = np.random.default_rng(1).integers(0, 256, (9, 12, 10), dtype=np.uint8)
EVERY = np.arange(len(IMAGES))


def test_the_first_view_is_the_images():
    """Broken otherwise: one view is another evaluation than none."""
    np.testing.assert_array_equal(view(IMAGES, EVERY, 0, seed=3), IMAGES, strict=True)


@pytest.mark.parametrize("number", [1, 2, 9])
def test_others_are_distorted_by_their_place_alone(number):
    """Broken otherwise: an image is seen otherwise beside other images, and nothing is repeated."""
    distortions = Distortions(5, VIEW_STRENGTH, "test")
    whole = distortions(IMAGES, epoch=number, k=0, side="left")
    np.testing.assert_array_equal(view(IMAGES, EVERY, number, 5), whole, strict=True)
    for chosen in ([6], [4, 0, 4], [8, 7, 6, 5, 4, 3, 2, 1, 0]):
        places = np.array(chosen)
        np.testing.assert_array_equal(view(IMAGES[places], places, number, 5), whole[places])
    assert not (whole == IMAGES).all(axis=(1, 2)).all()


def test_every_view_seed_and_place_has_a_distortion_of_its_own():
    """Broken otherwise: ten views are one view ten times."""
    alike = np.repeat(IMAGES[:1], 200, axis=0)
    seen = {}
    for number, seed in ((1, 0), (2, 0), (1, 1)):
        seen[number, seed] = view(alike, np.arange(200), number, seed)
        assert len(np.unique(seen[number, seed], axis=0)) > 150
    for one in seen.values():
        assert sum(np.array_equal(one, other) for other in seen.values()) == 1


def test_of_no_images_there_is_no_view():
    """Broken otherwise: an empty set ends in a traceback."""
    assert view(IMAGES[:0], EVERY[:0], 1).shape == (0, 12, 10)


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"places": EVERY[:3]}, ValueError, r"places must be \(9,\) as images are, got \(3,\)"),
        ({"places": EVERY - 1}, ValueError, "places must be at least 0, got -1"),
        ({"places": EVERY / 2}, TypeError, "places must be integers, got float64"),
        ({"number": -1}, ValueError, "number must be at least 0"),
    ],
)
def test_what_is_no_place_is_told(changed, error, message):
    """Broken otherwise: the last image's distortion passes for that of the one before the first."""
    with pytest.raises(error, match=message):
        view(**{"images": IMAGES, "places": EVERY, "number": 1} | changed)
