"""Initial weights from normal distributions; `parity_tests` has those of PyTorch."""

import numpy as np
import pytest

from numpy_siamese import initialization
from numpy_siamese.architectures import KOCH
from numpy_siamese.initialization import manual_seed, normal, normal_layer

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@DTYPES
def test_normal_numbers_have_their_mean_and_deviation(dtype):
    """Broken otherwise: the deviation is taken for the variance, or left out."""
    drawn = normal(manual_seed(1), (200, 500), 0.5, 0.01, dtype)
    assert (drawn.shape, drawn.dtype) == ((200, 500), dtype)
    n = drawn.size  # standard errors are σ/√n of the mean, σ/√2n of the deviation
    assert abs(drawn.mean(dtype=np.float64) - 0.5) < 5 * 0.01 / n**0.5
    assert abs(drawn.std(dtype=np.float64) - 0.01) < 5 * 0.01 / (2 * n) ** 0.5


def test_float32_has_the_numbers_of_float64_rounded():
    """Broken otherwise: a seed is another network in float64."""
    single, double = (
        normal(manual_seed(2), (99,), 0.5, 0.2, dtype) for dtype in (np.float32, np.float64)
    )
    np.testing.assert_array_equal(single, double.astype(np.float32), strict=True)


def test_blocks_change_no_number(monkeypatch):
    """Broken otherwise: weights depend on how many are drawn at a time."""
    whole = normal(manual_seed(3), (10, 7), 0, 1, np.float64)
    monkeypatch.setattr(initialization, "BLOCK", 9)
    np.testing.assert_array_equal(normal(manual_seed(3), (10, 7), 0, 1, np.float64), whole)
    expected = np.random.RandomState(3).standard_normal(70)
    np.testing.assert_array_equal(whole.ravel(), expected)


@pytest.mark.parametrize(("shape", "std"), [((40, 9, 8, 8), 0.01), ((40, 500), 0.2)])
def test_the_paper_s_deviations(shape, std):
    """Broken otherwise: convolutions have the weights of linear layers, or biases begin at 0."""
    weight, bias = normal_layer(manual_seed(4), shape, KOCH.initialization, np.float64)
    assert weight.shape == shape
    assert bias.shape == shape[:1]
    assert abs(weight.std() - std) < 5 * std / (2 * weight.size) ** 0.5
    assert abs(weight.mean()) < 5 * std / weight.size**0.5
    assert abs(bias.mean() - 0.5) < 5 * 0.01 / bias.size**0.5
    assert abs(bias.std() - 0.01) < 5 * 0.01 / (2 * bias.size) ** 0.5
