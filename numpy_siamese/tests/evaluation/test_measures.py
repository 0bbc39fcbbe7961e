"""All figures of pairs, values and intervals, against loops over lists of pairs."""

import json
from fractions import Fraction
from inspect import signature

import numpy as np
import pytest

from numpy_siamese.evaluation.bootstrap import multiplicities
from numpy_siamese.evaluation.calibration import BINS
from numpy_siamese.evaluation.measures import FAR_LEVELS, pair_measures
from numpy_siamese.tests.evaluation import loops

N, IMAGES, RESAMPLES, SEED = 60, 9, 12, 3


def drawn_pairs(seed):
    """Return probabilities, many of them tied, and targets that they tell of more or less."""
    rng = np.random.default_rng(seed)
    targets = np.arange(N) % 2
    probs = np.round(np.clip(0.35 + 0.3 * targets + 0.25 * rng.standard_normal(N), 0, 1), 1)
    return probs.astype(np.float32)[:, None], targets[:, None]


def drawn_images():
    rng = np.random.default_rng(7)
    left = rng.integers(IMAGES, size=N)
    return left, (left + rng.integers(1, IMAGES, size=N)) % IMAGES


PROBS, TARGETS = drawn_pairs(0)
LEFT, RIGHT = drawn_images()
VALIDATION = drawn_pairs(1)
ARGUMENTS = {
    "probs": PROBS,
    "targets": TARGETS,
    "left_index": LEFT,
    "right_index": RIGHT,
    "n_images": IMAGES,
    "validation_probs": VALIDATION[0],
    "validation_targets": VALIDATION[1],
    "resamples": RESAMPLES,
    "seed": SEED,
}
FOUND = pair_measures(**ARGUMENTS)
CHOSEN = loops.listed(VALIDATION[0][:, 0], VALIDATION[1][:, 0])
THRESHOLD = loops.threshold_at_equal_error(CHOSEN)
EDGES = np.linspace(0, 1, BINS + 1).tolist()

FIGURES = {
    "accuracy": lambda pairs: loops.accuracy(pairs, 0.5),
    "roc_auc": loops.auc,
    "eer": loops.equal_error_rate,
    "brier": loops.brier,
    "ece": lambda pairs: loops.expected_calibration_error(pairs, EDGES),
    "accuracy_at_threshold": lambda pairs: loops.accuracy(pairs, THRESHOLD),
    "far": lambda pairs: loops.far(pairs, THRESHOLD),
    "frr": lambda pairs: loops.frr(pairs, THRESHOLD),
}

ROUNDING = 10_000 * loops.UNIT_ROUNDOFF
"""A resample has a few hundred pairs; of each at most ten rounded operations on numbers up to 1."""


def resampled():
    """Return the pairs of each resample as a list in which they are repeated."""
    probs, targets = PROBS[:, 0], TARGETS[:, 0]
    for resample in range(RESAMPLES):
        counts = multiplicities(IMAGES, SEED, resample)
        weights = [loops.occurrences(counts, *pair) for pair in zip(LEFT, RIGHT, strict=True)]
        yield loops.listed(probs, targets, weights)


RESAMPLED = list(resampled())


def assert_figure(found, by_loop):
    """Check a value against all pairs, and its interval against the resamples."""
    assert set(found) == {"value", "low", "high"}
    value = float(by_loop(loops.listed(PROBS[:, 0], TARGETS[:, 0])))
    assert abs(found["value"] - value) <= ROUNDING
    values = [float(by_loop(pairs)) for pairs in RESAMPLED]
    for name, q in (("low", 0.025), ("high", 0.975)):
        expected = min(max(loops.end(value, values, q), 0), 1)
        assert abs(found[name] - expected) <= ROUNDING


def test_the_resamples_have_pairs_of_both_kinds_at_once():
    """Broken otherwise: the loops here would have to draw anew as the module does."""
    assert all({target for _, target in pairs} == {0, 1} for pairs in RESAMPLED)
    assert set(LEFT) | set(RIGHT) == set(range(IMAGES))


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_and_its_interval_are_those_of_a_loop(name):
    """Broken otherwise: figures are mixed up, or weights are lost on the way to one of them."""
    assert_figure(FOUND[name], FIGURES[name])


@pytest.mark.parametrize("k", range(len(FAR_LEVELS)))
def test_the_rates_at_a_given_far_are_those_of_a_loop(k):
    """Broken otherwise: a threshold is chosen on the pairs that it is tested on."""
    found, level = FOUND["at_far"][k], FAR_LEVELS[k]
    assert set(found) == {"target", "threshold", "far", "frr"}
    assert found["target"] == level
    threshold = loops.threshold_at_far(CHOSEN, Fraction(level))
    assert found["threshold"] == threshold
    assert_figure(found["far"], lambda pairs: loops.far(pairs, threshold))
    assert_figure(found["frr"], lambda pairs: loops.frr(pairs, threshold))


