"""Images for one-shot trials say what is amiss with them."""

import dataclasses

import numpy as np
import pytest

from numpy_siamese.data.one_shot_images import Drawings, OfficialRun
from numpy_siamese.tests.support import omniglot

IMAGES = np.zeros((3, 28, 28), np.uint8)
NUMBERS = np.arange(3)


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"images": IMAGES.astype(np.int64)}, TypeError, "images must be uint8, got int64"),
        ({"images": IMAGES[0]}, ValueError, r"images must be \(n, H, W\), got \(28, 28\)"),
        ({"labels": NUMBERS[:2]}, ValueError, r"labels must be \(3,\), got \(2,\)"),
        ({"alphabets": NUMBERS / 1}, TypeError, "alphabets must be integers, got float64"),
        ({"drawers": NUMBERS[:, None]}, ValueError, r"drawers must be \(3,\), got \(3, 1\)"),
    ],
)
def test_drawings_that_do_not_fit_are_refused(changes, error, said):
    """Broken otherwise: a trial is drawn with another drawer's or character's image."""
    parts = {"images": IMAGES, "labels": NUMBERS, "alphabets": NUMBERS, "drawers": NUMBERS}
    with pytest.raises(error, match=said):
        Drawings(**parts | changes)


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"test": IMAGES[0]}, ValueError, r"test must be \(n, H, W\), got \(28, 28\)"),
        ({"training": IMAGES / 1}, TypeError, "training must be uint8, got float64"),
        ({"training": IMAGES[:2]}, ValueError, r"training must be \(3, 28, 28\) as test is"),
        ({"answers": np.array([0, 1, 1])}, ValueError, r"answers must be a permutation of 0\.\.2"),
        ({"answers": np.array([1, 2, 3])}, ValueError, r"answers must be a permutation of 0\.\.2"),
        ({"answers": NUMBERS[:2]}, ValueError, r"answers must be \(3,\), got \(2,\)"),
    ],
)
def test_runs_that_do_not_fit_are_refused(changes, error, said):
    """Broken otherwise: an item has no answer, or one that is not there."""
    parts = {"test": IMAGES, "training": IMAGES, "answers": NUMBERS}
    with pytest.raises(error, match=said):
        OfficialRun("Greek", **parts | changes)


@pytest.mark.parametrize("name", ["images", "labels", "alphabets", "drawers"])
@pytest.mark.parametrize("half", ["validation", "test"])
def test_the_checksum_of_the_data_covers_every_drawing(half, name):
    """Broken otherwise: a run is judged by trials of other data than are recorded."""
    whole = omniglot.dataset(runs=0)
    drawings = getattr(whole.one_shot, half)
    changed = getattr(drawings, name).copy()
    changed.flat[-1] ^= 2
    other = dataclasses.replace(drawings, **{name: changed})
    one_shot = dataclasses.replace(whole.one_shot, **{half: other})
    assert dataclasses.replace(whole, one_shot=one_shot).checksum() != whole.checksum()


def test_the_checksum_of_the_data_covers_the_validation_split():
    """Broken otherwise: settings are chosen on other images than are recorded."""
    whole = omniglot.dataset(runs=0)
    images = whole.validation.images.copy()
    images.flat[0] ^= 1
    other = dataclasses.replace(whole, validation=whole.validation._replace(images=images))
    assert other.checksum() != whole.checksum()


def test_the_data_are_the_same_with_and_without_official_runs():
    """Broken otherwise: a run that was trained without the archive of runs cannot be judged."""
    assert omniglot.dataset(runs=2).checksum() == omniglot.dataset(runs=0).checksum()


def test_characters_that_are_only_drawn_to_validate_have_names_as_well():
    """Broken otherwise: a character of a trial has no name, or no alphabet."""
    whole = omniglot.dataset()
    assert [*whole.class_names] == [*whole.alphabets] == [*range(87)]
    assert whole.class_names[50] == "Alphabet4/character51"
    with pytest.raises(ValueError, match="alphabets must hold every label, got none for 20"):
        dataclasses.replace(whole, alphabets={k: v for k, v in whole.alphabets.items() if k != 20})


def test_the_answers_of_a_run_lead_to_the_same_character():
    """Broken otherwise: the small data set that other tests judge by has wrong answers."""
    whole = omniglot.dataset()
    known = {
        image.tobytes(): int(label)
        for image, label in zip(whole.one_shot.test.images, whole.one_shot.test.labels, strict=True)
    }
    for run in whole.one_shot.runs:
        asked = [known[image.tobytes()] for image in run.test]
        shown = [known[image.tobytes()] for image in run.training[run.answers]]
        assert asked == shown
        assert len(set(asked)) == 20
