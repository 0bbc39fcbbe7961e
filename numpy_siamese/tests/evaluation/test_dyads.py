"""The interval of an accuracy of runs: its formula, and how often it holds the truth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from numpy_siamese.data.trials import Run, draw_trials
from numpy_siamese.evaluation.dyads import runs_interval, runs_variance
from numpy_siamese.evaluation.wilson import Z, wilson_interval
from numpy_siamese.tests.support.drawn_alphabets import columns

ROUNDING = 1000 * 2.0**-53
"""Sums of some hundred terms below 1 in size, each with a few roundings."""


def outcomes(runs, seed):
    rng = np.random.default_rng(seed)
    return [rng.choice([0.0, 0.5, 1.0], len(run.query)) for run in runs]


def plain_variance(credits, runs):
    """Return V and its degrees of freedom of the module's docstring, written out."""
    R, T = len(runs), sum(map(len, credits))
    of = [run.alphabet for run in runs]
    lonely = any(of.count(a) == 1 for a in of)
    strata = [range(R)] if lonely else [[r for r in range(R) if of[r] == a] for a in set(of)]

    def share(r, s):
        if r == s or lonely or runs[r].drawers is None:
            return r == s or (lonely and of[r] == of[s])
        return bool(set(runs[r].drawers.tolist()) & set(runs[s].drawers.tolist()))

    total, left, alone = 0.0, 0.0, 0.0
    for members in strata:
        p = sum(credits[r].sum() for r in members) / sum(len(credits[r]) for r in members)
        e = {r: (credits[r].sum() - p * len(credits[r])) / T for r in members}
        pairs = [(r, s) for r in members for s in members if share(r, s)]
        total += sum(e[r] * e[s] for r, s in pairs)
        left += 1 - len(pairs) / len(members) ** 2
        alone += sum(x * x for x in e.values()) * len(members) / (len(members) - 1)
    units = {(of[r], d) for r in range(R) for d in drawers_of(runs[r], r)}
    counted = len({*of}) if lonely else len(units)
    value = max(alone, len(strata) * total / left) if left else alone
    return value, min(R, counted) - len(strata)


def drawers_of(run, number):
    return [("run", number)] if run.drawers is None else run.drawers.tolist()


@given(
    st.sampled_from([([4, 5], [4, 5]), ([3, 22, 4], [3, 6, 2]), ([6], [8])]),
    st.integers(2, 24),
    st.booleans(),
    st.integers(0, 2**32),
)
def test_the_variance_is_that_of_the_formula(sizes, R, known, seed):
    """Broken otherwise: runs of two alphabets are taken to share a drawer, or a stratum's mean is
    that of all.
    """
    runs = draw_trials(*columns(*sizes), 400, seed)[:R]
    runs = runs if known else [run._replace(drawers=None) for run in runs]
    credits = outcomes(runs, seed)
    value, freedom = runs_variance(credits, runs)
    expected, expected_freedom = plain_variance(credits, runs)
    assert abs(value - expected) <= ROUNDING
    assert freedom == expected_freedom


def test_of_runs_apart_it_is_the_variance_of_a_stratified_mean():
    """Broken otherwise: the official runs, whose drawers nobody tells, have another interval than
    a textbook gives.
    """
    runs = [Run(a, None, *3 * [np.arange(20)]) for a in (0, 1, 2, 0, 1, 2)]
    credits = outcomes(runs, 0)
    means = np.reshape([credit.mean() for credit in credits], (2, 3))
    expected = (means.var(axis=0, ddof=1) / 2 / 9).sum()
    assert abs(runs_variance(credits, runs).value - expected) <= ROUNDING
    assert runs_variance(credits, runs).freedom == 3


def test_of_given_characters_the_mean_of_each_set_is_taken_off():
    """Broken otherwise: that sets differ counts as chance, or common drawers are forgotten.

    Of each drawer all is right or nothing, so that drawers count.
    """
    subsets = [[0, 1, 2], [5, 6, 7, 8], [9, 10], [11, 12, 13]]
    runs = draw_trials(*columns([9, 5], [7, 8]), 150, 3, subsets)
    credits = [np.full(len(run.query), (run.drawers % 2).mean()) for run in runs]
    T, R = sum(map(len, credits)), len(runs)
    e = np.zeros(R)
    for subset in range(4):
        own = [r for r in range(R) if runs[r].subset == subset]
        p = sum(credits[r].sum() for r in own) / sum(len(credits[r]) for r in own)
        e[own] = [(credits[r].sum() - p * len(credits[r])) / T for r in own]
    numerator = below = 0.0
    for a in (0, 1):
        own = [r for r in range(R) if runs[r].alphabet == a]
        pairs = [(r, s) for r in own for s in own if {*runs[r].drawers} & {*runs[s].drawers}]
        numerator += sum(e[r] * e[s] for r, s in pairs)
        below += 1 - len(pairs) / len(own) ** 2
    value, freedom = runs_variance(credits, runs)
    assert abs(value - 2 * numerator / below) <= ROUNDING
    assert freedom == min(R, 7 + 8) - 4


