"""The picture of mistakes: which pairs it shows, in which order, under which names."""

import numpy as np
import pytest

from numpy_siamese.pictures import mistakes
from numpy_siamese.tests.support.figures import assert_nothing_overlaps, words_of
from numpy_siamese.tests.support.tiny import split

pytestmark = pytest.mark.usefixtures("warnings_are_errors")

IMAGES, LABELS = split([12, 12])
NAMES = {0: "zero", 1: "one"}
OF_CLASS = [np.flatnonzero(label == LABELS) for label in (0, 1)]


def call(probs, targets, **changed):
    """Draw pairs of the given truth, no two alike; the left images are of class zero."""
    targets = np.array(targets, float)[:, None]
    turn, place = np.divmod(np.arange(len(targets)), 12)
    left, right = OF_CLASS[0][place], OF_CLASS[1][(place + turn) % 12]
    right = np.where(targets[:, 0] == 1, OF_CLASS[0][(place + turn + 1) % 12], right)
    arguments = {"images": IMAGES, "left_index": left, "right_index": right, "targets": targets}
    arguments |= {"probs": np.array(probs)[:, None], "class_names": NAMES, "labels": LABELS}
    return mistakes.mistakes_figure(**arguments | changed)


def test_mistakes_of_both_kinds_stand_apart_the_worst_first():
    """Broken otherwise: right verdicts among them, or a near miss before a blunder."""
    words = words_of(call([0.6, 0.9, 0.4, 0.1, 0.3, 0.8], [0, 0, 0, 1, 1, 1]))
    captions = [text for text in words if "truth" in text]
    assert captions == [
        "same, p(same) = 0.900\ntruth: different (wrong)",
        "same, p(same) = 0.600\ntruth: different (wrong)",
        "different, p(same) = 0.100\ntruth: same (wrong)",
        "different, p(same) = 0.300\ntruth: same (wrong)",
    ]
    names = [text for text in words if text in NAMES.values()]
    assert names == ["zero", "one"] * 2 + ["zero", "zero"] * 2
    assert "2 of 3 different pairs taken for the same, the worst first" in words
    assert "2 of 3 same pairs taken for different, the worst first" in words


def test_the_images_are_those_of_the_pair():
    """Broken otherwise: a verdict stands over other images."""
    figure = call([0.9, 0.1], [0, 1])
    shown = [image.get_array()[:, :, 0] for image in figure.axes[0].images]
    zeros, (one, *_) = OF_CLASS
    for found, n in zip(shown, [zeros[0], one, zeros[1], zeros[2]], strict=True):
        np.testing.assert_array_equal(found, IMAGES[n])


def test_ten_of_a_kind_are_enough():
    """Broken otherwise: a bad network has a picture of thousands of pairs."""
    words = words_of(call([0.9] * 30, [0] * 30))
    assert sum("truth" in text for text in words) == mistakes.EACH_KIND
    assert "30 of 30 different pairs taken for the same, the worst first" in words


def test_two_images_are_a_mistake_once():
    """Broken otherwise: of a few images one pair fills the picture, now and then mirrored."""
    left, right = (OF_CLASS[k][[0, 0, 0]] for k in (0, 1))
    left[1], right[1] = right[1], left[1]
    sides = {"left_index": left, "right_index": right}
    words = words_of(call([0.9, 0.9, 0.8], [0, 0, 0], **sides))
    assert sum("truth" in text for text in words) == 1
    assert "3 of 3 different pairs taken for the same, the worst first" in words


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


def test_each_name_stands_over_its_image_in_one_line():
    """Broken otherwise: a name hides its partner's, or a line end in it moves images down."""
    names = {0: "W" * 300, 1: "a\nb"}
    figure = call([0.9, 0.1], [0, 1], class_names=names)
    (axes,) = figure.axes
    boxes = [image.get_extent() for image in axes.images]
    over = [text for text in axes.texts if not {"truth", "pairs"} & set(text.get_text().split())]
    over = [text for text in over if "truth:" not in text.get_text()]
    for text, (left, right, _, top) in zip(over, boxes, strict=True):
        assert text.get_position() == ((left + right) / 2, top - 3)
        box = text.get_window_extent()
        assert left <= box.x0
        assert box.x1 <= right
    assert over[1].get_text() == "a\\nb"
    assert len({top for *_, top in boxes}) == 2, "a row for each kind"


def test_labels_are_as_many_as_images():
    """Broken otherwise: the names of other images stand over a pair."""
    with pytest.raises(ValueError, match=r"^labels must be \(24,\), got \(5,\)"):
        call([0.9], [0], labels=LABELS[:5])
