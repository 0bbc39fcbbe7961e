"""PyTorch's numbers beside a trace: within the bound, and told apart where they are wrong."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from numpy_siamese.architectures import MNIST, MODERN, Weighted
from numpy_siamese.model import SiameseNet
from numpy_siamese.tracing import trace
from torch_siamese import tracing
from torch_siamese.config import TrainConfig

LAYERS = [layer for layer in MNIST.layers if isinstance(layer, Weighted)]


@pytest.fixture(scope="module")
def weights():
    return SiameseNet(4).state_dict()


@pytest.fixture(scope="module")
def traced(weights):
    left, right = np.random.default_rng(2).integers(0, 256, (2, 1, 28, 28), dtype=np.uint8)
    return trace(weights, left, right, 1)


@pytest.fixture(scope="module")
def found(weights, traced):
    return tracing.numbers(TrainConfig(device="cpu", threads=1), weights, traced, 1)


def shares(lines) -> list[float]:
    """Return the shares of what rounding allows that lines tell, in per cent."""
    return [float(share) for line in lines for share in re.findall(r"at most ([\d.]+)% of", line)]


def test_every_error_is_within_its_bound(found):
    """Broken otherwise: PyTorch computes something else, or the bound does not hold."""
    assert found["version"] == torch.__version__
    assert len(found["layers"]) == len(MNIST.layers) + 1
    assert found["layers"].count("the same bits, forward and back") == len(MNIST.layers) - len(
        LAYERS
    )
    told = shares(found["layers"])
    assert len(told) == 4 * (len(LAYERS) + 1)
    assert 0 < max(told) <= 100


def test_a_layer_without_bias_is_compared_as_well(traced):
    """Broken otherwise: the trace of a modern network ends in a traceback."""
    weights = SiameseNet(4, architecture=MODERN).state_dict()
    images = (traced.left[0].value.astype(np.uint8), traced.right[0].value.astype(np.uint8))
    own = trace(weights, *images, 1, MODERN)
    config = TrainConfig(device="cpu", threads=1, model="modern")
    found = tracing.numbers(config, weights, own, 1)
    grads = {name for name in found["tensors"] if name.startswith("grad.")}
    assert grads == {f"grad.{name}" for name in own.grads}
    assert 0 < max(shares(found["layers"])) <= 100


def test_there_is_a_number_for_each_of_a_weighted_layer(found, traced):
    """Broken otherwise: a number of the page has none of PyTorch's beside it."""
    shapes = {name: value.shape for name, value in found["tensors"].items()}
    for k, layer in enumerate(MNIST.layers):
        if isinstance(layer, Weighted):
            for side in ("left", "right"):
                assert shapes.pop(f"{side}.value.{k}") == traced.left[k + 1].value.shape
                assert shapes.pop(f"{side}.gradient.{k}") == traced.left[k].value.shape
    for name, value in traced.grads.items():
        assert shapes.pop(f"grad.{name}") == value.shape
    assert shapes == {"logit": (1, 1), "difference.gradient": (1, 84)}


def test_each_number_is_of_its_twin_and_layer(found, traced):
    """Broken otherwise: the other twin's number stands beside one of the page."""
    near = {"logit": traced.logit.value, "difference.gradient": traced.difference.gradient}
    near |= {f"grad.{name}": value for name, value in traced.grads.items()}
    for side, twin in (("left", traced.left), ("right", traced.right)):
        for k, (value, gradient) in enumerate(zip(twin[1:], twin[:-1], strict=True)):
            near |= {f"{side}.value.{k}": value.value, f"{side}.gradient.{k}": gradient.gradient}
    for name, value in found["tensors"].items():
        most = abs(near[name]).max()
        np.testing.assert_allclose(value.ravel(), near[name].ravel(), rtol=0, atol=1e-5 * most)


@pytest.mark.parametrize("target", [0, 1])
def test_the_whole_network_is_told_too(weights, traced, target):
    """Broken otherwise: the sentence is about another pair or target."""
    found = tracing.numbers(TrainConfig(device="cpu", threads=1), weights, traced, target)
    probability, loss = map(float, re.findall(r"(?:probability|loss) ([\d.e-]+)", found["whole"]))
    assert abs(probability - traced.probability.value[0]) < 1e-3
    p = np.float64(np.float32(probability))
    assert abs(loss + np.log(p if target else 1 - p)) < 1e-5 * loss


