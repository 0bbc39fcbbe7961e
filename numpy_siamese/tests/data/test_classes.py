"""Batches of all pairs: which classes, which images, and from which stream."""

import numpy as np
import pytest

from numpy_siamese.data.classes import ClassSampler
from numpy_siamese.data.pairs import PairSampler

LABELS = np.repeat(np.arange(12), 5)
ALPHABETS = np.repeat([0, 1, 2], 4)


def test_classes_are_distinct_and_images_too():
    sampler = ClassSampler(LABELS, 12, seed=3)
    left, right, targets = sampler.batch(2, 7)
    assert sorted(LABELS[left]) == list(range(12))
    np.testing.assert_array_equal(LABELS[left], LABELS[right])
    assert (left != right).all()
    np.testing.assert_array_equal(targets, np.eye(12, dtype=np.float32), strict=True)


def test_few_classes_take_part_equally_often():
    left, right, targets = ClassSampler(LABELS % 3, 11, seed=3).batch(0, 0)
    assert sorted(np.unique(LABELS[left] % 3, return_counts=True)[1]) == [3, 4, 4]
    same = LABELS[left][:, None] % 3 == LABELS[right] % 3
    np.testing.assert_array_equal(targets, same.astype(np.float32), strict=True)


def test_every_image_and_class_is_as_likely():
    sampler = ClassSampler(LABELS, 4, seed=1)
    drawn = [sampler.batch(0, k) for k in range(3000)]
    for side in (0, 1):
        counts = np.bincount(np.concatenate([batch[side] for batch in drawn]), minlength=60)
        assert abs(counts - 200).max() < 5 * np.sqrt(200)  # 60 counts within five deviations
    pairs = np.bincount(np.concatenate([(b[1] - b[0]) % 5 for b in drawn]), minlength=5)
    assert pairs[0] == 0
    assert abs(pairs[1:] - 3000).max() < 5 * np.sqrt(3000)


def test_a_batch_is_the_same_alone_and_in_a_sequence():
    sampler = ClassSampler(LABELS, 5, seed=1)
    _, second = sampler.batches(3, [8, 9])
    for found, expected in zip(sampler.batch(3, 9), second, strict=True):
        np.testing.assert_array_equal(found, expected)
    others = (sampler.batch(3, 8), sampler.batch(2, 9), ClassSampler(LABELS, 5, seed=2).batch(3, 9))
    others += (ClassSampler(LABELS, 5, seed=1, split="test").batch(3, 9),)
    assert all((other[0] != second[0]).any() for other in others)


@pytest.mark.parametrize(
    ("seed", "left", "right", "by_alphabet"),
    [
        (1, [33, 24, 29, 38, 1], [31, 23, 27, 36, 4], [50, 14, 4, 59, 5]),
        (2, [57, 9, 10, 28, 20], [56, 5, 11, 26, 24], [13, 5, 0, 18, 30]),
        (2**64 - 1, [22, 38, 25, 33, 50], [20, 39, 29, 32, 53], [1, 5, 11, 15, 20]),
        (-1, [5, 13, 19, 2, 31], [6, 10, 15, 4, 34], [39, 15, 27, 50, 21]),
    ],
)
def test_a_seed_keeps_its_batches(seed, left, right, by_alphabet):
    """Broken otherwise: a run that an earlier version began goes on with other batches."""
    sampler = ClassSampler(LABELS, 5, seed, alphabets=ALPHABETS, alphabet_share=0.5)
    found = sampler.batch(3, 9)
    assert [found[0].tolist(), found[1].tolist()] == [left, right]
    assert sampler.batch(0, 2)[0].tolist() == by_alphabet


def test_alphabets_follow_each_other():
    sampler = ClassSampler(LABELS, 6, seed=1, alphabets=ALPHABETS, alphabet_share=1)
    firsts = set()
    for k in range(40):
        of_batch = ALPHABETS[LABELS[sampler.batch(0, k)[0]]]
        assert len(set(of_batch[:4])) == 1
        assert len(set(of_batch[4:])) == 1
        assert of_batch[0] != of_batch[4]
        firsts.add(of_batch[0])
    assert firsts == {0, 1, 2}


def test_a_share_of_the_batches_comes_by_alphabets():
    sampler = ClassSampler(LABELS, 4, seed=1, alphabets=ALPHABETS, alphabet_share=0.3)
    alike = [len(set(ALPHABETS[LABELS[sampler.batch(0, k)[0]]])) == 1 for k in range(1000)]
    by_chance = 3 / 495  # three alphabets out of the fours of twelve classes
    assert np.mean(alike) == pytest.approx(0.3 + 0.7 * by_chance, abs=0.06)  # 4 deviations


def test_a_class_of_one_image_is_paired_with_itself():
    left, right, _ = ClassSampler([0, 1, 1], 2, seed=0).batch(0, 0)
    np.testing.assert_array_equal(left == right, left == 0)


def test_single_pairs_have_another_stream():
    streams = [PairSampler(LABELS, 5, 1).batch(0, 0), ClassSampler(LABELS, 5, 1).batch(0, 0)]
    assert (streams[0][0] != streams[1][0]).any()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": [1, 1]}, "at least two classes, got 1"),
        ({"batch_size": 1}, "batch_size must be at least 2"),
        ({"split": "all"}, "split must be one of"),
        ({"alphabet_share": 2}, "alphabet_share must be from 0 to 1, got 2"),
        ({"alphabet_share": 0.5}, "^alphabets must be given for an alphabet_share above 0$"),
        ({"alphabet_share": np.nan}, "^alphabet_share must be finite"),
        ({"alphabets": [1, 2]}, "one for each of 12 classes, got 2"),
    ],
)
def test_what_is_amiss_is_said(changes, said):
    with pytest.raises(ValueError, match=said):
        ClassSampler(**{"labels": LABELS, "batch_size": 4, "seed": 0} | changes)


@pytest.mark.parametrize("place", [{"epoch": -1, "k": 0}, {"epoch": 0, "k": -1}])
def test_a_place_that_cannot_be_is_said(place):
    (name,) = (name for name, value in place.items() if value < 0)
    with pytest.raises(ValueError, match=f"^{name} must be at least 0, got -1"):
        ClassSampler(LABELS, 4, seed=0).batch(**place)


def test_a_seed_that_is_no_number_is_said():
    with pytest.raises(TypeError, match=r"^seed must be an int"):
        ClassSampler(LABELS, 4, seed="one")