def test_the_threshold_is_that_of_the_validation_pairs():
    """Broken otherwise: FAR and FRR are better than those of any threshold known beforehand."""
    assert FOUND["threshold"] == THRESHOLD
    on_test = loops.threshold_at_equal_error(loops.listed(PROBS[:, 0], TARGETS[:, 0]))
    assert on_test != THRESHOLD


def test_the_levels_are_one_in_a_hundred_and_one_in_a_thousand():
    """Broken otherwise: other levels are reported than are documented."""
    assert FAR_LEVELS == (0.01, 0.001)


def test_the_result_is_json_and_counts_the_pairs():
    """Broken otherwise: `evaluation.json` cannot be written, or lacks a part of its contract."""
    assert json.loads(json.dumps(FOUND, allow_nan=False)) == FOUND
    assert set(FOUND) == {"pairs", "validation_pairs", "threshold", "at_far", *FIGURES}
    fewer = {f"validation_{name}": ARGUMENTS[name][:50] for name in ("probs", "targets")}
    found = pair_measures(**(ARGUMENTS | fewer | {"resamples": 1}))
    assert (found["pairs"], found["validation_pairs"]) == (N, 50)


def test_the_ends_of_an_interval_are_rates():
    """Broken otherwise: a false accept rate of −0.1 % stands in a table."""
    few = {name: ARGUMENTS[name][:20] for name in ("probs", "targets", "left_index", "right_index")}
    worst = {"probs": np.where(few["targets"] == 1, np.float32(0.9), np.float32(0.1))}
    worst["probs"][0] = 1
    found = pair_measures(**(ARGUMENTS | few | worst | {"resamples": 100}))
    assert found["far"]["low"] == 0 < found["far"]["value"]
    assert found["accuracy"]["high"] == 1 > found["accuracy"]["value"]


def test_an_interval_holds_the_value_of_a_calibrated_network():
    """Broken otherwise: the calibration error of noise lies below its interval."""
    rng = np.random.default_rng(0)
    probs = rng.random((300, 1))
    targets = (rng.random((300, 1)) < probs).astype(float)
    left, right = rng.integers(200, size=(2, 300))
    found = pair_measures(probs, targets, left, right, 200, probs, targets, resamples=100)["ece"]
    assert found["low"] < found["value"] < found["high"]


def test_the_order_of_the_pairs_does_not_matter():
    """Broken otherwise: pairs are sorted for speed, and their images are not."""
    order = np.random.default_rng(1).permutation(N)
    permuted = ("probs", "targets", "left_index", "right_index")
    found = pair_measures(**(ARGUMENTS | {name: ARGUMENTS[name][order] for name in permuted}))
    for name in FIGURES:
        assert found[name] == pytest.approx(FOUND[name], abs=ROUNDING)


def test_a_thousand_resamples_of_seed_zero_are_the_default():
    """Broken otherwise: documented and computed intervals differ."""
    defaults = {
        name: parameter.default for name, parameter in signature(pair_measures).parameters.items()
    }
    assert (defaults["resamples"], defaults["seed"]) == (1000, 0)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"targets": np.ones((N, 1))}, "^targets must be of both kinds, got no different pair$"),
        (
            {"validation_targets": np.zeros((N, 1))},
            "^validation_targets must be of both kinds, got no same pair$",
        ),
        (
            {"validation_probs": PROBS[:0], "validation_targets": TARGETS[:0]},
            "^validation_probs must hold at least one pair$",
        ),
        ({"validation_probs": PROBS + 1}, r"^validation_probs must lie in \[0, 1\]$"),
        ({"validation_targets": TARGETS + 1}, "^validation_targets must be 0 "),
        ({"validation_targets": TARGETS[1:]}, "^expected one shape for all, got validation_probs"),
        ({"left_index": LEFT[1:]}, "^expected one shape for all, got left_index"),
        ({"left_index": LEFT[1:], "right_index": RIGHT[1:]}, r"right_index \(59,\), probs \(60,\)"),
        ({"n_images": 8}, r"_index must lie in \[0, 8\), got 8$"),
        ({"n_images": 0}, "^n_images must be at least 1, got 0$"),
        ({"resamples": 0}, "^resamples must be at least 1, got 0$"),
    ],
)
def test_what_has_no_figures_is_refused_under_its_name(changed, said):
    """Broken otherwise: the error is about test pairs where the validation pairs are at fault."""
    with pytest.raises((ValueError, IndexError), match=said):
        pair_measures(**(ARGUMENTS | changed))


def test_scikit_learn_is_imported_by_who_asks_for_a_curve():
    """Broken otherwise: training waits a second for what it does not need."""
    from numpy_siamese.tests.support.processes import run_python

    script = """
import sys
sys.modules["sklearn"] = None
from numpy_siamese.evaluation import bootstrap, calibration, measures, roc
print("imported")
"""
    process = run_python("-c", script)
    assert (process.stderr, process.stdout) == ("", "imported\n")
