"""Validation: no image on both sides, each class on either, the same ones for a seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.data.validation import split_images, validation_and_test_pairs


@st.composite
def labels_of_classes(draw):
    """Labels of two classes at least, any integers in any order, 4 images of each at least."""
    values = draw(st.lists(st.integers(-(2**62), 2**62), min_size=2, max_size=5, unique=True))
    extra = draw(st.lists(st.sampled_from(values), max_size=30))
    return np.array(draw(st.permutations(values * 4 + extra)))


seeds = st.integers(0, 2**128 - 1)
shares = st.floats(0.01, 0.99)


@given(labels_of_classes(), seeds, shares)
def test_every_image_is_on_one_side_and_each_class_on_both(labels, seed, share):
    """Broken otherwise: a threshold is chosen on images that it is tested on, or a class that has
    no pair without an image and itself ends in an error later.
    """
    validation, test = split_images(labels, seed, share)
    assert sorted([*validation, *test]) == list(range(len(labels)))
    for index in (validation, test):
        assert index.dtype == np.int64
        assert (np.diff(index) > 0).all()
        assert np.unique(labels[index], return_counts=True)[1].min() >= 2
    for value in np.unique(labels):
        c = int((labels == value).sum())
        rounded = int(np.floor(share * c + 0.5))
        taken = int((labels[validation] == value).sum())
        assert taken == max(2, min(rounded, c - 2))


def test_half_an_image_is_rounded_up():
    """Broken otherwise: classes of 5 and of 7 images have other shares than the text says."""
    for c, taken in ((5, 3), (7, 4), (9, 5), (11, 6)):
        validation, _ = split_images([0, 1] * c, seed=0, share=0.5)
        assert np.bincount(validation % 2).tolist() == [taken, taken]


def test_the_seed_counts_modulo_2_to_the_128():
    """Broken otherwise: seeds that differ far up give the same images."""
    first = split_images([0, 1] * 50, seed=3)[0].tolist()
    assert split_images([0, 1] * 50, seed=3 + 2**128)[0].tolist() == first
    assert split_images([0, 1] * 50, seed=3 + 2**64)[0].tolist() != first


def test_the_same_images_are_kept_apart_in_every_version():
    """Broken otherwise: figures that were published are of other images."""
    validation, _ = split_images(np.arange(24) % 2, seed=0, share=0.25)
    assert validation.tolist() == [0, 8, 13, 17, 18, 23]


@given(labels_of_classes(), seeds)
def test_a_seed_splits_the_same_way_whatever_the_labels_are_called(labels, seed):
    """Broken otherwise: a run on the same images with classes as strings is tested on others."""
    names = np.unique(labels, return_inverse=True)[1]
    for found, again in zip(split_images(labels, seed), split_images(names, seed), strict=True):
        np.testing.assert_array_equal(found, again)


def test_which_images_validate_depends_on_the_seed_alone():
    """Broken otherwise: the first images of a class are always those, or never.

    Each of 20 images is one of 10 with a chance of one half. Of 400 seeds it is for 200, with a
    standard deviation of 10. All lie within six but with a chance of 20·2·10⁻⁹.
    """
    labels = np.repeat([0, 1], 20)
    taken = np.zeros(40)
    for seed in range(400):
        taken[split_images(labels, seed, 0.5)[0]] += 1
    assert (abs(taken - 200) < 60).all()
    assert len(set(taken.tolist())) > 1


@given(labels_of_classes(), st.integers(2, 20), st.integers(2, 20), seeds)
def test_pairs_of_the_two_sides_share_no_image(labels, validation_pairs, test_pairs, seed):
    """Broken otherwise: indices into a side are taken for indices into all images."""
    drawn = validation_and_test_pairs(labels, validation_pairs, test_pairs, seed)
    parts = split_images(labels, seed)
    for (left, right, targets), part, pairs in zip(
        drawn, parts, (validation_pairs, test_pairs), strict=True
    ):
        assert (len(left), len(right), targets.shape) == (pairs, pairs, (pairs, 1))
        assert set(left) | set(right) <= set(part)
        assert (left != right).all()
        np.testing.assert_array_equal(labels[left] == labels[right], targets[:, 0] == 1)


def test_either_side_has_the_pairs_of_its_own_stream():
    """Broken otherwise: test pairs repeat the classes of pairs that were trained on."""
    labels = np.repeat([2, 0, 1], 20)
    drawn = validation_and_test_pairs(labels, 30, 40, seed=7)
    for found, images, N, split in zip(
        drawn, split_images(labels, 7), (30, 40), ("validation", "test"), strict=True
    ):
        sampler = PairSampler(labels[images], N, 7, split, allow_self_pairs=False)
        left, right, targets = sampler.batch(0, 0)
        for part, expected in zip(found, (images[left], images[right], targets), strict=True):
            np.testing.assert_array_equal(part, expected, strict=True)


def test_the_two_sides_draw_from_streams_of_their_own():
    """Broken otherwise: validation pairs are the test pairs' images, shifted."""
    labels = np.repeat(np.arange(10), 100)
    validation, test = validation_and_test_pairs(labels, 500, 500, seed=0, share=0.5)
    assert (labels[validation[0]] == labels[test[0]]).mean() < 0.5


@pytest.mark.parametrize(
    ("labels", "changed", "kind", "said"),
    [
        ([0] * 3 + [7] * 4, {}, ValueError, "^labels must have at least 4 .* got 3 of class 0$"),
        ([0] * 5 + [7], {}, ValueError, "got 1 of class 7$"),
        ([0] * 8, {}, ValueError, "^labels must be of at least two classes, got 1$"),
        ([], {}, ValueError, "^labels must be of at least two classes, got 0$"),
        ([0, 1] * 4, {"share": 0}, ValueError, r"^share must lie between 0 and 1, got 0\.0$"),
        ([0, 1] * 4, {"share": 1.0}, ValueError, r"^share must lie between 0 and 1, got 1\.0$"),
        ([0, 1] * 4, {"share": "half"}, TypeError, "^share must be a real number"),
        ([0, 1] * 4, {"seed": 0.5}, TypeError, "^seed must be an int"),
        ([0, 0.5] * 4, {}, ValueError, "^labels must be whole numbers"),
    ],
)
def test_images_that_cannot_be_split_are_refused(labels, changed, kind, said):
    """Broken otherwise: validation is empty, and a threshold is asked of no pair."""
    with pytest.raises(kind, match=said):
        split_images(labels, **({"seed": 0} | changed))


@pytest.mark.parametrize("name", ["validation_pairs", "test_pairs"])
def test_either_side_has_a_pair_of_each_kind(name):
    """Broken otherwise: the error names the sampler's batch, which the caller did not give."""
    given_pairs = {"validation_pairs": 2, "test_pairs": 2, name: 1}
    with pytest.raises(ValueError, match=f"^{name} must be at least 2, got 1"):
        validation_and_test_pairs([0, 1] * 4, seed=0, **given_pairs)
