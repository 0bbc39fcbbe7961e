"""The bound on a slope is honest: the true error lies below it, smooth, beside a kink or noisy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_siamese.gradients import differences
from numpy_siamese.gradients.comparison import STEPS
from numpy_siamese.gradients.slopes import Slopes
from numpy_siamese.gradients.weighted_sum import WeightedSum

SMOOTH = {
    "sin": (np.sin, np.cos),
    "exp": (np.exp, np.exp),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "septic": (lambda x: x**7 - 3 * x**5 + x**2, lambda x: 7 * x**6 - 15 * x**4 + 2 * x),
    "reciprocal": (lambda x: 1 / (5 + x), lambda x: -1 / (5 + x) ** 2),
    "constant": (lambda x: 0 * x + 3, lambda x: 0 * x),
}

TWO = (1.0, 2.0)
"""A second entry, so that the typical one is not the entry itself."""


def slopes_of(f, at):
    """Return the slopes of f at an entry for each step, over the weight dy that f was given."""
    x = np.array([at, *TWO])
    total = WeightedSum(lambda x: (f(x[:1]), None.__bool__), [x], np.random.default_rng(0))
    noise = total.noise(np.random.default_rng(1))
    found = [Slopes(total, 0, noise).at(0, share) for share in STEPS]
    return [(slope.value, slope.bound) for slope in found], float(total.dy[0])


@given(st.sampled_from(sorted(SMOOTH)), st.floats(-3, 3), st.floats(0.01, 100))
def test_the_error_on_smooth_functions_is_below_the_bound(name, at, size):
    """Broken otherwise: a right gradient is called wrong where the function is curved."""
    f, derivative = SMOOTH[name]
    slopes, dy = slopes_of(lambda x: size * f(x), at)
    true = dy * size * float(derivative(np.array(at)))
    for value, bound in slopes:
        assert abs(value - true) <= bound


@given(st.floats(-3, 3), st.floats(-8, -0.5), st.booleans(), st.floats(0.1, 10), st.booleans())
def test_the_error_beside_a_kink_is_below_the_bound(at, decade, above, jump, down):
    """Broken otherwise: a right gradient is called wrong near a kink of ReLU or pooling."""
    kink = at + (1 if above else -1) * 10**decade
    jump = -jump if down else jump

    def f(x):
        beyond = np.maximum(x - kink, 0) if above else np.maximum(kink - x, 0)
        return np.sin(x) + jump * beyond

    slopes, dy = slopes_of(f, at)
    true = dy * math.cos(at)
    for value, bound in slopes:
        assert abs(value - true) <= bound


@given(st.floats(-3, 3), st.sampled_from([1e-6, 1.0, 1e3, 1e6]))
def test_the_error_in_noise_is_below_the_bound(at, offset):
    """Broken otherwise: what rounding does within the function makes a right gradient wrong."""
    slopes, dy = slopes_of(lambda x: (np.sin(x) + offset) - offset, at)
    for value, bound in slopes:
        assert abs(value - dy * math.cos(at)) <= bound


def test_the_error_in_noise_of_its_own_is_below_the_bound():
    """Broken otherwise: a function that sums in no fixed order has wrong gradients.

    The noise is estimated from few points, so that the bound can fail. These draws are always the
    same.
    """
    for seed in range(200):
        noise = np.random.default_rng(seed)
        at = noise.uniform(-3, 3)
        slopes, dy = slopes_of(
            lambda x, noise=noise: 2 + np.sin(x) + noise.uniform(-1e-9, 1e-9), at
        )
        for value, bound in slopes:
            assert abs(value - dy * math.cos(at)) <= bound


@pytest.mark.parametrize("name", sorted(SMOOTH))
def test_the_bound_is_small_on_smooth_functions(name):
    """Broken otherwise: the bound holds, since it allows everything."""
    f, derivative = SMOOTH[name]
    slopes, _ = slopes_of(f, 0.7)
    value, bound = slopes[0]
    assert bound <= 1e-5 * max(1.0, abs(float(derivative(np.array(0.7)))))
    assert math.isfinite(value)


def test_the_bound_at_a_kink_is_half_its_jump():
    """Broken otherwise: an entry at a kink is told, though it has no slope."""
    slopes, dy = slopes_of(lambda x: 3 * abs(x), 0.0)
    for _, bound in slopes:
        assert bound == pytest.approx(3 * abs(dy), rel=1e-6)


def test_a_slope_beyond_the_domain_has_no_value():
    """Broken otherwise: the logarithm of a small number cannot be checked."""
    x = np.array([1e-5, *TWO])
    total = WeightedSum(lambda x: (np.log(x), None.__bool__), [x], np.random.default_rng(0))
    slopes = [Slopes(total, 0, 0.0).at(0, share) for share in STEPS]
    assert math.isnan(slopes[0].value)
    assert slopes[0].bound == math.inf
    assert slopes[-1].value == pytest.approx(float(total.dy[0]) / 1e-5, rel=1e-2)


@given(st.floats(-15, -5), st.integers(0, 2**32))
def test_the_noise_is_found_within_a_factor(decade, seed):
    """Broken otherwise: the share of rounding in the bound is too small, or hides every mistake."""
    sigma = 10**decade
    rng = np.random.default_rng(seed)
    t = rng.uniform(0, 1e-6, 12)
    found = differences.noise(t, 1 + 3 * t - 5 * t**2 + rng.normal(0, sigma, 12))
    assert sigma / 2 <= found <= 16 * sigma


def test_the_noise_of_a_line_is_nothing():
    """Broken otherwise: a slope is taken for noise."""
    t = np.linspace(0, 1e-9, 12)
    assert differences.noise(t, 3 * t) < 1e-22


def test_typical_entries_leave_out_zeros_and_what_is_not_finite():
    """Broken otherwise: a step is nothing, or spans the whole domain."""
    assert differences.typical(np.array([0.0, 0.0, 3.0, -4.0, 5.0, np.inf])) == 4
    assert differences.typical(np.zeros(3)) == 1
    assert differences.typical(np.array(-2.0)) == 2
