"""The network: two twins that share one CNN, and the head that compares their embeddings.

The twin of `numpy_siamese.model`, layer by layer; here autograd derives the gradients.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from numpy_siamese import _arguments
from numpy_siamese.architectures import MNIST, Architecture
from torch_siamese._tensors import from_array, tensor
from torch_siamese.layers import modules


class CNN(nn.Sequential):
    """The backbone, from an image (N, 1, 28, 28) to its embedding (N, 84).

    Parameters
    ----------
    architecture : Architecture
    """

    def __init__(self, architecture: Architecture = MNIST) -> None:
        super().__init__(modules(architecture))


class SiameseNet(nn.Module):
    """The probability that two images show the same class.

    p = sigmoid(fc1(|net(left) − net(right)|)), with one CNN `net` for both sides. Built after
    ``torch.manual_seed(seed)`` in the default dtype, it has the weights of
    ``numpy_siamese.model.SiameseNet(seed)``, bit for bit.

    Parameters
    ----------
    architecture : Architecture
        Default: the recipe's network.
    """

    def __init__(self, architecture: Architecture = MNIST) -> None:
        super().__init__()
        self.architecture = architecture
        self.net = CNN(architecture)
        self.fc1 = nn.Linear(architecture.embedding_size, architecture.head.out_features)

    def load_state_dict(self, state_dict: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Load tensors, or the arrays of the NumPy twin's `state_dict()` as they are.

        Parameters
        ----------
        state_dict : mapping of name → tensor or array
        *args, **kwargs
            Those of `torch.nn.Module.load_state_dict`.

        Returns
        -------
        missing and unexpected keys
            As `torch.nn.Module.load_state_dict` returns them.

        Raises
        ------
        RuntimeError, TypeError
            A name is missing or unexpected; a shape is wrong; an argument is of another type.
        """
        given = _arguments.mapping("state_dict", state_dict)
        tensors = {name: from_array(name, value) for name, value in given.items()}
        return super().load_state_dict(tensors, *args, **kwargs)

    def embed(self, images: Tensor) -> Tensor:
        """Embed images.

        Parameters
        ----------
        images : (N, 1, 28, 28)
            Raw pixel values 0..255.

        Returns
        -------
        embeddings : (N, 84)
        """
        return self.net(tensor("images", images))

    def logits(self, left: Tensor, right: Tensor) -> Tensor:
        """Return the log-odds that embeddings are of the same class.

        Parameters
        ----------
        left, right : (N, 84)

        Returns
        -------
        logits : (N, 1)
        """
        difference = tensor("left", left) - tensor("right", right)
        return self.fc1(torch.abs(difference))

    def compare(self, left: Tensor, right: Tensor) -> Tensor:
        """Return the probability that embeddings are of the same class.

        Parameters
        ----------
        left, right : (N, 84)

        Returns
        -------
        probs : (N, 1)
        """
        return torch.sigmoid(self.logits(left, right).to(self.fc1.weight.dtype))

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """Return the probability that each pair is of the same class.

        Parameters
        ----------
        left, right : (N, 1, 28, 28)
            Raw pixel values 0..255.

        Returns
        -------
        probs : (N, 1)
        """
        left, right = tensor("left", left), tensor("right", right)
        return self.compare(self.embed(left), self.embed(right))
