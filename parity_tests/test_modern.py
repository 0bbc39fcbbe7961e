"""The network that learns from all pairs: its projection without a bias, in both packages."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from numpy_siamese.architectures import MODERN, fuse
from numpy_siamese.initialization import linear_or_conv2d, manual_seed
from numpy_siamese.model import SiameseNet
from numpy_siamese.tracing import trace
from numpy_siamese.training import loss_and_gradients
from parity_tests.machinery.ball_arithmetic import BallNetwork
from parity_tests.machinery.digits import digits
from parity_tests.machinery.error_bounds import unit_roundoff
from parity_tests.machinery.ledger import LEDGER, Explained, arrays
from parity_tests.machinery.networks import torch_twin
from parity_tests.test_network import every_dtype
from torch_siamese.initialization import initialize
from torch_siamese.training import loss_and_gradients as torch_loss_and_gradients

NAME = "SiameseNet, modern"


@every_dtype
@pytest.mark.parametrize("seed", [0, 7, 2**40 + 3])
def test_initial_weights_are_those_of_torchs_layers(dtype: type, seed: int) -> None:
    """Broken otherwise: a bias that is not there takes numbers, and the head begins elsewhere."""
    torch.manual_seed(seed)
    as_dtype = {"dtype": getattr(torch, dtype.__name__)}
    layers = {
        "net.conv1": nn.Conv2d(1, 32, 3, **as_dtype),
        "net.conv2": nn.Conv2d(32, 64, 3, **as_dtype),
        "net.conv3": nn.Conv2d(64, 128, 3, **as_dtype),
        "net.fc1": nn.Linear(1152, 128, bias=False, **as_dtype),
    }
    drawn = {
        f"{layer}.{name}": value.detach().numpy()
        for layer, module in layers.items()
        for name, value in module.named_parameters()
    }
    head = {
        "fc1.weight": np.full((1, 128), -(128**-0.5), dtype),
        "fc1.bias": np.full(1, 5, dtype),
    }
    ours = SiameseNet(seed, dtype, architecture=MODERN).state_dict()
    theirs = arrays(initialize(seed, as_dtype["dtype"], MODERN).state_dict())
    assert list(ours) == list(theirs) == [*drawn, *head]
    for name, value in (drawn | head).items():
        LEDGER.exact("initialization, modern", name, ours[name], value)
        np.testing.assert_array_equal(theirs[name], value, strict=True)


def test_a_projection_is_drawn_between_layers_that_have_a_bias() -> None:
    """Broken otherwise: what is drawn after a projection is not what PyTorch draws."""
    torch.manual_seed(1)
    expected = [nn.Linear(6, 5, bias=False), nn.Linear(5, 4)]
    rng = manual_seed(1)
    found = [
        linear_or_conv2d(rng, (5, 6), np.float32, has_bias=False),
        linear_or_conv2d(rng, (4, 5), np.float32),
    ]
    for parameters, module in zip(found, expected, strict=True):
        theirs = [value.detach().numpy() for value in module.parameters()]
        for one, other in zip(parameters, theirs, strict=True):
            np.testing.assert_array_equal(one, other, strict=True)


@pytest.mark.slow
def test_every_difference_is_explained() -> None:
    """Loss, probabilities and gradients lie in the balls of a running error analysis."""
    dtype = np.float64
    net = SiameseNet(2, dtype, architecture=MODERN)
    images = digits()[0][:4, None].astype(dtype)
    left, right = images + np.random.default_rng(3).uniform(size=(2, *images.shape))
    targets = np.array([[1.0], [0], [1], [0]])
    loss, probs, grads = loss_and_gradients(net, left, right, targets, micro_batch=1)
    balls = BallNetwork(net.state_dict(), unit_roundoff(dtype), fuse(MODERN).layers)
    probs_ball, loss_ball, grad_balls, _ = balls.loss_and_gradients(left, right, targets)
    tensors = [torch.from_numpy(a) for a in (left, right, targets)]
    t_loss, t_probs, t_grads = torch_loss_and_gradients(torch_twin(net), *tensors)
    ours = {"loss": np.asarray(loss), "probs": probs} | grads
    theirs = {"loss": t_loss, "probs": t_probs} | t_grads
    explained = {"loss": loss_ball, "probs": probs_ball} | grad_balls
    assert explained.keys() == ours.keys() == theirs.keys()
    for name, value in arrays(theirs).items():
        where = Explained(explained[name].center, explained[name].radius)
        assert where.radius.max() < 1e-3 * abs(where.center).max(), f"{name}: tells nothing"
        LEDGER.explained(NAME, name, ours[name], value, where)


def test_a_trace_has_its_gradients() -> None:
    """Broken otherwise: a trace of a layer without a bias ends in an error, or lacks a gradient."""
    net = SiameseNet(3, architecture=MODERN)
    left, right = digits()[0][:2, None]
    traced = trace(net.state_dict(), left, right, 0, architecture=MODERN)
    shapes = {name: value.shape for name, value in traced.grads.items()}
    assert shapes == {name: value.shape for name, value in net.state_dict().items()}
    twins = traced.left, traced.right
    for o, k in ((0, 5), (64, 700), (127, 1151)):
        products = [
            float(twin[-1].gradient[o]) * float(twin[-2].value[k]) for twin in twins
        ]  # exact in float64
        assert traced.grads["net.fc1.weight"][o, k] == np.float32(math.fsum(products))
    assert np.any(traced.grads["net.fc1.weight"] != 0)
