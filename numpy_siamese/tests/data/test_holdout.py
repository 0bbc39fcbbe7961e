"""Held-out classes: none of their images is left, and everything else stays."""

import numpy as np
import pytest

from numpy_siamese.data.dataset import Dataset, Split
from numpy_siamese.data.holdout import held_out_labels, without_classes
from numpy_siamese.errors import InputError
from numpy_siamese.tests.support.tiny import dataset, split

NAMES = {0: "circle", 1: "cross", 2: "square", 3: "a, b"}


def named() -> Dataset:
    """Return four classes, of which the third has no image to test."""
    train, test = split([5, 4, 3, 2], seed=1), split([4, 4, 0, 4], seed=2)
    return Dataset("drawn", train, test, NAMES, remarks=("4 classes",))


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (None, []),
        ("square", [2]),
        (" square , circle ", [0, 2]),
        ('"a, b"', [3]),
    ],
)
def test_classes_are_given_by_name(text, labels):
    """Broken otherwise: other classes are held out than those that were named."""
    found = held_out_labels(named(), text)
    np.testing.assert_array_equal(found, np.array(labels, np.int64), strict=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sqare", "found 'sqare' (did you mean 'square'?), expected classes of --data drawn"),
        ("7", "found '7', expected classes of --data drawn, with commas between: a, b, circle"),
        ("circle,", "found '', expected classes"),
        ("", "found '', expected classes"),
        ("cross,circle, cross", "found 'cross' twice, expected each class once"),
        (
            "circle,cross,square",
            "--holdout-classes circle,cross,square: leaves only class a, b to train, "
            "expected at least two",
        ),
        ('circle,cross,square,"a, b"', "leaves no class to train, expected at least two"),
        ("circle,cross", "leaves only class a, b to test, expected at least two"),
    ],
)
def test_classes_that_cannot_be_held_out_are_told(text, said):
    """Broken otherwise: a slip of the pen trains on all classes, or ends in an error of pairs."""
    with pytest.raises(InputError) as caught:
        held_out_labels(named(), text)
    assert said in str(caught.value)
    assert str(caught.value).startswith("--holdout-classes")


def test_two_classes_are_enough():
    """Broken otherwise: the least that can be trained on is refused."""
    assert held_out_labels(dataset(), "0,2").tolist() == [0, 2]


def test_nothing_of_a_held_out_class_is_left_and_all_else_is():
    """Broken otherwise: training or its test sees a held-out class, or loses an image of another.

    Labels are not renumbered, so that they mean the same in the whole data set.
    """
    whole = named()
    seen = without_classes(whole, [2, 0])
    for found, of in ((seen.train, whole.train), (seen.test, whole.test)):
        kept = [i for i, label in enumerate(of.labels.tolist()) if label in (1, 3)]
        np.testing.assert_array_equal(found.images, of.images[kept], strict=True)
        np.testing.assert_array_equal(found.labels, of.labels[kept], strict=True)
    assert seen.class_names == {1: "cross", 3: "a, b"}
    assert seen.remarks == ("4 classes", "held out: circle, square (8 training and 4 test images)")
    assert (seen.name, seen.preparation) == ("drawn", None)
    assert seen.whole is whole
    assert whole.remarks == ("4 classes",)


def test_a_part_of_a_part_is_one_of_the_whole():
    """Broken otherwise: the run records the checksum of a part, and --resume refuses the data."""
    whole = dataset()
    part = without_classes(without_classes(whole, np.array([3])), [0])
    assert part.whole is whole
    assert part.class_names == {1: "1", 2: "2"}


def test_without_held_out_classes_nothing_changes():
    """Broken otherwise: each run keeps a second copy of its images."""
    whole = dataset()
    assert without_classes(whole, held_out_labels(whole, None)) is whole


def test_a_class_that_is_not_there_is_refused():
    """Broken otherwise: a label of another data set holds out nothing, without a word."""
    with pytest.raises(ValueError, match=r"^labels must be classes of the data set, got 4$"):
        without_classes(dataset(), [0, 4])


def test_a_message_lists_a_hundred_classes():
    """Broken otherwise: a set of thousands of characters fills the terminal."""
    labels = np.repeat(np.arange(101), 2)
    half = Split(np.ones((202, 28, 28), np.uint8), labels)
    with pytest.raises(InputError, match=r"98 and 1 more$"):
        held_out_labels(Dataset("many", half, half), "x")
