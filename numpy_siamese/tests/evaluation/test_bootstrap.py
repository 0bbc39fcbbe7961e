"""Bootstrap over images against lists of copies and against variances that are known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_siamese.evaluation.bootstrap import bootstrap_interval, multiplicities, pair_weights
from numpy_siamese.tests.evaluation import loops

ONE = {"targets": [1], "left_index": [0], "right_index": [1], "n_images": 2}


def standard_error(measure, targets, left, right, resamples):
    """Half the width of the interval within which a normal figure lies with 68.27 %."""
    n = max(*left, *right) + 1
    level = math.erf(1 / math.sqrt(2))
    low, high = bootstrap_interval(measure, targets, left, right, n, resamples, level=level)
    return (high - low) / 2


# The weights


@given(st.integers(1, 50), st.integers(-(2**130), 2**130), st.integers(0, 2**63 - 1))
def test_as_many_images_are_drawn_as_there_are(n, seed, resample):
    """Broken otherwise: the resample is of another size, or depends on what was drawn before."""
    counts = multiplicities(n, seed, resample)
    assert (len(counts), counts.sum(), counts.min() >= 0) == (n, n, True)
    np.testing.assert_array_equal(counts, multiplicities(n, seed, resample))


def test_seed_resample_and_attempt_each_give_other_images():
    """Broken otherwise: all resamples are one, or one that lacks a kind is drawn for ever."""
    drawn = [multiplicities(100, *which) for which in ((0, 0), (1, 0), (0, 1), (0, 0, 1))]
    assert len({counts.tobytes() for counts in drawn}) == 4


def test_the_images_are_those_of_every_version():
    """Broken otherwise: intervals that were published cannot be computed anew."""
    assert multiplicities(8, 0, 0).tolist() == [1, 2, 0, 0, 1, 0, 1, 3]


def test_no_attempt_is_another_resample():
    """Broken otherwise: a resample that was drawn anew is one that counts already."""
    drawn = [tuple(multiplicities(40, 0, k, attempt)) for k in range(1100) for attempt in (0, 1)]
    assert len(set(drawn)) == len(drawn)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=5), st.data())
def test_a_pair_weighs_as_often_as_copies_of_its_images_meet(counts, data):
    """Broken otherwise: an image and itself counts squared, or a pair once for all copies."""
    image = st.integers(0, len(counts) - 1)
    pairs = data.draw(st.lists(st.tuples(image, image), min_size=1, max_size=8))
    left, right = np.array(pairs).T
    expected = [loops.occurrences(counts, *pair) for pair in pairs]
    assert pair_weights(np.array(counts), left, right).tolist() == expected


# The interval

ROUNDING = 1000 * loops.UNIT_ROUNDOFF
"""Means of at most 8 numbers up to 49, one of 5 and two sums: fewer than 20 roundings."""


@given(st.data())
def test_the_interval_is_that_of_a_loop_over_lists_of_copies(data):
    """Broken otherwise: images that are in no pair are drawn, the quantiles are others, or indices
    and targets are taken in another order.
    """
    image = st.sampled_from([1, 2, 3, 5, 9])  # of 11: others are in no pair
    pairs = data.draw(st.lists(st.tuples(image, image), min_size=2, max_size=8))
    targets = data.draw(st.lists(st.integers(0, 1), min_size=len(pairs), max_size=len(pairs)))
    seed = data.draw(st.integers(0, 9))
    figures = np.arange(len(pairs)) ** 2.0
    used = sorted({image for pair in pairs for image in pair})

    def by_loop(resample):
        attempt = 0
        while True:
            counts = multiplicities(len(used), seed, resample, attempt)
            met = []
            for k, (left, right) in enumerate(pairs):
                met += [k] * loops.occurrences(counts, used.index(left), used.index(right))
            if {targets[k] for k in met} == set(targets):
                return sum(figures[k] for k in met) / len(met)
            attempt += 1

    expected = [by_loop(resample) for resample in range(5)]
    left, right = zip(*pairs, strict=True)
    low, high = bootstrap_interval(
        lambda weights: np.average(figures, weights=weights),
        targets,
        left,
        right,
        11,
        resamples=5,
        seed=seed,
        level=0.9,
    )
    for found, q in ((low, 0.05), (high, 0.95)):
        assert found == pytest.approx(loops.end(figures.mean(), expected, q), abs=ROUNDING)


RESAMPLES = 4000
BELOW, DENSITY = 0.158655, 0.241971  # of a normal number, Φ(−1) and φ(1)
NOISE = 4 * math.sqrt((BELOW - 2 * BELOW**2) / (2 * DENSITY**2 * RESAMPLES))
"""Four relative standard errors of half the distance of two quantiles of R normal numbers: each
has the variance p(1 − p)/(φ²R), both together the covariance p²/(φ²R).
"""


def test_images_with_themselves_are_the_plain_bootstrap_of_a_mean():
    """Broken otherwise: the standard error is not σ/√n."""
    n = 200
    values = np.sin(np.arange(n))
    found = standard_error(
        lambda weights: np.average(values, weights=weights),
        np.ones(n),
        np.arange(n),
        np.arange(n),
        RESAMPLES,
    )
    assert found == pytest.approx(values.std() / math.sqrt(n), rel=NOISE)


def test_all_pairs_of_images_have_the_error_of_a_mean_over_images():
    """Broken otherwise: pairs pass for independent, and an interval is √n times too short.

    Of the sums aᵢ + aⱼ over all i ≠ j the mean is twice that of a. Its standard error is 2σ/√n.
    """
    n = 60
    values = np.sin(np.arange(n))
    left, right = np.nonzero(~np.eye(n, dtype=bool))
    sums = values[left] + values[right]
    found = standard_error(
        lambda weights: np.average(sums, weights=weights),
        np.ones(len(left)),
        left,
        right,
        RESAMPLES,
    )
    # n/(n − 1) and more of that order: a pair of one image's copies is left out
    assert found == pytest.approx(2 * values.std() / math.sqrt(n), rel=NOISE + 1 / (n - 1))
    independent = sums.std() / math.sqrt(len(left))
    assert found > 5 * independent


def test_pairs_that_share_no_image_get_an_interval_longer_by_the_root_of_three():
    """Broken otherwise: what the module says of its caution is wrong.

    With n images E[mᵢmⱼ] = n₂, E[(mᵢmⱼ)²] = n₄ + 2n₃ + n₂ and E[mᵢmⱼmₖmₗ] = n₄, where
    nₖ = n!/(n − k)!/nᵏ. As the errors sum to 0, the variance of the mean is (2n₃ + n₂)/n₂² σ²/N.
    """
    N = 200
    n = 2 * N
    values = np.sin(np.arange(N))
    left, right = np.arange(N), np.arange(N, n)
    found = standard_error(
        lambda weights: np.average(values, weights=weights), np.ones(N), left, right, RESAMPLES
    )
    n_2 = (n - 1) / n
    n_3 = n_2 * (n - 2) / n
    longer = math.sqrt(2 * n_3 + n_2) / n_2
    assert longer == pytest.approx(math.sqrt(3), rel=0.01)
    # the weights' own sum varies by √(4/N): the second order of the quotient
    assert found == pytest.approx(longer * values.std() / math.sqrt(N), rel=NOISE + 4 / N)


def test_a_resample_without_one_of_the_kinds_is_drawn_anew():
    """Broken otherwise: a measure is asked for the false accepts of no pair."""
    seen = []

    def measure(weights):
        seen.append(weights)
        return 0.0

    bootstrap_interval(measure, [1, 0], [0, 0], [0, 1], 2, resamples=50)
    assert len(seen) == 50 + 1  # and once all pairs
    assert all(weights.all() for weights in seen)


def test_pairs_of_one_kind_are_drawn_too():
    """Broken otherwise: a resample is drawn for ever in search of the other kind."""
    for target in (0, 1):
        low, high = bootstrap_interval(lambda weights: 7.0, [target], [0], [1], 2, resamples=2)
        assert (low, high) == (7, 7)


def test_several_figures_have_an_interval_each():
    """Broken otherwise: quantiles are taken over the figures of a resample."""
    numbers = iter(range(101))

    def measure(weights):
        k = next(numbers, 40)  # 0 to 100 for the resamples, then of all pairs 40
        return [k, 1000 - k]

    low, high = bootstrap_interval(measure, [1], [0], [1], 2, resamples=101)
    assert low.tolist() == pytest.approx([2.5 - 10, 902.5 + 10])
    assert high.tolist() == pytest.approx([97.5 - 10, 997.5 + 10])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"n_images": 0}, "^n_images must be at least 1, got 0$"),
        ({"resamples": 0}, "^resamples must be at least 1, got 0$"),
        ({"level": 0}, "^level must lie between 0 and 1, got 0.0$"),
        ({"level": 1.0}, "^level must lie between 0 and 1, got 1.0$"),
        ({"right_index": [1, 1]}, "^expected one shape for all, got left_index"),
        ({"targets": [1, 0]}, "^expected one shape for all, got left_index"),
        (
            {"targets": [], "left_index": [], "right_index": []},
            "^targets must hold at least one pair$",
        ),
        ({"left_index": [2]}, r"^left_index must lie in \[0, 2\), got 2$"),
        ({"right_index": [2]}, r"^right_index must lie in \[0, 2\), got 2$"),
    ],
)
def test_what_cannot_be_drawn_is_refused(changed, said):
    """Broken otherwise: an interval of nothing, or of pairs that are aligned by accident."""
    with pytest.raises((ValueError, IndexError), match=said):
        bootstrap_interval(lambda weights: 0.0, **(ONE | changed))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((0, 0, 0), "^n must be at least 1"),
        ((2, 0.5, 0), "^seed must be an int"),
        ((2, 0, -1), "^resample must be at least 0"),
        ((2, 0, 0, -1), "^attempt must be at least 0"),
    ],
)
def test_a_resample_is_numbered(arguments, said):
    """Broken otherwise: a number that the counter does not hold wraps around."""
    with pytest.raises((TypeError, ValueError), match=said):
        multiplicities(*arguments)
