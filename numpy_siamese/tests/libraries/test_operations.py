"""Every operation on arrays of another library, on numbers of any bits: NumPy's results.

`parity_tests` has the same for shapes and options of every kind.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numpy_siamese import functional as F
from numpy_siamese._fma import BLOCK, fma
from numpy_siamese.functional.fused import FEW_IMAGES
from numpy_siamese.tests.support.strict_array import StrictArray, asarray, asnumpy
from numpy_siamese.tests.support.traffic import counted

INTEGERS: dict[type, Any] = {np.float32: np.uint32, np.float64: np.uint64}

SPECIAL = (0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-45, 1e-38, 88.0, -104.0, 1e30)

every_dtype = pytest.mark.parametrize("dtype", INTEGERS, ids=lambda d: d.__name__)


def bits(rng: np.random.Generator, shape: Any, dtype: type) -> np.ndarray:
    """Return numbers of any bits: of all exponents, infinite, subnormal, NaN of any payload."""
    words = rng.integers(0, np.iinfo(INTEGERS[dtype]).max, shape, INTEGERS[dtype], endpoint=True)
    found: np.ndarray = np.asarray(words).view(dtype)
    return np.where(rng.random(shape) < 0.3, rng.choice(np.array(SPECIAL, dtype), shape), found)


def assert_same(found: Any, expected: Any, name: str) -> None:
    assert type(found) is StrictArray, name
    assert (found.dtype, found.shape) == (expected.dtype, np.shape(expected)), name
    assert asnumpy(found).tobytes() == expected.tobytes(), name


def compare(
    operation: Callable[..., Any],
    arrays: dict[str, Any],
    laid_out: Callable[[Any], Any] = np.asarray,
    **options: Any,
) -> int:
    """Run an operation and its pullback on both; return how often the host asked."""
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        y, pullback = operation(**arrays, **options)
        dy = bits(rng, np.shape(y), y.dtype.type)
        dy = laid_out(dy) if dy.ndim else dy
        expected = y, *pullback(dy)
        on_device = {name: asarray(array) for name, array in arrays.items()}
        with counted() as traffic:
            found, its_pullback = operation(**on_device, **options)
            results = found, *its_pullback(asarray(dy))
    for k, (result, right) in enumerate(zip(results, expected, strict=True)):
        assert_same(result, right, f"result {k} of {operation.__name__}")
    return traffic.reads


SHAPES: dict[str, tuple[dict[str, tuple[int, ...]], dict[str, Any]]] = {
    "relu": ({"x": (3, 7)}, {}),
    "sigmoid": ({"x": (3, 7)}, {}),
    "l1_distance": ({"left": (3, 7), "right": (3, 7)}, {}),
    "batch_norm": (
        {"x": (3, 2, 4)} | dict.fromkeys(("running_mean", "running_var", "weight", "bias"), (2,)),
        {"training": True},
    ),
    "pairwise_l1_logits": ({"left": (3, 4), "right": (2, 4), "weight": (1, 4), "bias": (1,)}, {}),
    "linear": ({"x": (3, 4), "weight": (2, 4), "bias": (2,)}, {}),
    "conv2d": ({"x": (2, 2, 5, 4), "weight": (2, 2, 3, 2), "bias": (2,)}, {"padding": 1}),
    "max_pool2d": ({"x": (2, 2, 5, 4)}, {"kernel_size": 2, "padding": 1, "ceil_mode": True}),
    "binary_cross_entropy_with_logits": (
        {name: (3, 5) for name in ("logits", "target", "weight", "pos_weight")},
        {},
    ),
}

POOLING_ASKS = {"max_pool2d": 1}
"""Whether there is a NaN. Nothing else asks the device."""


@every_dtype
@pytest.mark.parametrize("name", SHAPES)
@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_bits(name, dtype, seed):
    """Broken otherwise: a mask lets 0·∞ through on a device, or loses the sign of a zero."""
    shapes, options = SHAPES[name]
    rng = np.random.default_rng(seed)
    arrays = {argument: bits(rng, shape, dtype) for argument, shape in shapes.items()}
    assert compare(getattr(F, name), arrays, **options) == POOLING_ASKS.get(name, 0)


@every_dtype
@pytest.mark.parametrize("N", [0, 1, FEW_IMAGES, FEW_IMAGES + 1])
@settings(max_examples=10)
@given(
    seed=st.integers(0, 2**32 - 1),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    C=st.integers(1, 2),
)
def test_any_bits_in_the_fused_layer(N, dtype, seed, kernel, C):
    """Broken otherwise: the copied windows are not those that overlap in NumPy's memory."""
    shapes = {"x": (N, C, kernel[0] + 4, kernel[1] + 3), "weight": (3, C, *kernel), "bias": (3,)}
    rng = np.random.default_rng(seed)
    arrays = {argument: bits(rng, shape, dtype) for argument, shape in shapes.items()}
    assert compare(F.conv_relu_pool, arrays) == 0


