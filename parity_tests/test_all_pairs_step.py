"""The step of all pairs against PyTorch: exact on integers, and the same run on digits."""

from typing import Any

import numpy as np
import pytest
import torch

from numpy_siamese import all_pairs
from numpy_siamese.all_pairs import all_pairs_loss_and_gradients, logits_of_all
from numpy_siamese.model import SiameseNet
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.training import NumpyLearner
from parity_tests.machinery.digits import digits
from parity_tests.machinery.ledger import LEDGER, arrays
from parity_tests.machinery.networks import torch_twin
from parity_tests.test_network import integer_network
from parity_tests.trajectory import CLAIMED_DIGITS
from torch_siamese import all_pairs as of_torch
from torch_siamese.config import TrainConfig as TorchConfig
from torch_siamese.training import TorchLearner

Array = np.ndarray

NAME = "step of all pairs"
TARGETS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]], np.float64)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_tower_of_all_pairs_is_exact_on_integers(dtype: type) -> None:
    """Embeddings, the logits of all pairs and all gradients agree bit for bit."""
    rng = np.random.default_rng(3)
    left, right = (rng.integers(0, 3, (n, 1, 28, 28)).astype(dtype) for n in TARGETS.shape)
    dlogits = rng.integers(1, 3, TARGETS.shape).astype(dtype)
    net = integer_network(dtype)
    (one, one_twin), (other, other_twin) = net.net(left), net.net(right)
    logits, head = logits_of_all(net, one, other)
    head_grads, (done, dother) = head(dlogits)
    (one_grads, _), (other_grads, _) = one_twin(done), other_twin(dother)
    ours = {f"net.{name}": one_grads[name] + other_grads[name] for name in one_grads}
    ours |= head_grads | {"logits": logits}

    twin = torch_twin(net)
    found = of_torch.AllPairs(twin)(torch.from_numpy(left), torch.from_numpy(right))
    parameters = dict(twin.named_parameters())
    grads = torch.autograd.grad(found, list(parameters.values()), torch.from_numpy(dlogits))
    theirs = arrays(dict(zip(parameters, grads, strict=True)) | {"logits": found.detach()})
    for name, value in ours.items():
        # fc2's bias cancels in l − r, so its gradient is zero; all others must not be
        assert np.any(value != 0) == (name != "net.fc2.bias"), name
        LEDGER.exact(NAME, f"{name} (integers)", value + 0.0, theirs[name] + 0.0)


def test_a_step_has_ten_digits_of_torchs() -> None:
    """Loss, logits and gradients of digits in float64."""
    images, _ = digits()
    left, right = (images[part, None].astype(np.float64) for part in (slice(0, 4), slice(4, 7)))
    net = SiameseNet(7, np.float64)
    loss, logits, grads = all_pairs_loss_and_gradients(net, left, right, TARGETS, 0.3)
    tensors = map(torch.from_numpy, (left, right, TARGETS))
    their_loss, their_logits, their_grads = of_torch.all_pairs_loss_and_gradients(
        torch_twin(net), *tensors, 0.3
    )
    theirs = arrays(their_grads) | {"loss": their_loss.numpy(), "logits": their_logits.numpy()}
    for name, value in (grads | {"loss": np.float64(loss), "logits": logits}).items():
        if name != "net.fc2.bias":  # which cancels in all distances: its gradient is rounding
            assert_ten_digits(name, value, theirs[name])


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf")])
def test_no_weight_of_verdicts_is_taken_that_is_none(weight: float) -> None:
    """Broken otherwise: one package refuses what the other learns from."""
    for contrast, targets in ((all_pairs.contrast, TARGETS), (of_torch.contrast, torch.eye(3))):
        with pytest.raises(ValueError, match="verdict_weight must be"):
            contrast(targets, targets, weight)


def assert_ten_digits(name: str, ours: Array, theirs: Array) -> None:
    """Check that no element differs by more than 10⁻¹⁰ of the largest."""
    difference = abs(ours - theirs).max() / abs(theirs).max()
    assert difference <= 10.0**-CLAIMED_DIGITS, f"{name}: {difference}"


@pytest.mark.parametrize("mode", ["eager", "tuned"])
def test_learners_learn_the_same_from_images(mode: str) -> None:
    """Batches of all pairs and of single pairs, in one run: ten digits in losses and weights."""
    images, _ = digits()
    rng = np.random.default_rng(0)
    batches = []
    for k in range(6):
        left, right = rng.permutation(len(images))[:7], rng.permutation(len(images))[:5]
        if k % 2:
            targets = np.zeros((7, 5))
            targets[np.arange(7), np.arange(7) % 5] = 1
        else:
            left, targets = left[:5], rng.integers(0, 2, (5, 1))
        batches.append((images[left], images[right], targets.astype(np.float32)))
    settings: dict[str, Any] = {"dtype": "float64", "lr": 1e-4, "momentum": 0.9, "threads": 1}
    settings |= {"seed": 3, "verdict_weight": 0.3}
    ours = NumpyLearner(TrainConfig(**settings), images)
    theirs = TorchLearner(TorchConfig(**settings, device="cpu", mode=mode), images)
    (losses, accuracies), (their_losses, their_accuracies) = (
        learner.learn(batches) for learner in (ours, theirs)
    )
    assert_ten_digits("losses", losses, their_losses)
    np.testing.assert_allclose(accuracies, their_accuracies, rtol=1e-12)
    for name, value in theirs.model_state().items():
        assert_ten_digits(name, ours.model_state()[name], value)
