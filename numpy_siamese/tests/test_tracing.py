"""A trace: each number is what its equation gives on the numbers beside it."""

import math
from collections.abc import Iterable

import numpy as np
import pytest

from numpy_siamese import SiameseNet
from numpy_siamese import functional as F
from numpy_siamese.architectures import MNIST
from numpy_siamese.optim import SGD
from numpy_siamese.tracing import Trace, trace

CONV1, POOL1, CONV2, FLAT, FC1, EMBEDDING = 1, 3, 4, 7, 8, 10
"""The stages of a twin: where the outputs of these layers stand in `Trace.left`."""


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    left, right = np.random.default_rng(1).integers(0, 256, (2, 1, 28, 28), dtype=np.uint8)
    return left, right


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    return SiameseNet(seed=3).state_dict()


@pytest.fixture(scope="module")
def traced(weights, pair) -> Trace:
    left, right = pair
    return trace(weights, left, right, 0)


def once(sum_of: Iterable[float]) -> np.float32:
    """Return a sum as exact as float64 has it, rounded to float32 once."""
    return np.float32(math.fsum(sum_of))


def exact(x) -> np.ndarray:
    return x.astype(np.float64)


@pytest.mark.parametrize(("o", "p", "q"), [(0, 0, 0), (31, 25, 25), (63, 10, 3), (17, 4, 9)])
def test_an_output_of_a_convolution_is_the_sum_of_the_products_shown(traced, weights, o, p, q):
    """Broken otherwise: what the page multiplies does not add up to what the page shows."""
    for name, stage, twin in (("conv1", CONV1, traced.left), ("conv2", CONV2, traced.right)):
        x, y = twin[stage - 1].value, twin[stage].value
        o, p, q = o % y.shape[0], p % y.shape[1], q % y.shape[2]
        w, b = weights[f"net.{name}.weight"][o], weights[f"net.{name}.bias"][o]
        patch = x[:, p : p + 3, q : q + 3]
        assert y[o, p, q] == once([*(exact(w) * exact(patch)).ravel(), float(b)])


def test_gradients_of_weights_are_sums_over_both_twins(traced):
    """Broken otherwise: one twin's products are missing."""
    o, c, i, j = 5, 7, 2, 0
    products = []
    for twin in (traced.left, traced.right):
        dy, x = twin[CONV2].gradient[o], twin[POOL1].value[c, i : i + 11, j : j + 11]
        products += (exact(dy) * exact(x)).ravel().tolist()
    assert traced.grads["net.conv2.weight"][o, c, i, j] == once(products)
    fc1 = [
        exact(t[FC1].gradient[:, None]) * exact(t[FLAT].value) for t in (traced.left, traced.right)
    ]
    assert np.array_equal(traced.grads["net.fc1.weight"], sum(fc1).astype(np.float32))


def test_the_gradient_of_a_pixel_is_the_sum_of_the_products_shown(traced, weights):
    """Broken otherwise: the gradient that comes back is another layer's, or flips its kernel."""
    r, s = 9, 14
    dy, w = exact(traced.left[CONV1].gradient), exact(weights["net.conv1.weight"])
    products = [dy[:, r - i, s - j] * w[:, 0, i, j] for i in range(3) for j in range(3)]
    assert traced.left[0].gradient[0, r, s] == once(np.concatenate(products))


def test_the_head_adds_up_to_the_logit(traced, weights):
    """Broken otherwise: the bars on the page do not add up."""
    difference, w = traced.difference.value, weights["fc1.weight"][0]
    left, right = (exact(twin[EMBEDDING].value) for twin in (traced.left, traced.right))
    assert np.array_equal(difference, abs(left - right).astype(np.float32))
    terms = [*(exact(w) * exact(difference)), float(weights["fc1.bias"][0])]
    assert traced.logit.value[0] == once(terms)
    dw = exact(traced.logit.gradient) * exact(difference)
    assert np.array_equal(traced.grads["fc1.weight"][0], dw.astype(np.float32))
    p, _ = F.sigmoid(exact(traced.logit.value))
    assert traced.probability.value[0] == np.float32(p[0])
    assert traced.loss == np.float32(-np.log(1 - np.float64(traced.probability.value[0])))


