"""What is evaluated: the images of a split, seen classes and unseen ones, and a run's own data."""

import shutil

import numpy as np
import pytest

import numpy_siamese
from numpy_siamese.data import load
from numpy_siamese.errors import InputError
from numpy_siamese.inference import NumpyNetwork
from numpy_siamese.model import SiameseNet
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.evaluation.subject import check_comparable, read_subject
from numpy_siamese.tests.support.drawings import write_drawings
from numpy_siamese.tests.support.evaluations import tiny_run, trained_on
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


def test_classes_that_training_never_saw_are_counted(finished, held_out, tmp_path):
    """Broken otherwise: a network passes for one that knows the letters which it is tried on."""
    same, letters = tmp_path / "same", write_drawings(tmp_path / "letters", 20)
    same.mkdir()
    write_idx_folder(same, *split([4, 4, 4, 4]))
    assert subject(finished).untrained_classes == 0
    assert subject(finished, str(same)).untrained_classes == 0
    assert subject(finished, str(letters)).untrained_classes == len(load(letters).class_names)
    assert [subject(held_out, data).untrained_classes for data in (None, str(same))] == [2, 2]


@pytest.mark.parametrize("share", [(), ("--test-share", "0.5")])
def test_a_moved_folder_of_images_is_split_as_in_training(tmp_path, share):
    """Broken otherwise: the network is judged on images that it was trained on."""
    shapes, moved = write_drawings(tmp_path / "shapes", 20), tmp_path / "moved"
    run = trained_on(shapes, tmp_path / "run", *share, "--seed", "7")
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


def test_the_untrained_network_is_the_one_that_training_began_with(tmp_path):
    """Broken otherwise: what training did is told from another beginning than its own."""
    found = subject(tiny_run(tmp_path, "--seed", "7"))
    for name, value in SiameseNet(7, np.float32).state_dict().items():
        np.testing.assert_array_equal(found.untrained.net.state_dict()[name], value, strict=True)


def test_a_held_out_class_has_its_name(tmp_path):
    """Broken otherwise: numbers stand where the classes have names."""
    shapes = write_drawings(tmp_path / "shapes", 20)
    (shapes / "cross").rename(shapes / "angle")
    shutil.copytree(shapes / "angle", shapes / "beam")
    run = trained_on(shapes, tmp_path / "run", "--holdout-classes", "angle,square")
    figures = numpy_siamese.evaluate(run, pairs=20, episodes=5, resamples=2)
    assert figures["held_out"] == figures["unseen"]["classes"] == ["angle", "square"]
    assert figures["classes"] == ["beam", "circle"]


def test_runs_with_other_shares_to_test_have_no_mean(tmp_path):
    """Broken otherwise: after all was computed, a traceback, for one has more shots than another.

    Another seed is another split of as many images.
    """
    shapes = write_drawings(tmp_path / "shapes", 16)
    flags = [("0.3", "0"), ("0.3", "1"), ("0.6", "0")]
    few, other_seed, many = (
        subject(trained_on(shapes, tmp_path / f"{k}", "--test-share", share, "--seed", seed))
        for k, (share, seed) in enumerate(flags)
    )
    check_comparable([few, other_seed])
    with pytest.raises(InputError, match="found a run with 30 images to test, expected 15 as "):
        check_comparable([few, many])


@pytest.mark.parametrize("others", ["1,2", "0,1"])
def test_runs_with_other_held_out_classes_have_no_mean(held_out, tmp_path, others):
    """Broken otherwise: unseen classes of one run are seen ones of another."""
    second = trained_on(held_out.parent / "data", tmp_path / "run", "--holdout-classes", others)
    with pytest.raises(InputError, match="found a run with other held-out classes"):
        check_comparable([subject(held_out), subject(second)])
