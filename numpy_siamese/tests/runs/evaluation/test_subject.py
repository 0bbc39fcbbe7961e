"""What is evaluated: the images of a split, seen classes and unseen ones, and a run's own data."""

import numpy as np
import pytest

from numpy_siamese.data import load
from numpy_siamese.inference import NumpyNetwork
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.evaluation.subject import read_subject
from numpy_siamese.tests.support.drawings import write_drawings
from numpy_siamese.tests.support.evaluations import trained_on
from numpy_siamese.tests.support.tiny import split
from numpy_siamese.tests.support.written import idx_images, idx_labels, write_idx_folder


def subject(run, data=None, half="test"):
    return read_subject(run, data, half, NumpyNetwork, TrainConfig)


@pytest.fixture
def letters(tmp_path):
    """A folder with other images to train than to test, of the classes that runs have here."""
    folder = tmp_path / "letters"
    folder.mkdir()
    write_idx_folder(folder, *split([4, 5, 6, 7], seed=3))
    images, labels = split([5, 5, 5, 5], seed=4)
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx_images(images))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx_labels(labels))
    return folder


def test_the_split_is_the_one_that_was_asked_for(finished, letters):
    """Broken otherwise: a network is judged on what it has learnt by heart."""
    dataset = load(letters)
    assert len(dataset.train.labels) == 22
    for half in ("test", "train"):
        found = subject(finished, str(letters), half)
        np.testing.assert_array_equal(found.images.images, getattr(dataset, half).images)
        np.testing.assert_array_equal(found.images.labels, getattr(dataset, half).labels)


def test_seen_and_unseen_images_are_told_apart_on_other_data_of_the_same_classes(held_out, letters):
    """Broken otherwise: classes that the network never saw pass for seen ones in a larger set."""
    for data in (None, str(letters)):
        found = subject(held_out, data)
        labels = found.images.labels
        assert {*labels[found.seen].tolist()} == {0, 2}
        assert {*labels[found.unseen].tolist()} == {1, 3}
        assert len(found.seen) + len(found.unseen) == len(labels)
        assert found.names_of(found.unseen) == ["1", "3"]
        assert found.is_own == (data is None)


def test_other_classes_hold_nothing_out(held_out, tmp_path):
    """Broken otherwise: a data set whose classes are called the same by chance loses some."""
    write_idx_folder(tmp_path, *split([4, 4, 4]))
    found = subject(held_out, str(tmp_path))
    assert (len(found.seen), len(found.unseen), found.held.tolist()) == (12, 0, [])


def test_a_moved_folder_of_images_is_split_as_in_training(tmp_path):
    """Broken otherwise: the network is judged on images that it was trained on."""
    shapes, moved = write_drawings(tmp_path / "shapes", 8), tmp_path / "moved"
    run = trained_on(shapes, tmp_path / "run", "--test-share", "0.5", "--seed", "7")
    own = subject(run)
    assert own.is_own
    shapes.rename(moved)
    found = subject(run, str(moved))
    assert found.is_own
    np.testing.assert_array_equal(found.images.images, own.images.images)


def test_data_with_a_test_set_of_their_own_are_not_split(tmp_path, letters):
    """Broken otherwise: a run on a folder of images cannot be evaluated on anything else."""
    shapes = write_drawings(tmp_path / "shapes", 8)
    run = trained_on(shapes, tmp_path / "run", "--test-share", "0.5")
    assert len(subject(run, str(letters)).images.labels) == 20
