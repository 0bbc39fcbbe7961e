"""The network of Koch et al.: initial weights, forward, backward and one update, in both packages.

Most of it is tried on a network of the same layers with a few of the maps.
"""

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
import torch

from numpy_siamese.architectures import KOCH, fuse
from numpy_siamese.model import SiameseNet
from numpy_siamese.optim import SGD
from numpy_siamese.tests.support.narrow import drawings, narrowed
from numpy_siamese.training import loss_and_gradients
from parity_tests.machinery.ball_arithmetic import BallNetwork
from parity_tests.machinery.error_bounds import unit_roundoff
from parity_tests.machinery.ledger import LEDGER, Explained, arrays
from parity_tests.machinery.networks import squashed_exactly, torch_twin
from parity_tests.test_network import (
    every_dtype,
    every_path,
    logits_and_gradients,
    torch_logits_and_gradients,
)
from torch_siamese.initialization import initialize
from torch_siamese.training import loss_and_gradients as torch_loss_and_gradients
from torch_siamese.tuned import TunedNet

Array = np.ndarray

NARROW = replace(narrowed(KOCH, 32), name="narrow koch")
LR = 2.0**-10


def strokes(pairs: int, dtype: type) -> Array:
    """Return left and right images, (2, N, 1, 105, 105)."""
    return drawings(2 * pairs).reshape(2, pairs, *KOCH.image_shape).astype(dtype)


def undrawn(
    generator: object, shape: tuple, initialization: object, dtype: type, has_bias: bool
) -> tuple:
    """Return a layer's parameters without drawing them."""
    return np.zeros(shape, dtype), np.zeros(shape[0], dtype)


def check_one_step(net: SiameseNet) -> None:
    """Hold logits, all gradients and the weights after an update against PyTorch's, bit for bit."""
    label = f"SiameseNet, {net.architecture.name}"
    left, right = strokes(2, net.dtype)
    dlogits = np.array([[4], [-8]], net.dtype)
    theirs = torch_logits_and_gradients(net, left, right, dlogits)
    ours = logits_and_gradients(net, left, right, dlogits)
    for name, value in ours.items():
        assert np.any(value != 0), f"{name} is all zeros"
        LEDGER.exact(label, f"{name} (integers)", value + 0.0, theirs[name] + 0.0)
    parameters = net.parameters()
    learned = {n: torch.nn.Parameter(torch.tensor(value)) for n, value in parameters.items()}
    for name, parameter in learned.items():
        parameter.grad = torch.from_numpy(theirs[name])
    torch.optim.SGD(learned.values(), LR).step()
    SGD(parameters, LR).step({name: ours[name] for name in parameters})
    for name, parameter in learned.items():
        value = parameter.detach().numpy()
        LEDGER.exact(label, f"{name} after an update", parameters[name], value)


@every_path
@every_dtype
def test_a_narrow_one_is_exact_on_integers(dtype: type, fused: bool) -> None:
    """Broken otherwise: a layer is left out or turned, forward or backward."""
    net = SiameseNet(0, dtype, fused, NARROW)
    squashed_exactly(net)
    check_one_step(net)


@pytest.mark.slow
def test_the_paper_s_network_is_exact_on_integers() -> None:
    """Broken otherwise: at its own width it is another network than PyTorch's."""
    with patch("numpy_siamese.initialization.normal_layer", undrawn):
        net = SiameseNet(0, architecture=KOCH)
    squashed_exactly(net)
    check_one_step(net)


@pytest.mark.slow
def test_every_difference_of_a_narrow_one_is_explained() -> None:
    """Loss, probabilities and gradients lie in the balls of a running error analysis."""
    dtype = np.float64
    spread = replace(NARROW, initialization=None)  # the paper's leaves few gradients
    net = SiameseNet(2, dtype, architecture=spread)
    noise = np.random.default_rng(3).uniform(size=(2, 2, *KOCH.image_shape))
    left, right = strokes(2, dtype) + noise  # no two windows of a pooling are equal
    targets = np.array([[1.0], [0]])
    loss, probs, grads = loss_and_gradients(net, left, right, targets, micro_batch=1)
    balls = BallNetwork(net.state_dict(), unit_roundoff(dtype), fuse(NARROW).layers)
    probs_ball, loss_ball, grad_balls, _ = balls.loss_and_gradients(left, right, targets)
    tensors = [torch.from_numpy(a) for a in (left, right, targets)]
    t_loss, t_probs, t_grads = torch_loss_and_gradients(torch_twin(net), *tensors)
    ours = {"loss": np.asarray(loss), "probs": probs} | grads
    theirs = {"loss": t_loss, "probs": t_probs} | t_grads
    explained = {"loss": loss_ball, "probs": probs_ball} | grad_balls
    for name, value in arrays(theirs).items():
        where = Explained(explained[name].center, explained[name].radius)
        assert where.radius.max() < 1e-3 * abs(where.center).max(), f"{name}: tells nothing"
        LEDGER.explained(f"SiameseNet, {NARROW.name}", name, ours[name], value, where)


@every_dtype
@pytest.mark.parametrize("seed", [0, 7, -1, 2**40 + 3])
def test_initial_weights(dtype: type, seed: int) -> None:
    """Broken otherwise: a seed gives other weights in the other package."""
    theirs = arrays(initialize(seed, getattr(torch, dtype.__name__), NARROW).state_dict())
    ours = SiameseNet(seed, dtype, architecture=NARROW).state_dict()
    assert list(ours) == list(theirs)
    for name, value in ours.items():
        LEDGER.exact("initialization, koch", name, value, theirs[name])


def test_the_tuned_order_is_exact_on_integers() -> None:
    """Broken otherwise: scaling or the sigmoid is lost where a step is done in a faster order."""
    net = SiameseNet(0, architecture=NARROW)
    squashed_exactly(net)
    left, _ = strokes(2, np.float32)
    tuned = TunedNet(torch_twin(net))
    with torch.no_grad():
        embedded = tuned.embed(torch.from_numpy(left)).numpy()
    LEDGER.exact("SiameseNet, narrow koch", "tuned (integers)", net.embed(left), embedded)
    assert len(np.unique(embedded)) == 3
