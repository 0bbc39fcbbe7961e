"""The network: two twins that share one CNN, and the head that compares their embeddings.

The twin of `numpy_siamese.model`, layer by layer; here autograd derives the gradients.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class CNN(nn.Module):
    """The backbone, from an image (N, 1, 28, 28) to its embedding (N, 84)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.fc1 = nn.Linear(1600, 120)
        self.fc2 = nn.Linear(120, 84)

    def forward(self, x: Tensor) -> Tensor:
        """Embed images."""
        y = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (N, 32, 13, 13)
        y = F.max_pool2d(F.relu(self.conv2(y)), 2)  # (N, 64, 5, 5)
        y = y.reshape(len(x), 1600)  # channel-major
        y = F.relu(self.fc1(y))  # (N, 120)
        return self.fc2(y)  # (N, 84)


class SiameseNet(nn.Module):
    """The probability that two images show the same class.

    p = sigmoid(fc1(|net(left) − net(right)|)), with one CNN `net` for both sides. Built after
    ``torch.manual_seed(seed)`` in the default dtype, it has the weights of
    ``numpy_siamese.model.SiameseNet(seed)``, bit for bit.
    """

    def __init__(self) -> None:
        super().__init__()
        self.net = CNN()
        self.fc1 = nn.Linear(84, 1)

    def load_state_dict(self, state_dict: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Load tensors, or the arrays of the NumPy twin's `state_dict()` as they are."""
        tensors = {
            name: value if isinstance(value, Tensor) else torch.as_tensor(value, device="cpu")
            for name, value in state_dict.items()
        }
        return super().load_state_dict(tensors, *args, **kwargs)

    def embed(self, images: Tensor) -> Tensor:
        """Embed images: (N, 1, 28, 28) → (N, 84)."""
        return self.net(images)

    def compare(self, left: Tensor, right: Tensor) -> Tensor:
        """Compare embeddings: (N, 84) twice → probabilities (N, 1)."""
        return torch.sigmoid(self.fc1(torch.abs(left - right)))

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """Return the probability that each pair is of the same class: (N, 1)."""
        return self.compare(self.embed(left), self.embed(right))
