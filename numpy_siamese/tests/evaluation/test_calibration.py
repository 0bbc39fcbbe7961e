"""Calibration against plain loops, scikit-learn and values worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from numpy_siamese.evaluation.calibration import BINS, brier_score, reliability_table
from numpy_siamese.tests.evaluation import loops
from numpy_siamese.tests.evaluation.loops import UNIT_ROUNDOFF, scored_pairs, weighted_pairs

SUM = 200 * UNIT_ROUNDOFF
"""At most 32 pairs of weight at most 4, each of at most 1 and three rounded operations, are
added; the mean is at most 1.
"""


@given(weighted_pairs())
def test_the_brier_score_is_the_mean_squared_error(pairs):
    """Broken otherwise: another loss goes by this name; a loop and scikit-learn both tell."""
    found = brier_score(*pairs)
    assert abs(found - loops.brier(loops.listed(*pairs))) <= SUM
    probs, targets, weights = pairs
    oracle = brier_score_loss(targets, probs, sample_weight=weights, pos_label=1)
    assert abs(found - oracle) <= SUM


@given(weighted_pairs())
def test_the_calibration_error_is_that_of_a_loop_over_bins(pairs):
    """Broken otherwise: a bin counts by its number of pairs where weights are given, or an edge
    belongs to another bin.
    """
    for bins in (1, BINS, 15):
        table = reliability_table(*pairs, bins=bins)
        expected = loops.expected_calibration_error(loops.listed(*pairs), table.edges.tolist())
        assert abs(table.expected_calibration_error - expected) <= SUM


@given(scored_pairs())
def test_the_table_is_scikit_learns(pairs):
    """Broken otherwise: a reliability diagram looks unlike those that others draw."""
    probs, targets = pairs
    table = reliability_table(probs, targets)
    filled = table.weights > 0
    share_same, mean_prob = calibration_curve(targets, probs, n_bins=BINS)
    np.testing.assert_allclose(table.share_same[filled], share_same, rtol=0, atol=SUM)
    np.testing.assert_allclose(table.mean_prob[filled], mean_prob, rtol=0, atol=SUM)


def test_an_edge_belongs_to_the_bin_below():
    """Broken otherwise: a pair of p = 0.5, called different, is counted among those called same."""
    probs = np.array([0, 0.5, np.nextafter(0.5, 1), 1])
    table = reliability_table(probs, [0, 1, 1, 1], bins=2)
    assert table.edges.tolist() == [0, 0.5, 1]
    assert table.weights.tolist() == [2, 2]
    assert table.share_same.tolist() == [0.5, 1]
    assert table.mean_prob.tolist() == [0.25, 0.75]
    assert table.expected_calibration_error == 0.25


def test_an_empty_bin_has_no_mean_and_no_error():
    """Broken otherwise: a picture draws a point at 0, or the error is NaN."""
    table = reliability_table(np.array([[0.05], [0.95]]), [[0], [1]])
    assert table.weights.tolist() == [1, *[0] * 8, 1]
    assert np.isnan(table.mean_prob[1:-1]).all()
    assert np.isnan(table.share_same[1:-1]).all()
    assert table.expected_calibration_error == pytest.approx(0.05, abs=SUM)


def test_pairs_of_one_kind_have_a_calibration():
    """Broken otherwise: a check that the ROC curve needs refuses what is well defined."""
    assert brier_score(np.array([0.5]), [1]) == 0.25
    assert reliability_table(np.array([0.5]), [1]).expected_calibration_error == 0.5


@pytest.mark.parametrize("function", [brier_score, reliability_table])
def test_what_is_no_probability_is_refused(function):
    """Broken otherwise: logits get a score, and a bin beyond the last one an error of its own."""
    with pytest.raises(ValueError, match=r"^probs must lie in"):
        function(np.array([1.5]), [1])
    with pytest.raises(ValueError, match=r"^weights must not all be 0"):
        function(np.array([0.5]), [1], np.zeros(1))


def test_a_table_has_a_bin():
    """Broken otherwise: no bin has an error of 0/0."""
    with pytest.raises(ValueError, match=r"^bins must be at least 1, got 0"):
        reliability_table(np.array([0.5]), [1], bins=0)
