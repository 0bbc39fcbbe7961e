"""Data sets, and the batches that are gathered from them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_siamese.data.dataset import Dataset, Split, gather
from numpy_siamese.tests.support.tiny import dataset, split


@given(st.lists(st.integers(0, 6), max_size=9), st.sampled_from([np.float32, np.float64]))
def test_gather_takes_raw_pixels_with_the_batch_innermost(index, dtype):
    """Broken otherwise: pixels are rescaled, turned or of another image, or lie in memory so that
    every operation of the network runs over short rows.
    """
    images = split([4, 3]).images
    assert np.unique(images).size == 256  # every value of a pixel occurs
    batch = gather(images, np.array(index, np.int64), dtype)
    expected = [[images[i].tolist()] for i in index]
    np.testing.assert_array_equal(
        batch, np.array(expected, dtype).reshape(-1, 1, 28, 28), strict=True
    )
    assert batch.transpose(1, 2, 3, 0).flags.c_contiguous


def test_gather_leaves_the_images_alone():
    """Broken otherwise: what the network does to a batch changes the data set."""
    images = split([2, 2]).images
    before = images.copy()
    gather(images, np.arange(4), np.float32)[...] = -1
    np.testing.assert_array_equal(images, before, strict=True)


@pytest.mark.parametrize("part", range(4))
def test_the_checksum_covers_every_image_and_label(part):
    """Broken otherwise: a run says that it saw data which it did not see."""
    digits, other = dataset(), dataset()
    [*other.train, *other.test][part].flat[-1] ^= 1
    assert other.checksum() != digits.checksum()


def test_the_checksum_is_of_the_values_not_of_their_layout():
    """Broken otherwise: CSV and IDX files of the same digits count as different data."""
    digits = dataset()
    images, labels = digits.train
    train = Split(np.asfortranarray(images), np.repeat(labels, 2)[::2])
    assert Dataset("other name", train, digits.test).checksum() == digits.checksum()


def test_a_label_is_called_as_its_number_or_as_it_is_named():
    """Broken otherwise: pictures and answers name other classes, or none."""
    digits = dataset()
    assert digits.class_names == {0: "0", 1: "1", 2: "2", 3: "3"}
    names = {3: "d", 0: "a", 1: "b", 2: "c", 9: "unused"}
    assert Dataset("it", *dataset_halves(), names).class_names == dict(enumerate("abcd"))


def dataset_halves() -> tuple[Split, Split]:
    digits = dataset()
    return digits.train, digits.test


@pytest.mark.parametrize(
    ("names", "error", "said"),
    [
        ({0: "a"}, ValueError, "class_names must name every label, got none for 1"),
        ({0: "a", 1: 1, 2: "c", 3: "d"}, TypeError, "class_names must be strings, got int"),
        ({0: "a", 1: "", 2: "c", 3: "d"}, ValueError, "must differ and not be empty, got '' for 1"),
        ({0: "a", 1: "b", 2: "a", 3: "d"}, ValueError, "not be empty, got 'a' for 2"),
    ],
)
def test_names_that_tell_no_classes_apart_are_refused(names, error, said):
    """Broken otherwise: two classes have one name, or a label has none where it is needed."""
    with pytest.raises(error, match=said):
        Dataset("it", *dataset_halves(), names)
