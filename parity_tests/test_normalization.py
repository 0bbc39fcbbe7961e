"""Batch normalisation where implementations like to differ: statistics, large means, one number."""

import numpy as np
import pytest
import torch
from torch.nn import functional as TF

from numpy_siamese import functional as F
from numpy_siamese.functional import normalization
from parity_tests.machinery.error_bounds import Allowance

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)


@every_dtype
@pytest.mark.parametrize("momentum", [0.0, 0.1, 1.0])
def test_running_statistics_are_torchs(momentum: float, dtype: type) -> None:
    """The new mean and the unbiased variance go in with the weight `momentum`, as in torch."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((5, 3, 2, 4)).astype(dtype)
    running = [rng.uniform(1, 2, 3).astype(dtype) for _ in range(2)]
    found = normalization.running_statistics(x, *running, momentum)
    tensors = [torch.tensor(a.astype(np.float64)) for a in running]
    TF.batch_norm(torch.tensor(x.astype(np.float64)), *tensors, training=True, momentum=momentum)
    size = abs(x).mean(axis=(0, 2, 3))
    variance = x.var(axis=(0, 2, 3)) * 40 / 39
    # a mean of 40, twice in a difference and once of squares; R/(R − 1), two products and the sum
    gauges = size, variance + 2 * size * size
    for ours, theirs, old, of_batch in zip(found, tensors, running, gauges, strict=True):
        gauge = (1 - momentum) * old + momentum * of_batch
        assert (abs(ours - theirs.numpy()) <= 2 * Allowance(46, gauge).of(dtype)).all()
        assert ours.dtype == dtype


@every_dtype
def test_a_large_mean_takes_no_digits(dtype: type) -> None:
    """The variance of 10⁴ ± 1 is 1: the mean of squares less the square of the mean has no digit.

    All numbers and their mean are exact.
    """
    x = np.array([9999, 10001] * 8, dtype)[:, None]
    y, _ = F.batch_norm(x, None, None, training=True, eps=2.0**-30)
    assert abs(abs(y) - 1).max() < 1e-6


def test_in_training_nothing_is_changed_and_none_is_needed() -> None:
    """Statistics that are changed as a side effect depend on which twin comes first."""
    x, statistics = np.arange(12.0).reshape(3, 4), np.full(4, 5.0)
    y, _ = F.batch_norm(x, statistics, statistics, training=True)
    assert (statistics == 5).all()
    np.testing.assert_array_equal(y, F.batch_norm(x, None, None, training=True)[0], strict=True)


def test_statistics_next_to_nothing_report_nothing() -> None:
    """A channel that has died out would end a run under a strict `np.errstate`."""
    x, zeros = np.array([[1e-200], [2e-200]]), np.zeros(1)
    with np.errstate(all="raise"):
        mean, variance = normalization.running_statistics(x, zeros, zeros, 0.5)
    assert mean == 0.5 * 1.5e-200
    assert normalization.running_statistics(x, zeros, zeros)[0] == 0.1 * 1.5e-200
    assert variance == 0


@pytest.mark.parametrize("block", [1, 24, 48, 10**6])
def test_blocks_change_nothing(block: int) -> None:
    """Channels would be left out, or normalised with those of another block."""
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 4, 5, 2, 3))
    weight, bias = rng.standard_normal((2, 5))

    def results() -> list[np.ndarray]:
        y, pullback = F.batch_norm(x, None, None, weight, bias, training=True)
        return [y, *pullback(dy)]

    whole = results()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normalization, "BLOCK", block)
        in_blocks = results()
    for found, expected in zip(in_blocks, whole, strict=True):
        np.testing.assert_array_equal(found, expected, strict=True)


@every_dtype
def test_sums_have_one_order_in_any_memory(dtype: type) -> None:
    """Rows that are summed across memory round otherwise, and lose digits with their number."""
    by_image = np.random.default_rng(0).standard_normal((1000, 3)).astype(dtype)
    by_channel = np.asfortranarray(by_image)
    results = [
        (y, *pullback(x))
        for x in (by_image, by_channel)
        for y, pullback in [F.batch_norm(x, None, None, training=True)]
    ]
    for one, other in zip(*(result[:2] for result in results), strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


def test_the_batch_stays_innermost() -> None:
    """Every layer after it would copy its input, or read with strides."""
    x = np.arange(24.0).reshape(2, 3, 2, 2)
    y, pullback = F.batch_norm(x, np.zeros(3), np.ones(3))
    for array in (y, *pullback(y)[:1]):
        assert array.shape == x.shape
        assert array.transpose(1, 2, 3, 0).flags.c_contiguous


def test_running_statistics_that_do_not_fit_are_refused() -> None:
    """A statistic of another length is broadcast, and one number makes a variance of 0/0."""
    x, three, two = np.ones((2, 3)), np.ones(3), np.ones(2)
    for name, arguments in (("running_mean", (x, two, three)), ("running_var", (x, three, two))):
        with pytest.raises(ValueError, match=f"^{name} must have"):
            normalization.running_statistics(*arguments)
    with pytest.raises(ValueError, match="at least 2 numbers"):
        normalization.running_statistics(x[:1], three, three)


def test_what_is_no_number_is_told_by_its_name() -> None:
    """The message would name something else."""
    x, three = np.ones((2, 3)), np.ones(3)
    with pytest.raises(TypeError, match=r"^momentum must be"):
        normalization.running_statistics(x, three, three, "0.1")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^eps must be"):
        F.batch_norm(x, three, three, eps="0")  # type: ignore[arg-type]


REFUSED = {
    "one number": lambda f, a: f.batch_norm(a(1, 3), None, None, training=True),
    "running_mean": lambda f, a: f.batch_norm(a(2, 3), a(2), a(3)),
    "running_var": lambda f, a: f.batch_norm(a(2, 3), a(3), a(2)),
    "weight": lambda f, a: f.batch_norm(a(2, 3), a(3), a(3), a(2)),
    "bias": lambda f, a: f.batch_norm(a(2, 3), a(3), a(3), a(3), a(2)),
    "eps": lambda f, a: f.batch_norm(a(2, 3), a(3), a(3), training=True, eps=0.0),
    "no channels": lambda f, a: f.batch_norm(a(3), a(3), a(3)),
    "missing statistics": lambda f, a: f.batch_norm(a(2, 3), None, None),
}

WORDS = {
    "one number": "at least 2 numbers",
    "no channels": r"\(N, C, …\)",
    "missing statistics": "running_mean must be given",
}


@pytest.mark.parametrize("row", REFUSED)
def test_what_torch_refuses(row: str) -> None:
    """One number has no variance, and a statistic of another length is broadcast."""
    call = REFUSED[row]
    with pytest.raises((ValueError, TypeError), match=WORDS.get(row, f"{row} must")):
        call(F, lambda *shape: np.full(shape, 0.5))
    with pytest.raises((ValueError, RuntimeError, IndexError)):
        call(TF, lambda *shape: torch.full(shape, 0.5))