@every_dtype
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_the_cross_entropy(reduction, dtype):
    """Broken otherwise: the loss of probabilities next to 0 and 1 is another on a device."""
    rng = np.random.default_rng(0)
    arrays = {
        name: rng.choice(np.array([0, 1e-30, 0.3, 1], dtype), 40) for name in ("probs", "target")
    }
    arrays["weight"] = rng.random(40).astype(dtype)
    assert compare(F.binary_cross_entropy, arrays, reduction=reduction) == 2
    assert (
        compare(F.binary_cross_entropy, {k: a[:0] for k, a in arrays.items()}, reduction=reduction)
        == 2
    )


@every_dtype
@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_loss_of_all_pairs(seed, dtype):
    """Broken otherwise: rows without a negative, whose logarithm is −∞, are others on a device."""
    rng = np.random.default_rng(seed)
    target = np.maximum(np.eye(4, 3, dtype=dtype), rng.random((4, 3)) < 0.5).astype(dtype)
    target[3, 0] = 1
    logits = (rng.choice([1, 30, 1000]) * rng.standard_normal((4, 3))).astype(dtype)
    assert compare(F.n_pair_loss, {"logits": logits, "target": target}) == 3


@every_dtype
def test_a_number_is_the_gradient_of_a_loss(dtype):
    """Broken otherwise: ``pullback(1.0)`` hands NumPy's 1 to the device."""
    probs, target = np.full(3, 0.25, dtype), np.ones(3, dtype)
    loss, pullback = F.binary_cross_entropy(asarray(probs), asarray(target))
    expected, its_pullback = F.binary_cross_entropy(probs, target)
    assert_same(loss, expected, "loss")
    assert_same(pullback(1.0)[0], its_pullback(1.0)[0], "dprobs")


STRIDES = {
    "reversed": lambda a: a[..., ::-1],
    "transposed": lambda a: a.T.copy().T,
    "spaced": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "rows outermost, the batch innermost": lambda a: (
        a.transpose(2, 1, 3, 0).copy().transpose(3, 1, 0, 2) if a.ndim == 4 else a
    ),
}


@pytest.mark.parametrize("strides", STRIDES)
@pytest.mark.parametrize("name", SHAPES)
def test_any_strides(name, strides):
    """Broken otherwise: views of other arrays are read in the order of their memory."""
    shapes, options = SHAPES[name]
    rng = np.random.default_rng(0)
    laid_out = STRIDES[strides]
    arrays = {k: laid_out(rng.standard_normal(shape)) for k, shape in shapes.items()}
    compare(getattr(F, name), arrays, laid_out, **options)


@every_dtype
def test_windows_of_one_channel_and_column_are_copied_too(dtype):
    """Broken otherwise: in NumPy they overlap in memory, and no BLAS multiplies them."""
    rng = np.random.default_rng(0)
    shapes = {"x": (1, 1, 9, 8), "weight": (1, 1, 2, 1), "bias": (1,)}
    arrays = {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}
    compare(F.conv_relu_pool, arrays)


# a·x + y


@every_dtype
@given(seed=st.integers(0, 2**32 - 1), a=st.floats(-1e6, 1e6))
def test_fma_of_any_bits(dtype, seed, a):
    """Broken otherwise: on a device a sum is rounded twice, or a subnormal one wrong."""
    rng = np.random.default_rng(seed)
    x, y = bits(rng, 50, dtype), bits(rng, 50, dtype)
    if dtype == np.float64:  # whose products must stay in range: see fma
        x, y = (np.where(abs(v) < 1e300, v, dtype(1)) for v in (x, y))
    with np.errstate(all="ignore"):
        expected = fma(a, x, y)
        with counted() as traffic:
            found = fma(a, asarray(x), asarray(y))
    assert traffic.reads == 0
    assert_same(found, expected, "fma")


def test_fma_of_ties():
    """Broken otherwise: what float64 rounds to halfway between two float32 numbers goes astray.

    2⁻²⁴(1 + 2⁻²³)·(1 − 2⁻²³) + (1 + 2⁻²³) is 2⁻⁷⁰ below halfway.
    """
    a = 2.0**-24 * (1 + 2.0**-23)
    x = np.full(4, 1 - 2.0**-23, np.float32)
    y = np.array([1 + 2.0**-23, -(1 + 2.0**-23), 1, 0], np.float32)
    exact = fma(a, x, y)
    assert exact[0] == y[0]
    assert (x.astype(float) * a + y).astype(np.float32)[0] != y[0]
    assert_same(fma(a, asarray(x), asarray(y)), exact, "fma")
    assert_same(fma(a, asarray(x), 1.0), fma(a, x, 1.0), "a number to add")
    assert_same(fma(1, asarray(x), asarray(y)), x + y, "a factor of 1")


def test_fma_of_many_blocks():
    """Broken otherwise: all beyond the first block stays as it was."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, BLOCK + 3)).astype(np.float32)
    assert_same(fma(0.1, asarray(x), asarray(y)), fma(0.1, x, y), "fma")