def test_the_roundings_of_a_layer_are_counted():
    """Broken otherwise: the bound is one of another layer, wider or too narrow to hold."""
    convolution = {"weight": np.zeros((64, 32, 3, 3)), "value": np.zeros((2, 64, 11, 11))}
    assert tracing._roundings(convolution) == {
        "value": 32 * 9 + 1,
        "gradient": 64 * 9,
        "weight": 2 * 11 * 11,
        "bias": 2 * 11 * 11,
    }
    linear = {"weight": np.zeros((84, 120)), "value": np.zeros((2, 84))}
    assert tracing._roundings(linear) == {"value": 121, "gradient": 84, "weight": 2, "bias": 2}


@pytest.mark.parametrize("scale", [1.0, 2.0**-140])
def test_the_traces_own_rounding_counts(scale):
    """Broken otherwise: a trace that is right is told to exceed the bound, or one unit too much is
    within it. One product: both roundings may be half a unit, and are up to one where it is just
    above a power of two, or has no normal number.
    """
    module = nn.Linear(1, 1, bias=False)
    nn.init.constant_(module.weight, 1.5)
    x, dy = np.ones((1, 1), np.float32), np.full((1, 1), 1.5 * scale, np.float32)
    for ulps, is_within in ((1, True), (3, False)):
        shown = tracing._passes(module, x, dy, torch.float32)
        for _ in range(ulps):
            shown["gradient"] = np.nextafter(shown["gradient"], np.float32(np.inf))
        _, line = tracing._layer(module, x, dy, shown)
        assert (shares([line])[1] <= 100) == is_within, (ulps, line)


def test_images_without_ink_and_equal_ones_are_within_the_bound(weights):
    """Broken otherwise: 0 of 0 is no number, or zero has another sign."""
    black = np.zeros((1, 28, 28), np.uint8)
    dot = black.copy()
    dot[0, 13, 14] = 255
    for left, right, large in ((black, black, 1), (dot, black, 1), (dot, dot, 1), (dot, black, 30)):
        own = {name: value * np.float32(large) for name, value in weights.items()}
        lines = tracing.numbers(
            TrainConfig(device="cpu", threads=1), own, trace(own, left, right, 0), 0
        )["layers"]
        assert lines.count("the same bits, forward and back") == len(MNIST.layers) - len(LAYERS)
        assert max(shares(lines)) <= 100
        assert len(shares(lines)) == 4 * (len(LAYERS) + 1)


@pytest.mark.parametrize("part", ["value", "gradient", "weight", "bias"])
def test_a_wrong_number_exceeds_the_bound(part):
    """Broken otherwise: the bound is so wide that a mistake passes."""
    rng = np.random.default_rng(0)
    module = nn.Linear(120, 84)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.from_numpy(rng.standard_normal(parameter.shape)))
    x = rng.standard_normal((2, 120)).astype(np.float32)
    dy = rng.standard_normal((2, 84)).astype(np.float32)
    shown = tracing._passes(module, x, dy, torch.float64)
    shown = {name: value.astype(np.float32) for name, value in shown.items()}
    assert max(shares([tracing._layer(module, x, dy, shown)[1]])) <= 100
    shown[part].flat[np.argmax(abs(shown[part]))] *= np.float32(1.001)
    assert max(shares([tracing._layer(module, x, dy, shown)[1]])) > 100


def test_other_bits_of_an_exact_layer_are_told():
    """Broken otherwise: a wrong route of a gradient is called the same bits."""
    x = np.array([[-1.0, 2.0, 3.0]], np.float32)
    shown = {"value": np.maximum(x, 0), "gradient": np.array([[0, 1, 1]], np.float32)}
    dy = np.ones_like(x)
    assert tracing._layer(nn.ReLU(), x, dy, shown)[1].startswith("the same bits")
    shown["gradient"][0, 0] = 1
    assert tracing._layer(nn.ReLU(), x, dy, shown)[1] == "other bits"
