"""The picture of mistakes: which pairs it shows, in which order, under which names."""

import numpy as np
import pytest

from numpy_siamese.pictures import mistakes
from numpy_siamese.tests.support.figures import assert_nothing_overlaps, words_of
from numpy_siamese.tests.support.tiny import split

pytestmark = pytest.mark.usefixtures("warnings_are_errors")

IMAGES, LABELS = split([3, 3])
NAMES = {0: "zero", 1: "one"}
OF_CLASS = [np.flatnonzero(label == LABELS) for label in (0, 1)]


def call(probs, targets, **changed):
    """Draw pairs of the given truth; in both kinds the left image is of class zero."""
    targets = np.array(targets, float)[:, None]
    left = np.full(len(targets), OF_CLASS[0][0])
    right = np.where(targets[:, 0] == 1, OF_CLASS[0][1], OF_CLASS[1][0])
    arguments = {"images": IMAGES, "left_index": left, "right_index": right, "targets": targets}
    arguments |= {"probs": np.array(probs)[:, None], "class_names": NAMES, "labels": LABELS}
    return mistakes.mistakes_figure(**arguments | changed)


def test_mistakes_of_both_kinds_stand_apart_the_worst_first():
    """Broken otherwise: right verdicts among them, or a near miss before a blunder."""
    words = words_of(call([0.6, 0.9, 0.4, 0.1, 0.3, 0.8], [0, 0, 0, 1, 1, 1]))
    captions = [text for text in words if "truth" in text]
    assert captions == [
        "same, p(same) = 0.900\ntruth: zero / one (wrong)",
        "same, p(same) = 0.600\ntruth: zero / one (wrong)",
        "different, p(same) = 0.100\ntruth: both zero (wrong)",
        "different, p(same) = 0.300\ntruth: both zero (wrong)",
    ]
    assert "2 of 3 different pairs taken for the same, the worst first" in words
    assert "2 of 3 same pairs taken for different, the worst first" in words


def test_the_images_are_those_of_the_pair():
    """Broken otherwise: a verdict stands over other images."""
    figure = call([0.9, 0.1], [0, 1])
    shown = [image.get_array()[:, :, 0] for image in figure.axes[0].images]
    first = OF_CLASS[0][0]
    for found, n in zip(shown, [first, OF_CLASS[1][0], first, OF_CLASS[0][1]], strict=True):
        np.testing.assert_array_equal(found, IMAGES[n])


def test_ten_of_a_kind_are_enough():
    """Broken otherwise: a bad network has a picture of thousands of pairs."""
    words = words_of(call([0.9] * 30, [0] * 30))
    assert sum("truth" in text for text in words) == mistakes.EACH_KIND
    assert "30 of 30 different pairs taken for the same, the worst first" in words


def test_a_network_without_mistakes_is_told_so():
    """Broken otherwise: an empty picture, or none, for the best of networks."""
    figure = call([0.1, 0.9], [0, 1])
    words = words_of(figure)
    assert "0 of 1 different pairs taken for the same" in words
    assert "0 of 1 same pairs taken for different" in words
    assert_nothing_overlaps(figure)


def test_every_text_can_be_read():
    """Broken otherwise: long names of classes run into each other."""
    long = {0: "a $class$ with a name that is much too long to stand over a pair", 1: "数字"}
    figure = call([0.9] * 6 + [0.1] * 6, [0] * 6 + [1] * 6, class_names=long)
    assert_nothing_overlaps(figure)


def test_labels_are_as_many_as_images():
    """Broken otherwise: the names of other images stand over a pair."""
    with pytest.raises(ValueError, match=r"^labels must be \(6,\), got \(5,\)"):
        call([0.9], [0], labels=LABELS[:5])
