"""Other networks than the recipe's: in both packages the same, from one list of layers."""

import numpy as np
import pytest
import torch

from numpy_siamese.architectures import (
    Architecture,
    Conv2d,
    Flatten,
    Linear,
    MaxPool2d,
    Projection,
    ReLU,
    Scale,
)
from numpy_siamese.model import SiameseNet
from parity_tests.machinery.ledger import LEDGER
from torch_siamese.model import SiameseNet as TorchSiameseNet

Array = np.ndarray

OTHERS = [
    Architecture("linear", (1, 4, 5), (Flatten(), Linear("fc1", 6))),
    Architecture(
        "three poolings",
        (2, 33, 30),
        (
            *(Conv2d("conv1", 3, 2), ReLU(), MaxPool2d(2)),
            *(Conv2d("conv2", 4, 3), ReLU(), MaxPool2d(3)),
            *(Conv2d("conv3", 2, 2), ReLU(), MaxPool2d(2)),
            *(Flatten(), Linear("fc1", 7)),
        ),
    ),
    Architecture(
        "scaled input",
        (1, 10, 9),
        (
            *(Scale(0.5), Conv2d("conv1", 2, 3), ReLU(), MaxPool2d(2)),
            *(Flatten(), Linear("fc1", 5), Scale(-2.0)),
        ),
    ),
    Architecture(
        "two convolutions without pooling",
        (3, 9, 11),
        (
            *(Conv2d("conv1", 2, 3), Conv2d("conv2", 3, 2), ReLU(), MaxPool2d(2)),
            *(Flatten(), Linear("fc1", 5), ReLU(), Linear("fc2", 4), Linear("fc3", 3)),
        ),
    ),
    Architecture(
        "projections",
        (1, 6, 5),
        (
            *(Conv2d("conv1", 3, 3), ReLU(), Flatten()),
            *(Projection("fc1", 5), ReLU(), Linear("fc2", 4), Projection("fc3", 3)),
        ),
    ),
]


@pytest.mark.parametrize("fused", [True, False], ids=["fused", "textbook"])
@pytest.mark.parametrize("architecture", OTHERS, ids=lambda a: a.name)
def test_an_architecture_is_the_same_in_both(architecture: Architecture, fused: bool) -> None:
    """Weights of a seed, embeddings of integers, and their gradients: the same bits."""
    ours = SiameseNet(3, np.float64, fused, architecture)
    torch.manual_seed(3)
    theirs = TorchSiameseNet(architecture)
    initial = SiameseNet(3, np.float32, fused, architecture).state_dict()
    assert list(theirs.state_dict()) == list(initial)
    for name, value in theirs.state_dict().items():
        LEDGER.exact(f"SiameseNet, {architecture.name}", name, initial[name], value.numpy())

    rng = np.random.default_rng(1)
    for parameter in ours.parameters().values():
        parameter[...] = rng.integers(-2, 3, parameter.shape)
    theirs.double().load_state_dict(ours.state_dict())
    images = rng.integers(-2, 3, (4, *architecture.image_shape)).astype(np.float64)
    embedding, pullback = ours.net(images)
    dembedding = rng.integers(-2, 3, embedding.shape).astype(np.float64)
    grads, dx = pullback(dembedding)
    x = torch.tensor(images, requires_grad=True)
    embedded = theirs.embed(x)
    parameters = dict(theirs.net.named_parameters())
    found = torch.autograd.grad(embedded, [x, *parameters.values()], torch.tensor(dembedding))
    expected = dict(zip(["dx", *parameters], found, strict=True))
    for name, value in {"embedding": embedding, "dx": dx, **grads}.items():
        other = embedded if name == "embedding" else expected[name]
        assert np.any(value != 0), f"{name} is all zeros"
        LEDGER.exact(
            f"SiameseNet, {architecture.name}",
            f"{name} (integers)",
            value + 0.0,
            other.detach().numpy() + 0.0,
        )