def test_numbers_that_float32_has_are_those_of_the_network(pair):
    """Broken otherwise: the trace goes another way than the network does."""
    rng = np.random.default_rng(0)
    net = SiameseNet(dtype=np.float64, fused=False)
    for value in net.parameters().values():
        value[...] = rng.integers(-1, 2, value.shape) * (rng.random(value.shape) < 0.1)
    dark = [(image // 64).astype(np.uint8) for image in pair]
    found = trace(net.state_dict(), *dark, 1)
    for image, twin in zip(dark, (found.left, found.right), strict=True):
        assert np.array_equal(twin[EMBEDDING].value[None], net.embed(exact(image[None])))


def test_what_is_given_is_rounded_to_float32_first(weights, pair):
    """Broken otherwise: numbers that the page does not show take part in the products."""
    fine = {name: value.astype(np.float64) * (1 + 2.0**-30) for name, value in weights.items()}
    left, right = (image + 1 / 3 for image in pair)
    found = trace(fine, left, right, 0)
    coarse = {name: value.astype(np.float32) for name, value in fine.items()}
    expected = trace(coarse, left.astype(np.float32), right.astype(np.float32), 0)
    for mine, other in ((found.left, expected.left), (found.right, expected.right)):
        for one, another in zip(mine, other, strict=True):
            assert np.array_equal(one.value, another.value)
            assert np.array_equal(one.gradient, another.gradient)
    assert found.logit == expected.logit


@pytest.mark.parametrize("target", [0, 1])
def test_a_saturated_sigmoid_is_traced_as_it_is_computed(weights, pair, target):
    """Broken otherwise: a gradient is NaN, or is not the product of the numbers beside it."""
    for bias in (-200, -88, *range(-12, 18, 2), 200):
        own = weights | {
            "fc1.weight": np.zeros((1, 84), np.float32),
            "fc1.bias": np.full(1, bias, np.float32),
        }
        found = trace(own, *pair, target)
        (p,), (dp,) = (exact(part) for part in found.probability)
        assert found.logit.gradient[0] == np.float32(dp * (1 - p) * p)
        with np.errstate(divide="ignore"):
            loss = -np.log(p) if target else -np.log1p(-p)
        assert found.loss == np.float32(min(100, loss))  # PyTorch's limit


def test_equal_images_leave_no_gradient_in_the_twins(weights, pair):
    """Broken otherwise: the sign of 0 is not 0."""
    found = trace(weights, pair[0], pair[0], 0)
    assert not found.difference.value.any()
    assert found.logit.value[0] == weights["fc1.bias"][0]
    for stage in (*found.left, *found.right):
        assert not stage.gradient.any()
    assert {name for name, value in found.grads.items() if value.any()} == {"fc1.bias"}


@pytest.mark.parametrize("target", [0, 1])
def test_the_gradient_starts_from_the_target(weights, pair, target):
    """Broken otherwise: the target is not heeded, or the loss is another one."""
    found = trace(weights, *pair, target)
    (p,), (dp,) = (exact(part) for part in found.probability)
    assert np.float32(dp) == np.float32((p - target) / ((1 - p) * p))
    assert found.logit.gradient[0] == np.float32(dp * (1 - p) * p)
    assert found.loss == np.float32(-np.log(p if target else 1 - p))
    dlogit, w = exact(found.logit.gradient), exact(weights["fc1.weight"][0])
    assert np.array_equal(found.difference.gradient, (dlogit * w).astype(np.float32))
    for twin, other in ((found.left, found.right), (found.right, found.left)):
        sign = np.sign(exact(twin[EMBEDDING].value) - exact(other[EMBEDDING].value))
        assert np.array_equal(twin[EMBEDDING].gradient, found.difference.gradient * sign)


def test_a_step_from_a_trace_is_one_of_sgd(weights, traced):
    """Broken otherwise: the gradients lack a name or a shape that the optimiser needs."""
    parameters = {name: value.copy() for name, value in weights.items()}
    SGD(parameters, 0.5).step(traced.grads)
    assert any((parameters[name] != value).any() for name, value in weights.items())


def test_every_stage_has_the_shape_of_the_architecture(traced):
    """Broken otherwise: a value and its gradient are of different layers."""
    shapes = [shape for _, shape in MNIST.with_shapes()] + [(84,)]
    for twin in (traced.left, traced.right):
        assert [stage.value.shape for stage in twin] == shapes
        assert [stage.gradient.shape for stage in twin] == shapes
        assert {stage.value.dtype for stage in twin} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"target": 2}, ValueError, "target must be 0 or 1, got 2"),
        ({"left": np.zeros((28, 28), np.uint8)}, ValueError, r"left must be \(1, 28, 28\)"),
        ({"right": np.zeros((1, 28, 28), int)}, TypeError, "right must be uint8, float32 or"),
        ({"parameters": {}}, KeyError, "missing"),
        ({"parameters": [1]}, TypeError, "parameters"),
    ],
)
def test_what_cannot_be_traced_is_refused(weights, pair, change, error, words):
    """Broken otherwise: a wrong argument gives a trace of something else."""
    given = {"parameters": weights, "left": pair[0], "right": pair[1], "target": 0}
    with pytest.raises(error, match=words):
        trace(**given | change)
