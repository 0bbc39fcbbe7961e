"""Pairs: the two halves, what may be drawn how often, and that a batch depends on nothing else."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_siamese.data.pairs import SPLITS, PairSampler
from numpy_siamese.tests.support.tiny import split

FALSE_ALARM = 1e-6
"""The chance that a right sampler with a new seed fails one side of one `assert_uniform`."""


batch_sizes = st.integers(2, 41)
seeds = st.integers(0, 2**128 - 1)
words = st.integers(0, 2**63 - 1)  # what an epoch and a batch number can be
places = st.tuples(seeds, st.sampled_from(SPLITS), words, words)  # (seed, split, epoch, k)


@st.composite
def labels_of_classes(draw, least_images=1):
    """Labels of at least two classes: any integers, in any order, `least_images` of each at least.

    The values are far apart, negative ones among them, so none is a class's rank by luck.
    """
    values = draw(st.lists(st.integers(-(2**62), 2**62), min_size=2, max_size=6, unique=True))
    extra = draw(st.lists(st.sampled_from(values), max_size=20))
    return np.array(draw(st.permutations(values * least_images + extra)))


def many_labels(classes=10, each=500):
    return np.random.default_rng(0).permutation(np.repeat(np.arange(classes), each))


def same_batch(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


# The halves


@given(labels_of_classes(), batch_sizes, seeds, words, words)
def test_first_half_is_different_and_second_half_is_same(labels, N, seed, epoch, k):
    """Broken otherwise: targets lie about the pairs, the halves are swapped, or an odd batch's
    extra pair is of different classes.
    """
    left, right, targets = PairSampler(labels, N, seed).batch(epoch, k)
    expected = [[0.0]] * (N // 2) + [[1.0]] * (N - N // 2)
    np.testing.assert_array_equal(targets, np.array(expected, np.float32), strict=True)
    np.testing.assert_array_equal(labels[left] == labels[right], targets[:, 0] == 1)


@given(labels_of_classes(), batch_sizes, seeds)
def test_indices_are_int64_into_the_labels(labels, N, seed):
    """Broken otherwise: an index is out of range, or of a type that torch refuses."""
    for index in PairSampler(labels, N, seed).batch(0, 0)[:2]:
        assert index.dtype == np.int64
        assert index.shape == (N,)
        assert ((index >= 0) & (index < len(labels))).all()


@given(labels_of_classes(least_images=2), batch_sizes, seeds, words)
def test_no_pair_is_an_image_with_itself_when_that_is_forbidden(labels, N, seed, k):
    """Broken otherwise: an evaluation counts pairs that are same for a trivial reason."""
    sampler = PairSampler(labels, N, seed, allow_self_pairs=False)
    left, right, targets = sampler.batch(0, k)
    assert (left != right).all()
    np.testing.assert_array_equal(labels[left] == labels[right], targets[:, 0] == 1)


def test_self_pairs_occur_in_the_recipe():
    """Broken otherwise: the recipe's pairs, drawn with replacement, have become others.

    200 same pairs in classes of 2 images, without one of an image and itself: a chance of 2⁻²⁰⁰.
    """
    left, right, _ = PairSampler(np.array([0, 0, 1, 1]), 400, seed=0).batch(0, 0)
    assert (left == right).any()


# A batch is a pure function of seed, split, epoch and k


@given(places, st.booleans())
def test_a_batch_is_the_same_alone_and_after_others(place, allow_self_pairs):
    """Broken otherwise: a resumed run or a worker process sees other pairs than a whole run."""
    seed, split_name, epoch, k = place

    def sampler():
        return PairSampler(many_labels(3, 20), 12, seed, split_name, allow_self_pairs)

    alone = sampler().batch(epoch, k)
    used = sampler()
    for other in (0, 1, 2):
        used.batch(other, 2 - other)
    assert same_batch(used.batch(epoch, k), alone)
    assert same_batch(used.batch(epoch, k), alone)


def test_no_two_places_share_a_batch():
    """Broken otherwise: a seed, split, epoch or k is ignored or confused with another.

    Any two of the 432 batches of 32 pairs of 5,000 images are the same by chance about once in
    5000⁶⁴.
    """
    labels, numbers = many_labels(), (0, 1, 2, 2**32, 2**33, 2**62)
    drawn = {
        sampler.batch(epoch, k)[0].tobytes() + sampler.batch(epoch, k)[1].tobytes()
        for seed in (0, 1, 2**64, 2**65)
        for sampler in (PairSampler(labels, 32, seed, name) for name in SPLITS)
        for epoch in numbers
        for k in numbers
    }
    assert len(drawn) == 4 * 3 * 6 * 6


@pytest.mark.parametrize(
    "neighbour",
    [
        (2**64, "train", 0, 0),
        (1, "train", 0, 0),
        (0, "validation", 0, 0),
        (0, "test", 0, 0),
        (0, "train", 1, 0),
        (0, "train", 0, 1),
    ],
    ids=str,
)
def test_neighbouring_batches_share_no_stretch_of_draws(neighbour):
    """Broken otherwise: batches are windows onto one stream that overlap, shifted by a few pairs.

    Of 8 or more images of 5,000 all are equal by chance about once in 5000⁸.
    """
    N = 100
    one, other = (
        PairSampler(many_labels(), N, seed, split_name).batch(epoch, k)
        for seed, split_name, epoch, k in ((0, "train", 0, 0), neighbour)
    )
    for one_index, other_index in zip(one[:2], other[:2], strict=True):
        for lag in range(N - 8):
            assert not np.array_equal(one_index[lag:], other_index[: N - lag])
            assert not np.array_equal(other_index[lag:], one_index[: N - lag])


def test_global_generators_neither_matter_nor_change():
    """A known mistake: pairs from an unseeded global generator, which no seed brings back."""
    sampler = PairSampler(many_labels(), 50, seed=3)
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        np.random.seed(1)  # noqa: NPY002
        random.seed(1)
        before = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
        first = sampler.batch(0, 0)
        np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
        assert random.getstate() == before[1]
        np.random.seed(2)  # noqa: NPY002
        random.seed(2)
        assert same_batch(sampler.batch(0, 0), first)
    finally:
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)


def test_labels_are_sorted_into_classes_once(monkeypatch):
    """A known mistake: the class list made anew from all labels for every batch."""
    labels = many_labels()
    sampler = PairSampler(labels, 50, seed=0)
    expected = sampler.batch(0, 1)
    labels[:] = 0

    def fail(*_, **__):
        raise AssertionError("the labels are looked through again")

    for name in ("unique", "argsort", "bincount", "flatnonzero", "nonzero", "where"):
        monkeypatch.setattr(np, name, fail)
    found = sampler.batch(0, 1)
    monkeypatch.undo()
    assert same_batch(found, expected)


# The distribution


def chi_square_tail(statistic: float, df: int) -> float:
    """Return the probability that χ² with df degrees of freedom exceeds `statistic`.

    Q(x; 1) = erfc(√(x/2)), Q(x; 2) = e^(−x/2), and integrating by parts
    Q(x; n + 2) = Q(x; n) + (x/2)^(n/2) e^(−x/2) / Γ(n/2 + 1).
    """
    x = statistic / 2
    tail = math.erfc(math.sqrt(x)) if df % 2 else math.exp(-x)
    for n in range(2 - df % 2, df, 2):
        tail += math.exp(n / 2 * math.log(x) - x - math.lgamma(n / 2 + 1))
    return tail


def assert_uniform(counts: np.ndarray) -> None:
    """Check that draws fell evenly: neither less (Pearson's test) nor more than by chance."""
    expected = counts.sum() / counts.size
    assert expected >= 5  # Cochran's rule, for the statistic to follow χ²
    statistic = ((counts - expected) ** 2).sum() / expected
    assert statistic > 0
    p_value = chi_square_tail(statistic, counts.size - 1)
    assert FALSE_ALARM < p_value < 1 - FALSE_ALARM


def pair_counts(left, right, size):
    """Return how often each ordered pair of numbers below `size` occurs: (size, size)."""
    return np.bincount(left * size + right, minlength=size**2).reshape(size, size)


@pytest.mark.parametrize(
    ("df", "alpha", "critical"),
    [(1, 0.05, 3.841), (2, 0.001, 13.816), (9, 0.001, 27.877), (24, 0.95, 13.848)],
)
def test_chi_square_tail_is_that_of_the_tables(df, alpha, critical):
    """Broken otherwise: the tests below alarm at other odds than they state.

    Critical values to three decimals: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.4.
    """
    half_a_digit = 0.0005
    upper, lower = (chi_square_tail(critical + d, df) for d in (-half_a_digit, half_a_digit))
    assert lower < alpha < upper


UNBALANCED = [2, 40, 3, 400, 7]


def test_classes_are_uniform_whatever_their_sizes():
    """Broken otherwise: a class's share grows with its images, or some offset is preferred.

    Left class and offset together: each of 5·4 combinations equally often.
    """
    labels, C, N = split(UNBALANCED).labels, len(UNBALANCED), 40_000
    left, right, _ = PairSampler(labels, N, seed=1).batch(0, 0)
    classes = pair_counts(labels[left], labels[right], C)
    np.testing.assert_array_equal(
        np.diag(classes), np.bincount(labels[left[N // 2 :]], minlength=C)
    )
    assert_uniform(np.diag(classes))
    assert_uniform(classes[~np.eye(C, dtype=bool)])


@pytest.mark.parametrize("walk", ["k", "epoch"])
def test_classes_are_uniform_over_batches(walk):
    """Broken otherwise: batch after batch favours some classes, though each alone looks even."""
    C, steps = 4, 2_000
    labels = split([5] * C).labels
    sampler = PairSampler(labels, 2, seed=0)
    drawn = [sampler.batch(0, i) if walk == "k" else sampler.batch(i, 0) for i in range(steps)]
    left, right = (labels[np.array([batch[side] for batch in drawn])] for side in (0, 1))
    assert_uniform(np.bincount(left[:, 1], minlength=C))
    assert_uniform(pair_counts(left[:, 0], right[:, 0], C)[~np.eye(C, dtype=bool)])


@pytest.mark.parametrize("allow_self_pairs", [True, False])
def test_images_are_uniform_within_their_classes(allow_self_pairs):
    """Broken otherwise: some images are seen more often, left and right image depend on each
    other, or forbidding self-pairs favours a partner.

    Left and right image together: in every block of two classes each combination equally often;
    in a block of one class likewise, self-pairs as often as any, or not at all where forbidden.
    """
    labels = split([2, 5, 3]).labels
    n = len(labels)
    sampler = PairSampler(labels, 60_000, seed=0, allow_self_pairs=allow_self_pairs)
    images = pair_counts(*sampler.batch(0, 0)[:2], n)
    of_class = [np.flatnonzero(labels == c) for c in range(3)]
    for a in range(3):
        for b in range(3):
            block = images[np.ix_(of_class[a], of_class[b])]
            if a == b and not allow_self_pairs:
                assert not np.diag(block).any()
                block = block[~np.eye(len(block), dtype=bool)]
            assert_uniform(block)


# Errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1], 0, 0), "batch_size must be at least 2 .*, got 0"),
        (([0, 1], 1, 0), "batch_size must be at least 2 .*, got 1"),
        (([0, 1], 2, 0, "trian"), "split must be one of train, validation, test, got 'trian'"),
        (([7, 7, 7], 2, 0), "at least two classes, got 1"),
        (([], 2, 0), "at least two classes, got 0"),
        (([5, 9, 5], 2, 0, "test", False), "class 9 has 1 image"),
    ],
)
def test_what_cannot_be_drawn_is_told(arguments, message):
    """Broken otherwise: batches without a same or a different pair, or a crash far from here."""
    labels, *rest = arguments
    with pytest.raises(ValueError, match=message):
        PairSampler(np.array(labels, np.int64), *rest)


def test_a_class_with_one_image_will_do_where_self_pairs_are_allowed():
    """Broken otherwise: the check for lonely images refuses data that the recipe takes."""
    left, right, _ = PairSampler(np.array([5, 9]), 4, seed=0).batch(0, 0)
    np.testing.assert_array_equal(left[2:], right[2:])


@pytest.mark.parametrize(
    ("seed", "left", "right"),
    [
        (0, [108, 308, 106, 808, 469, 258, 479, 525], [310, 520, 507, 116, 479, 998, 939, 675]),
        (1, [828, 867, 333, 464, 213, 292, 272, 959], [955, 708, 542, 556, 693, 62, 82, 739]),
    ],
)
def test_the_pairs_of_a_seed_are_these_for_good(seed, left, right):
    """Broken otherwise: an old run cannot be repeated or resumed, as its pairs are others now.

    The numbers are what the first version drew; seed 0 is drawn without self-pairs.
    """
    labels = np.arange(1000) * 7 % 10
    sampler = PairSampler(labels, 8, seed, "validation", allow_self_pairs=seed == 1)
    left_index, right_index, _ = sampler.batch(2, 3)
    assert (left_index.tolist(), right_index.tolist()) == (left, right)


def test_seeds_are_taken_modulo_the_key():
    """Broken otherwise: a negative or a very large seed is an error, or is another seed."""
    labels = np.arange(40) % 4

    def batch(seed):
        return [array.tolist() for array in PairSampler(labels, 8, seed).batch(0, 0)]

    assert batch(-1) == batch(2**128 - 1)
    assert batch(2**128) == batch(0)
    assert batch(2**127) != batch(0)


@pytest.mark.parametrize("allow_self_pairs", [True, False])
@pytest.mark.parametrize("size", [2, 5, 8])
def test_several_batches_are_those_drawn_one_by_one(size, allow_self_pairs):
    """Broken otherwise: a device, which is given many batches at once, sees other pairs."""
    labels = np.repeat([0, 1, 2], [3, 4, 9])
    sampler = PairSampler(labels, size, seed=3, allow_self_pairs=allow_self_pairs)
    found = sampler.batches(1, [5, 2, 2, 9])
    assert len(found) == 4
    for batch, k in zip(found, (5, 2, 2, 9), strict=True):
        for array, expected in zip(batch, sampler.batch(1, k), strict=True):
            np.testing.assert_array_equal(array, expected, strict=True)
    assert sampler.batches(1, []) == []
    with pytest.raises(ValueError, match="k must be at least 0, got -1"):
        sampler.batches(0, [1, -1])
