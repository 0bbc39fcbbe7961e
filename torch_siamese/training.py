"""Learning: the loss-and-gradients step and the learner; the twin of `numpy_siamese.training`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from numpy_siamese import _arguments, _arrays
from numpy_siamese.cores import default_threads
from numpy_siamese.data import checked_images
from torch_siamese._tensors import from_array, network, tensor
from torch_siamese.config import TrainConfig
from torch_siamese.data import gather, select_device, use_deterministic_algorithms
from torch_siamese.evaluation import accuracy, pair_probabilities
from torch_siamese.initialization import initialize
from torch_siamese.model import SiameseNet

Array = np.ndarray


def loss_and_gradients(
    net: SiameseNet, left: Tensor, right: Tensor, targets: Tensor
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Compute the mean binary cross-entropy of a batch, and its gradients.

    Parameters
    ----------
    net : SiameseNet
    left, right : (N, 1, 28, 28) of the net's dtype
    targets : (N, 1)

    Returns
    -------
    loss : scalar, in nats
    probs : (N, 1)
    grads : dict
        Under the state dict's names.

    Raises
    ------
    TypeError
        No network of PyTorch, no tensors.
    """
    targets = tensor("targets", targets)
    probs = network(net)(left, right)
    loss = F.binary_cross_entropy(probs, targets.to(probs.dtype))
    parameters = dict(net.named_parameters())
    grads = torch.autograd.grad(loss, list(parameters.values()))
    return loss.detach(), probs.detach(), dict(zip(parameters, grads, strict=True))


class Learner:
    """A network, its optimiser and the images that it learns from.

    Parameters
    ----------
    config : TrainConfig
    images : (n, 28, 28) uint8
    """

    def __init__(self, config: TrainConfig, images: Array) -> None:
        self.device = select_device(config.device)
        self.device_name = "cpu" if self.device.type == "cpu" else torch.cuda.get_device_name()
        if self.device.type == "cuda" and config.algorithms == "deterministic":
            use_deterministic_algorithms()
        self.threads = config.threads or default_threads()
        torch.set_num_threads(self.threads)
        self.images = self._to_device(checked_images(images))
        self.dtype = getattr(torch, config.dtype)
        self.net = initialize(config.seed, self.dtype).to(self.device)
        self.optimizer = torch.optim.SGD(
            self.net.parameters(), lr=config.lr, momentum=config.momentum
        )

    def step(self, left_index: Array, right_index: Array, targets: Array) -> tuple[float, float]:
        """Learn from one batch of pairs; return its mean loss and its accuracy before the step.

        Raises
        ------
        RuntimeError
            On the CPU, probabilities that are not finite; the weights stay as they were.
        FloatingPointError
            The same on CUDA, where the process can use the device no more.
        """
        try:
            return self._step(left_index, right_index, targets)
        except RuntimeError as error:
            if "device-side assert" in str(error):
                raise FloatingPointError("probabilities are not finite") from error
            raise

    def _step(self, left_index: Array, right_index: Array, targets: Array) -> tuple[float, float]:
        n = len(self.images)
        device_targets = self._to_device(_arrays.real("targets", targets, np.float64))
        left, right = (
            gather(self.images, self._to_device(_arrays.index(name, index, n)), self.dtype)
            for name, index in (("left_index", left_index), ("right_index", right_index))
        )
        loss, probs, grads = loss_and_gradients(self.net, left, right, device_targets)
        for name, parameter in self.net.named_parameters():
            parameter.grad = grads[name]
        self.optimizer.step()
        return loss.item(), accuracy(probs, device_targets)

    def probabilities(self, images: Array, left_index: Array, right_index: Array) -> Array:
        """Return the probability that each pair is of the same class: (N, 1)."""
        probs = pair_probabilities(
            self.net,
            self._to_device(checked_images(images)),
            self._to_device(_arrays.index("left_index", left_index, len(images))),
            self._to_device(_arrays.index("right_index", right_index, len(images))),
        )
        return probs.cpu().numpy()

    def model_state(self) -> dict[str, Array]:
        """Return the network's weights by state-dict name."""
        return {name: value.cpu().numpy() for name, value in self.net.state_dict().items()}

    def momentum_state(self) -> dict[str, Array]:
        """Return the optimiser's momentum buffers by state-dict name; empty before a first step."""
        buffers = {
            name: self.optimizer.state[parameter].get("momentum_buffer")
            for name, parameter in self.net.named_parameters()
        }
        return {name: b.cpu().numpy() for name, b in buffers.items() if b is not None}

    def load_state(self, model: Mapping[str, Array], momentum: Mapping[str, Array]) -> None:
        """Take weights and momentum buffers by state-dict name: the state of another learner.

        Raises
        ------
        RuntimeError, TypeError
            As `SiameseNet.load_state_dict`.
        """
        buffers = {
            name: from_array(f"momentum[{name!r}]", value)
            for name, value in _arguments.mapping("momentum", momentum).items()
        }
        self.net.load_state_dict(model)
        for name, parameter in self.net.named_parameters():
            if name in buffers:
                buffer = buffers[name].to(self.device, copy=True)
                self.optimizer.state[parameter]["momentum_buffer"] = buffer

    def environment(self) -> dict[str, Any]:
        """Return what the network runs on."""
        return {
            "package": "torch_siamese",
            "torch": torch.__version__,
            "device": self.device_name,
            "threads": self.threads,
        }

    def _to_device(self, array: Array) -> Tensor:
        return from_array("array", array).to(self.device)
