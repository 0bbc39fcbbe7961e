"""The interval of an accuracy of episodes: its formula, and how often it holds the truth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_siamese.data.episodes import draw_episodes
from numpy_siamese.evaluation import jackknife, one_shot, wilson

LABELS = np.repeat([7, 3, 5], [4, 5, 7])


def plain_variance(credit, labels, episodes):
    """Return V of the module's docstring, written out."""
    query, support, _ = (part.tolist() for part in episodes)
    E, total = len(query), math.fsum(credit) / len(query)
    r = [value - total for value in credit]
    images = [[query[e], *np.ravel(support[e]).tolist()] for e in range(E)]
    psi = [math.fsum(r[e] for e in range(E) if i in images[e]) / E for i in range(len(labels))]
    V = math.fsum(x * x for x in r) / E**2
    for c in sorted(set(labels.tolist())):
        members = [i for i, label in enumerate(labels) if label == c]
        n = len(members)
        used = [sum(labels[i] == c for i in images[e]) for e in range(E)]
        D = math.fsum(x * x * (a - a * a / n) for x, a in zip(r, used, strict=True)) / E**2
        squares = math.fsum(psi[i] ** 2 for i in members)
        V += n / (n - 1) * (squares - math.fsum(psi[i] for i in members) ** 2 / n - D)
    clusters = {
        i: math.fsum(r[e] for e in range(E) if query[e] == i) / E for i in range(len(labels))
    }
    return max(V, math.fsum(x * x for x in clusters.values()))


@given(st.integers(2, 3), st.integers(1, 3), st.integers(2, 30), st.integers(0, 2**32))
def test_the_variance_is_that_of_the_formula(N, K, E, seed):
    """Broken otherwise: an image counts in one role alone, for another class, or twice.

    The sums are of some hundred terms below 1 in size, each with a few roundings: an error below
    10³ units of 2⁻⁵³.
    """
    episodes = draw_episodes(LABELS, N, K, E, seed)
    credit = np.random.default_rng(seed).choice([0.0, 0.5, 1.0], E)
    expected = plain_variance(credit.tolist(), LABELS, episodes)
    found = jackknife.variance(credit, LABELS, episodes)
    assert abs(found - expected) <= 1000 * 2.0**-53


@pytest.mark.parametrize("E", range(1, 40))
@pytest.mark.parametrize("right", [0, 1])
def test_where_all_are_alike_the_queries_count(right, E):
    """Broken otherwise: 100 % of a few images is reported as certain.

    With p = 0 Wilson's interval is [0, z²/(n + z²)], with p = 1 its mirror image. Their ends at p
    are p itself, whatever was rounded. That z is 1.96 to three digits moves the others by less
    than 10⁻⁴.
    """
    episodes = draw_episodes(LABELS, 2, 1, E)
    n = len(set(episodes.query.tolist()))
    low, high = jackknife.accuracy_interval(np.full(E, float(right)), LABELS, episodes)
    width = 1.96**2 / (n + 1.96**2)
    assert (low == 0, high == 1) == (right == 0, right == 1)
    assert abs((high - low) - width) < 1e-4


@given(st.integers(1, 29), st.integers(0, 2**32))
def test_the_ends_solve_wilsons_equation(right, seed):
    """Broken otherwise: the interval is too long or too short, or leaves [0, 1].

    (p − t)² = z² t(1 − t)/n at its ends t; n are at most the episodes. The equation changes its
    sign within 1e-12 of each.
    """
    E = 30
    episodes = draw_episodes(LABELS, 3, 2, E, seed)
    credit = np.random.default_rng(seed).permutation(np.arange(E) < right).astype(float)
    p = right / E
    n = min(E, p * (1 - p) / jackknife.variance(credit, LABELS, episodes))

    def equation(t):
        return (p - t) ** 2 - wilson.Z**2 * t * (1 - t) / n

    low, high = jackknife.accuracy_interval(credit, LABELS, episodes)
    assert 0 <= low < p < high <= 1
    assert equation(low - 1e-12) > 0 > equation(low + 1e-12)
    assert equation(high - 1e-12) < 0 < equation(high + 1e-12)


def test_ties_make_no_interval_of_length_zero():
    """Broken otherwise: a network that ties all classes has exactly chance, beyond doubt."""
    episodes = draw_episodes(LABELS, 2, 1, 50)
    low, high = jackknife.accuracy_interval(np.full(50, 0.5), LABELS, episodes)
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(0.25 / (50 + 1.96**2)), abs=1e-4)


def test_the_interval_holds_for_other_images():
    """Broken otherwise: the interval is the usual one, of the episodes alone, which is too short.

    The accuracy of 300 data sets of the same kind varies about its mean. Of right 95 % intervals
    fewer than 270 hold this mean with a probability below 10⁻³. The usual ones hold it much less
    often.
    """
    sets, n, E, rng = 300, 20, 1000, np.random.default_rng(0)
    labels = np.repeat(np.arange(5), n)
    values, ours, usual = [], [], []
    for seed in range(sets):
        images = labels[:, None] + rng.standard_normal((len(labels), 1))
        episodes = draw_episodes(labels, 5, 1, E, seed)
        logits = one_shot.head_logits(images, -np.ones((1, 1)), np.zeros(1), *episodes[:2])
        credit = one_shot.episode_accuracy(logits[..., 0], episodes.position)
        values.append(credit.mean())
        ours.append(jackknife.accuracy_interval(credit, labels, episodes))
        half = 1.96 * credit.std() / math.sqrt(E)
        usual.append((credit.mean() - half, credit.mean() + half))
    truth = np.mean(values)
    held, usually = (sum(low <= truth <= high for low, high in ends) for ends in (ours, usual))
    assert held >= 270
    assert usually < 225


def test_a_tie_has_a_part_in_the_interval():
    """Broken otherwise: the interval is that of the first of equals, about another value."""
    images = np.random.default_rng(0).integers(0, 256, (16, 28, 28), dtype=np.uint8)
    alike = one_shot.Embedded(np.zeros((16, 3)), np.ones((1, 3)), np.zeros(1))
    (found,) = one_shot.one_shot_measures(LABELS, images, alike, alike, [3], [1], 20)
    credit, drawn = np.full(20, 1 / 3), draw_episodes(LABELS, 3, 1, 20)
    low, high = jackknife.accuracy_interval(credit, LABELS, drawn)
    assert found["siamese"] == {"value": credit.mean(), "low": low, "high": high}
