"""Which characters official runs are of: found by their images, or told that they cannot be."""

import dataclasses

import numpy as np
import pytest

from numpy_siamese.data.official_characters import official_characters
from numpy_siamese.tests.support import omniglot

DRAWINGS = omniglot.drawings({4: 24, 5: 20}, first_label=7)
RUNS = [omniglot.official_run(DRAWINGS, alphabet, seed) for seed, alphabet in enumerate((4, 5, 4))]


def test_each_is_that_of_both_its_images():
    """Broken otherwise: trials are of other characters than the published ones."""
    found = official_characters(RUNS, DRAWINGS)
    assert len(found) == len(RUNS)
    for run, labels in zip(RUNS, found, strict=True):
        assert labels.dtype == np.int64
        assert len(set(labels.tolist())) == len(labels) == 20
        for part, of in ((run.training, labels), (run.test, labels[run.answers])):
            for image, label in zip(part, of.tolist(), strict=True):
                own = DRAWINGS.images[DRAWINGS.labels == label]
                assert (own == image).all(axis=(1, 2)).any()


def test_an_image_of_two_characters_is_told_by_the_other():
    """Broken otherwise: two characters that are drawn alike once end an evaluation."""
    images = DRAWINGS.images.copy()
    label = official_characters(RUNS, DRAWINGS)[0][RUNS[0].answers[0]]
    other = np.flatnonzero(DRAWINGS.labels != label)[0]
    images[other] = RUNS[0].test[0]
    twice = dataclasses.replace(DRAWINGS, images=images)
    assert official_characters(RUNS[:1], twice)[0][RUNS[0].answers[0]] == label


@pytest.mark.parametrize("count", [0, 2])
def test_images_of_no_or_of_two_characters_are_refused(count):
    """Broken otherwise: a trial asks for a character that is not among the known."""
    run, labels = RUNS[1], official_characters(RUNS, DRAWINGS)[1]
    images = DRAWINGS.images.copy()
    both = [run.test[0], run.training[run.answers[0]]]
    if count:
        others = np.flatnonzero(DRAWINGS.labels == labels[run.answers[0]] - 1)
        images[others[:2]] = both
    else:
        images[(images == both[0]).all(axis=(1, 2))] = 0
    changed = dataclasses.replace(DRAWINGS, images=images)
    place = run.answers[0]
    with pytest.raises(ValueError, match=f"got {count} for training image {place} of run 0"):
        official_characters([run], changed)
