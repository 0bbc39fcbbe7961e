"""PyTorch's numbers beside a trace: within the bound, and told apart where they are wrong."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from numpy_siamese.architectures import MNIST, Weighted
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


def test_the_whole_network_is_told_too(found, traced):
    """Broken otherwise: the sentence is about another pair or target."""
    probability, loss = map(float, re.findall(r"(?:probability|loss) ([\d.e-]+)", found["whole"]))
    assert abs(probability - traced.probability.value[0]) < 1e-3
    assert np.float32(loss) == np.float32(-np.log(np.float64(np.float32(probability))))


@pytest.mark.parametrize("part", ["value", "gradient", "weight", "bias"])
def test_a_wrong_number_exceeds_the_bound(part):
    """Broken otherwise: the bound is so wide that a mistake passes."""
    rng = np.random.default_rng(0)
    module = nn.Linear(120, 84)
    x = rng.standard_normal((2, 120)).astype(np.float32)
    dy = rng.standard_normal((2, 84)).astype(np.float32)
    shown = tracing._passes(module, x, dy, torch.float64)
    shown = {name: value.astype(np.float32) for name, value in shown.items()}
    assert max(shares([tracing._layer(module, x, dy, shown)[1]])) <= 100
    shown[part].flat[7] *= np.float32(1.001)
    assert max(shares([tracing._layer(module, x, dy, shown)[1]])) > 100


def test_other_bits_of_an_exact_layer_are_told():
    """Broken otherwise: a wrong route of a gradient is called the same bits."""
    x = np.array([[-1.0, 2.0, 3.0]], np.float32)
    shown = {"value": np.maximum(x, 0), "gradient": np.array([[0, 1, 1]], np.float32)}
    dy = np.ones_like(x)
    assert tracing._layer(nn.ReLU(), x, dy, shown)[1].startswith("the same bits")
    shown["gradient"][0, 0] = 1
    assert tracing._layer(nn.ReLU(), x, dy, shown)[1] == "other bits"
