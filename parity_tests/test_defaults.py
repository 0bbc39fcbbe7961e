"""Defaults are those of torch: what is left out means the same in both packages."""

import inspect

import numpy as np
import pytest
import torch
from torch.nn import functional as TF

from numpy_siamese import functional as F
from numpy_siamese.functional.normalization import running_statistics
from numpy_siamese.optim import SGD, Adam, AdamW
from parity_tests.machinery.error_bounds import same_bits

# what torch has beyond the contract: old spellings of `reduction`, and switches of its own
ONLY_TORCH = {"size_average", "reduce", "return_indices", "inplace"}
RENAMED = {"input": "x"}


@pytest.mark.parametrize("name", ["binary_cross_entropy", "binary_cross_entropy_with_logits"])
def test_losses(name: str) -> None:
    """Names behind the first two arguments, their order and their defaults are torch's."""
    theirs = list(inspect.signature(getattr(TF, name)).parameters.values())[2:]
    ours = list(inspect.signature(getattr(F, name)).parameters.values())[2:]
    expected = {p.name: p.default for p in theirs if p.name not in ONLY_TORCH}
    found = {p.name: p.default for p in ours}
    assert found == expected
    assert found["reduction"] == "mean"
    # torch moved pos_weight to the end behind its old spellings; the contract has it before
    assert list(found) in (list(expected), ["weight", "pos_weight", "reduction"])


@pytest.mark.parametrize("name", ["binary_cross_entropy", "binary_cross_entropy_with_logits"])
def test_losses_called_with_two_arguments(name: str) -> None:
    """Called with values and targets alone they give the mean, and its gradient."""
    values, target = np.array([0.25, 0.5, 0.75]), np.array([0.0, 1.0, 1.0])
    loss, pullback = getattr(F, name)(values, target)
    mean, mean_pullback = getattr(F, name)(values, target, reduction="mean")
    assert loss == mean
    assert same_bits(pullback(1.0)[0], mean_pullback(1.0)[0]).all()


def test_convolution_pooling_and_linear() -> None:
    """Called with the arrays alone they do what torch does."""
    rng = np.random.default_rng(0)
    x, weight = (rng.integers(-3, 4, shape).astype(float) for shape in ((2, 3, 5, 5), (4, 3, 2, 2)))
    tx, tweight = torch.tensor(x), torch.tensor(weight)
    assert same_bits(F.conv2d(x, weight)[0] + 0.0, TF.conv2d(tx, tweight).numpy() + 0.0).all()
    assert same_bits(F.max_pool2d(x, 2)[0], TF.max_pool2d(tx, 2).numpy()).all()
    assert same_bits(F.linear(x, x[0, 0])[0] + 0.0, TF.linear(tx, tx[0, 0]).numpy() + 0.0).all()


def test_sgd() -> None:
    """Every option of SGD has torch's default."""
    theirs = inspect.signature(torch.optim.SGD).parameters
    ours = inspect.signature(SGD).parameters
    for name in ("momentum", "dampening", "weight_decay", "nesterov", "maximize"):
        assert ours[name].default == theirs[name].default, name


@pytest.mark.parametrize("ours", [Adam, AdamW])
def test_adam(ours: type) -> None:
    """Every option of Adam and of AdamW has torch's default."""
    theirs = inspect.signature(getattr(torch.optim, ours.__name__)).parameters
    found = inspect.signature(ours).parameters
    for name in ("lr", "betas", "eps", "weight_decay", "maximize"):
        assert found[name].default == theirs[name].default, name


def test_batch_norm() -> None:
    """Whether it trains, ε, and what counts of a batch in the running statistics."""
    theirs = inspect.signature(TF.batch_norm).parameters
    ours = inspect.signature(F.batch_norm).parameters
    for name in ("weight", "bias", "training", "eps"):
        assert ours[name].default == theirs[name].default, name
    momentum = inspect.signature(running_statistics).parameters["momentum"]
    assert momentum.default == theirs["momentum"].default


@pytest.mark.parametrize("options", [{}, {"momentum": 0.5}, {"weight_decay": 0.5}], ids=str)
def test_sgd_with_few_options(options: dict[str, float]) -> None:
    """What is left out of SGD's options does over three steps what it does in torch."""
    p = np.array([1.0, -2.0, 3.0])
    tp = torch.tensor(p, requires_grad=True)
    ours, theirs = SGD({"p": p}, 0.25, **options), torch.optim.SGD([tp], 0.25, **options)
    for k in range(3):
        grad = np.array([1.0, k, -2.0])
        tp.grad = torch.tensor(grad)
        ours.step({"p": grad})
        theirs.step()
    assert same_bits(p, tp.detach().numpy()).all()