def test_sets_with_one_run_are_those_of_their_alphabet():
    """Broken otherwise: the variance is divided by zero."""
    runs = draw_trials(*columns([9], [5]), 9, 3, [[0, 1, 2], [5, 6, 7], [1, 7, 8]])
    credits = outcomes(runs, 4)
    found = runs_variance(credits, runs)
    assert found == runs_variance(credits, [run._replace(subset=0) for run in runs])


def test_an_alphabet_with_one_run_makes_alphabets_drawn():
    """Broken otherwise: the variance between alphabets is left out where it is all there is."""
    runs = [Run(a, np.array([0, 1]), *3 * [np.arange(20)]) for a in range(4)]
    credits = [np.repeat([1.0, 0.0], [5 * a, 20 - 5 * a]) for a in range(4)]
    value, freedom = runs_variance(credits, runs)
    assert abs(value - np.var([0, 0.25, 0.5, 0.75], ddof=1) / 4) <= ROUNDING
    assert freedom == 3


def test_the_interval_is_wilsons_with_the_point_of_t():
    """Broken otherwise: of few runs the interval is as short as of many, or leaves [0, 1].

    The point is another implementation's, to 1e-12 and better. It moves an end by less.
    """
    runs = draw_trials(*columns([25, 25], [5, 5]), 160)
    credits = outcomes(runs, 1)
    value = np.concatenate(credits).mean()
    V, freedom = runs_variance(credits, runs)
    n = value * (1 - value) / max(V, value * (1 - value) / 160)
    expected = wilson_interval(value, n, stats.t(freedom).ppf(0.975))
    assert runs_interval(credits, runs) == pytest.approx(expected, abs=1e-9)


def test_trials_count_no_more_than_they_are():
    """Broken otherwise: runs that happen to be alike have an interval of length zero."""
    runs = draw_trials(*columns([24], [40]), 20 * 1000)
    for share in (0.25, 1.0):
        credits = [np.repeat([1.0, 0.0], [int(20 * share), 20 - int(20 * share)])] * len(runs)
        low, high = runs_interval(credits, runs)
        usual = wilson_interval(share, 20_000, float(stats.t(39).ppf(0.975)))
        assert (low, high) == pytest.approx(usual, abs=1e-9)


def test_one_run_has_no_interval():
    """Broken otherwise: a run that differs from no other is taken for certain."""
    runs = draw_trials(*columns([4], [3]), 4)
    with pytest.raises(ValueError, match="runs must be at least two, got 1"):
        runs_interval(outcomes(runs, 0), runs)


def held_by(intervals, truth):
    return sum(low <= truth <= high for low, high in intervals)


def test_the_interval_holds_for_other_drawers():
    """Broken otherwise: the interval is that of independent trials, or of the runs alone.

    Drawers differ in how well they are read. The mean over all drawers is known to 10⁻³, as a mean
    of 20,000 pairs. Of right 95 % intervals fewer than 90 % of 150 hold it with a probability of
    one in 200. The others hold it much less often.
    """
    sets, A, C, D = 150, 4, 24, 20
    drawn = columns([C] * A, [D] * A)
    rng = np.random.default_rng(0)
    ease = 1.5 + rng.standard_normal((A, 1))

    def share_right(skill):
        return 1 / (1 + np.exp(-skill))

    truth = share_right(ease + 0.5 * rng.standard_normal((A, 20_000, 2)).sum(-1)).mean()
    ours, alone, usual = [], [], []
    for seed in range(sets):
        skill = 0.5 * rng.standard_normal((A, D))
        runs = draw_trials(*drawn, 80 * 20, seed)
        credits = []
        for run in runs:
            p = share_right(ease[run.alphabet, 0] + skill[run.alphabet, run.drawers].sum())
            credits.append((rng.random(20) < p).astype(float))
        ours.append(runs_interval(credits, runs))
        apart = [run._replace(drawers=None) for run in runs]
        alone.append(runs_interval(credits, apart))
        value = float(np.concatenate(credits).mean())
        half = Z * math.sqrt(value * (1 - value) / 1600)
        usual.append((value - half, value + half))
    assert held_by(ours, truth) >= 0.9 * sets
    assert held_by(alone, truth) < 0.85 * sets
    assert held_by(usual, truth) < 0.75 * sets
