"""ROC against plain loops, scikit-learn and values worked out by hand."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from numpy_siamese.evaluation.roc import roc_curve
from numpy_siamese.evaluation.verification import accuracy
from numpy_siamese.tests.evaluation import loops
from numpy_siamese.tests.evaluation.loops import UNIT_ROUNDOFF, scored_pairs, weighted_pairs

RATE = 4 * UNIT_ROUNDOFF
"""A rate is a quotient of whole numbers, at most 1; 1 − it, a product and a sum follow."""

AREA = 100 * UNIT_ROUNDOFF
"""At most 33 trapezoids, each of at most 1 and three rounded operations, are added."""


@given(weighted_pairs())
def test_the_curve_has_the_rates_of_a_loop_at_each_probability(pairs):
    """Broken otherwise: pairs that tie are separated, a threshold is off by one probability, or
    weights count other than repeated pairs do.
    """
    curve, listed = roc_curve(*pairs), loops.listed(*pairs)
    assert curve.thresholds.tolist() == [*loops.thresholds(listed), -np.inf]
    for t, far, frr in zip(curve.thresholds, curve.far, curve.frr, strict=True):
        assert abs(far - loops.far(listed, t)) <= RATE
        assert abs(frr - loops.frr(listed, t)) <= RATE


@given(weighted_pairs(), st.floats(-1, 2) | st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0]))
def test_a_point_of_the_curve_is_what_a_loop_counts_there(pairs, threshold):
    """Broken otherwise: at a probability that occurs "same" means p ≥ t, or in between two of them
    the wrong one counts.
    """
    point, listed = roc_curve(*pairs).at(threshold), loops.listed(*pairs)
    assert abs(point.far - loops.far(listed, threshold)) <= RATE
    assert abs(point.frr - loops.frr(listed, threshold)) <= RATE
    assert abs(point.accuracy - loops.accuracy(listed, threshold)) <= RATE


@given(scored_pairs())
def test_accuracy_at_one_half_is_that_of_verification(pairs):
    """Broken otherwise: a run and its evaluation call different pairs the same."""
    assert abs(roc_curve(*pairs).at(0.5).accuracy - accuracy(*pairs)) <= RATE


@given(weighted_pairs())
def test_the_area_is_how_often_a_same_pair_scores_higher(pairs):
    """Broken otherwise: a tie counts as won or lost; scikit-learn and a double loop both tell."""
    auc = roc_curve(*pairs).auc
    assert abs(auc - loops.auc(loops.listed(*pairs))) <= AREA
    probs, targets, weights = pairs
    assert abs(auc - metrics.roc_auc_score(targets, probs, sample_weight=weights)) <= AREA


@given(weighted_pairs())
def test_the_equal_error_rate_is_where_the_curve_meets_the_diagonal(pairs):
    """Broken otherwise: it is one of the two points beside it, or one too far along."""
    found = roc_curve(*pairs).equal_error_rate
    assert abs(found - loops.equal_error_rate(loops.listed(*pairs))) <= 8 * RATE


@given(scored_pairs())
def test_thresholds_are_those_that_a_loop_chooses(pairs):
    """Broken otherwise: a threshold lets through more different pairs than was asked for."""
    curve, listed = roc_curve(*pairs), loops.listed(*pairs)
    n = sum(target == 0 for _, target in listed)
    for k in range(n):
        level = Fraction(k, n)
        assert curve.threshold_at_far(k / n) == loops.threshold_at_far(listed, level)
    assert curve.threshold_at_equal_error == loops.threshold_at_equal_error(listed)


def test_a_curve_worked_out_by_hand():
    """Broken otherwise: loops and curve share a mistake."""
    curve = roc_curve(np.array([0.1, 0.4, 0.4, 0.8, 0.9]), [0, 0, 1, 0, 1])
    assert curve.thresholds.tolist() == [0.9, 0.8, 0.4, 0.1, -np.inf]
    np.testing.assert_array_equal(curve.far, [0, 0, 1 / 3, 2 / 3, 1])
    np.testing.assert_array_equal(curve.frr, [1, 0.5, 0.5, 0, 0])
    assert curve.auc == pytest.approx(4.5 / 6, abs=AREA)
    assert curve.equal_error_rate == pytest.approx(0.4, abs=RATE)
    assert curve.threshold_at_equal_error == 0.4
    assert curve.threshold_at_far(0.5) == 0.4
    assert curve.threshold_at_far(0) == 0.8
    assert curve.at(0.8) == (0, 0.5, 0.8)


def test_of_two_thresholds_with_the_same_gap_the_larger_is_taken():
    """Broken otherwise: the choice between |0 − 1/2| and |1/2 − 0| is by rounding."""
    curve = roc_curve(np.array([0.9, 0.5, 0.5, 0.1]), [1, 1, 0, 0])
    assert curve.threshold_at_equal_error == 0.5
    assert curve.equal_error_rate == 0.25


def test_a_threshold_is_compared_with_float32_as_it_is():
    """Broken otherwise: 0.1 is rounded to the next float32, which a pair of it is not above."""
    just_above = np.float32(0.1)
    assert float(just_above) > 0.1
    curve = roc_curve(np.array([0, just_above], np.float32), [0, 1])
    assert curve.at(0.1) == (0, 0, 1)
    assert curve.at(float(just_above)) == (0, 1, 0.5)


def test_saturated_probabilities_are_all_refused_by_a_threshold_of_one():
    """Broken otherwise: of a network that is sure of everything a threshold above 1 is asked."""
    curve = roc_curve(np.array([1.0, 1.0, 0.0, 0.0]), [0, 1, 1, 0])
    assert curve.threshold_at_far(0.25) == 1
    assert curve.at(1.0) == (0, 1, 0.5)


ONE = np.array([0.5])
TWO = np.array([0.2, 0.7])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((TWO, [1, 1]), "^targets must be of both kinds, got no different pair$"),
        ((TWO, [0, 0]), "^targets must be of both kinds, got no same pair$"),
        ((TWO, [0, 0.5]), r"^targets must be 0 \(different\) or 1 \(same\)$"),
        ((TWO, [0, np.nan]), "^targets must be 0"),
        ((TWO, [[0], [1]]), r"^expected one shape for all, got probs \(2,\), targets \(2, 1\)$"),
        ((TWO[:0], []), "^probs must hold at least one pair$"),
        ((TWO + 0.5, [0, 1]), r"^probs must lie in \[0, 1\]$"),
        ((np.array([0.5, np.nan]), [0, 1]), "^probs must lie in"),
        ((TWO, [0, 1], ONE), r"^weights must have shape \(2,\), got \(1,\)$"),
        ((TWO, [0, 1], np.array([1, -1.0])), "^weights must be finite, none negative$"),
        ((TWO, [0, 1], np.array([1, np.inf])), "^weights must be finite, none negative$"),
        ((TWO, [0, 1], np.array([1, np.nan])), "^weights must be finite, none negative$"),
        ((TWO, [0, 1], np.zeros(2)), "^weights must not all be 0$"),
        ((TWO, [0, 1], np.array([0, 1.0])), "^weights must be above 0 .* got no different pair$"),
        ((TWO, [0, 1], np.array([1.0, 0])), "^weights must be above 0 .* got no same pair$"),
    ],
)
def test_pairs_without_a_curve_are_refused(arguments, said):
    """Broken otherwise: of pairs of one kind a rate is 0/0, and NaN passes for a result."""
    with pytest.raises(ValueError, match=said):
        roc_curve(*arguments)


@pytest.mark.parametrize("far", [-0.1, 1, 1.5, np.nan])
def test_a_false_accept_rate_is_below_one(far):
    """Broken otherwise: −∞ is given as a threshold, which JSON does not know."""
    with pytest.raises(ValueError, match=r"^far must be at least 0 and below 1, got "):
        roc_curve(TWO, [0, 1]).threshold_at_far(far)


@pytest.mark.parametrize("threshold", [np.nan, np.inf])
def test_a_threshold_is_finite(threshold):
    """Broken otherwise: above NaN is nothing, and no pair is the same."""
    with pytest.raises(ValueError, match=r"^threshold must be finite"):
        roc_curve(TWO, [0, 1]).at(threshold)
