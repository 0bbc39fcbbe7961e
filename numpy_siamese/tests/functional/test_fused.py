"""Inference by conv_relu_pool, and what it does without."""

from typing import Any

import numpy as np
import pytest

from numpy_siamese import definitions, functional
from numpy_siamese.functional.fused import conv_relu_pool
from numpy_siamese.model import SiameseNet


@pytest.mark.parametrize("kernel", [(5, 4), (1, 6), (7, 1), (4, 5)])
def test_large_kernels_give_what_the_definition_says(kernel: tuple[int, int]) -> None:
    """Kernels that reach over more rows and columns than the windows have; integers are exact."""
    rng = np.random.default_rng(0)
    H, W = kernel[0] + 3, kernel[1] + 2
    shapes = (2, 2, H, W), (3, 2, *kernel), (3,)
    x, weight, bias = (rng.integers(-3, 4, shape).astype(float) for shape in shapes)
    y, pullback = conv_relu_pool(x, weight, bias)
    expected, its_pullback = definitions.conv_relu_pool(x, weight, bias)
    dy = rng.integers(-3, 4, y.shape).astype(float)
    assert np.array_equal(y, expected)
    for found, own in zip(pullback(dy), its_pullback(dy), strict=True):
        assert np.array_equal(found, own)


def test_a_window_with_nan_passes_its_gradient_to_one_phase() -> None:
    """As torch's pooling, which does not drop it."""
    x = np.ones((1, 1, 4, 4))
    x[0, 0, 1, 2] = np.nan
    y, pullback = conv_relu_pool(x, np.ones((1, 1, 1, 1)), np.zeros(1))
    assert np.isnan(y).sum() == 1
    dx, _, dbias = pullback(np.ones_like(y))
    assert dbias == y.size
    assert dx.sum() == y.size


@pytest.mark.parametrize("shape", [(2, 1, 3, 3), (2, 2, 1, 3), (2, 2, 3, 3)])
def test_the_pullback_is_that_of_the_weight_as_it_was(shape: tuple[int, ...]) -> None:
    """An optimiser that steps in between changes nothing."""
    rng = np.random.default_rng(0)
    x, weight, bias = rng.random((1, shape[1], 5, 5)), rng.random(shape), np.zeros(2)
    y, pullback = conv_relu_pool(x, weight, bias)
    before = pullback(y)[0]
    weight *= 10
    assert np.array_equal(pullback(y)[0], before)


def test_without_a_pullback_values_are_the_same() -> None:
    """Inference leaves out bookkeeping, nothing of the values."""
    rng = np.random.default_rng(0)
    x, weight, bias = (rng.standard_normal(s) for s in ((3, 2, 7, 8), (4, 2, 3, 3), (4,)))
    y, pullback = conv_relu_pool(x, weight, bias)
    alone, nothing = conv_relu_pool(x, weight, bias, needs_pullback=False)
    assert callable(pullback)
    assert nothing is None
    assert np.array_equal(y, alone)

    images = rng.integers(0, 256, (3, 1, 28, 28)).astype(np.float32)
    cnn = SiameseNet(0).net
    embedding, pullback = cnn(images)
    alone, nothing = cnn(images, needs_pullback=False)
    assert callable(pullback)
    assert nothing is None
    assert np.array_equal(embedding, alone)
    assert np.array_equal(embedding, SiameseNet(0).embed(images))


def test_inference_asks_for_no_bookkeeping(monkeypatch: pytest.MonkeyPatch) -> None:
    """`embed` tells both layers that nobody will ask for a pullback; training tells neither."""
    asked = []

    def recorded(*arguments: Any) -> Any:
        asked.append(arguments[3])
        return conv_relu_pool(*arguments)

    monkeypatch.setattr(functional, "conv_relu_pool", recorded)
    images = np.zeros((2, 1, 28, 28), np.float32)
    net = SiameseNet()
    net.embed(images)
    net(images, images)
    assert asked == [False, False, True, True, True, True]


def test_what_is_not_needed_is_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No winners without a pullback, no product for an image's gradient that nobody asks for."""
    compared: list[Any] = []
    multiplied: list[Any] = []
    maximum, matmul = np.maximum, np.matmul

    def spy_maximum(a: Any, b: Any, out: np.ndarray) -> Any:
        compared.append(out.dtype)
        return maximum(a, b, out=out)

    def spy_matmul(a: Any, b: Any, out: np.ndarray) -> Any:
        multiplied.append(out.shape)
        return matmul(a, b, out=out)

    arguments = np.ones((2, 3, 6, 6)), np.ones((4, 3, 3, 3)), np.ones(4)
    monkeypatch.setattr(np, "maximum", spy_maximum)
    monkeypatch.setattr(np, "matmul", spy_matmul)
    assert conv_relu_pool(*arguments, needs_pullback=False)[1] is None
    assert set(compared) == {np.dtype(float)}
    y, pullback = conv_relu_pool(*arguments)
    assert np.dtype(np.uint8) in compared
    multiplied.clear()
    assert pullback(np.ones(y.shape), needs_input_grad=False)[0] is None
    assert not multiplied
    assert pullback(np.ones(y.shape))[0] is not None
    assert len(multiplied) == 6  # one for each row of the image
