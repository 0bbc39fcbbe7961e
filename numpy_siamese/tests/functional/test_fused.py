"""Inference by conv_relu_pool, and what it does without."""

from typing import Any

import numpy as np
import pytest

from numpy_siamese import definitions, functional
from numpy_siamese.functional.fused import FEW_IMAGES, conv_relu_pool
from numpy_siamese.model import SiameseNet

MANY = FEW_IMAGES + 1

few_or_many = pytest.mark.parametrize("N", [FEW_IMAGES, MANY])


@few_or_many
@pytest.mark.parametrize("kernel", [(5, 4), (1, 6), (7, 1), (4, 5)])
def test_large_kernels_give_what_the_definition_says(kernel: tuple[int, int], N: int) -> None:
    """Kernels that reach over more rows and columns than the windows have; integers are exact."""
    rng = np.random.default_rng(0)
    H, W = kernel[0] + 3, kernel[1] + 2
    shapes = (N, 2, H, W), (3, 2, *kernel), (3,)
    x, weight, bias = (rng.integers(-3, 4, shape).astype(float) for shape in shapes)
    y, pullback = conv_relu_pool(x, weight, bias)
    expected, its_pullback = definitions.conv_relu_pool(x, weight, bias)
    dy = rng.integers(-3, 4, y.shape).astype(float)
    assert np.array_equal(y, expected)
    for found, own in zip(pullback(dy), its_pullback(dy), strict=True):
        assert np.array_equal(found, own)


@few_or_many
@pytest.mark.parametrize("pixel", [(0, 0), (0, 1), (1, 2), (3, 3)])
def test_a_window_with_nan_passes_its_gradient_to_one_phase(pixel: tuple[int, int], N: int) -> None:
    """As torch's pooling, which does not drop it."""
    x = np.ones((N, 1, 4, 4))
    x[0, 0, *pixel] = np.nan
    y, pullback = conv_relu_pool(x, np.ones((1, 1, 1, 1)), np.zeros(1))
    assert np.isnan(y).sum() == 1
    dx, _, dbias = pullback(np.ones_like(y))
    assert dbias == y.size
    assert dx.sum() == y.size


@few_or_many
@pytest.mark.parametrize("shape", [(2, 1, 3, 3), (2, 2, 1, 3), (2, 2, 3, 3)])
def test_the_pullback_is_that_of_the_weight_as_it_was(shape: tuple[int, ...], N: int) -> None:
    """An optimiser that steps in between changes nothing."""
    rng = np.random.default_rng(0)
    x, weight, bias = rng.random((N, shape[1], 5, 5)), rng.random(shape), np.zeros(2)
    y, pullback = conv_relu_pool(x, weight, bias)
    before = pullback(y)[0]
    weight *= 10
    assert np.array_equal(pullback(y)[0], before)


@few_or_many
def test_without_a_pullback_values_are_the_same(N: int) -> None:
    """Inference leaves out bookkeeping, nothing of the values."""
    rng = np.random.default_rng(0)
    x, weight, bias = (rng.standard_normal(s) for s in ((N, 2, 7, 8), (4, 2, 3, 3), (4,)))
    y, pullback = conv_relu_pool(x, weight, bias)
    alone, nothing = conv_relu_pool(x, weight, bias, needs_pullback=False)
    assert callable(pullback)
    assert nothing is None
    assert np.array_equal(y, alone)

    images = rng.integers(0, 256, (N, 1, 28, 28)).astype(np.float32)
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

    arguments = np.ones((MANY, 3, 6, 6)), np.ones((4, 3, 3, 3)), np.ones(4)
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


def test_of_a_few_images_no_gradient_is_computed_that_nobody_asks_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The one product with the kernels that leads to an image's gradient."""
    multiplied: list[Any] = []
    matmul = np.matmul

    def spy(a: Any, b: Any) -> Any:
        multiplied.append((a.shape, b.shape))
        return matmul(a, b)

    monkeypatch.setattr(np, "matmul", spy)
    y, pullback = conv_relu_pool(np.ones((2, 3, 6, 6)), np.ones((4, 3, 3, 3)), np.ones(4))
    assert pullback(y, needs_input_grad=False)[0] is None
    assert not multiplied
    assert pullback(y)[0].shape == (2, 3, 6, 6)
    assert multiplied == [((27, 4), (4, 2 * 16))]


def test_of_few_and_of_many_the_same_window_wins() -> None:
    """The first of equals, and none that is not positive, with the bias."""
    rng = np.random.default_rng(0)
    x, weight = rng.integers(-1, 2, (MANY, 2, 9, 9)) * 1.0, rng.integers(-1, 2, (3, 2, 2, 2)) * 1.0
    bias = np.array([-1.0, 0.0, 1.0])
    many, pullback = conv_relu_pool(x, weight, bias)
    dy = rng.integers(1, 5, many.shape) * 1.0
    dx = pullback(dy)[0]
    few, pullback = conv_relu_pool(x[:FEW_IMAGES], weight, bias)
    assert np.array_equal(few, many[:FEW_IMAGES])
    assert np.array_equal(pullback(dy[:FEW_IMAGES])[0], dx[:FEW_IMAGES])
