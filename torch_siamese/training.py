"""Learning: the loss-and-gradients step and the learner; the twin of `numpy_siamese.training`."""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from numpy_siamese import _arguments, _arrays
from numpy_siamese.data.dataset import checked_images
from numpy_siamese.errors import NotFiniteError
from numpy_siamese.evaluation.verification import Verification
from numpy_siamese.parallel.cores import default_threads
from numpy_siamese.runs.learner import Pairs
from torch_siamese._tensors import from_array, network, tensor
from torch_siamese.config import TrainConfig
from torch_siamese.data import gather
from torch_siamese.device import select_device
from torch_siamese.evaluation import accuracy
from torch_siamese.inference import pair_probabilities
from torch_siamese.initialization import initialize
from torch_siamese.model import SiameseNet
from torch_siamese.settings import at_work, in_force, plain_arithmetic

if TYPE_CHECKING:
    from torch_siamese.distributed.group import Group

Array = np.ndarray

Step = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor, dict[str, Tensor]]]
"""From left, right and targets to loss, probabilities and gradients."""

AT_A_TIME = {"cpu": 1, "cuda": 10}
"""Batches that a device learns from before its results are read. So a GPU does not idle between
them. A signal waits some hundredths of a second."""


def loss_and_gradients(
    net: SiameseNet, left: Tensor, right: Tensor, targets: Tensor
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Compute the mean binary cross-entropy of a batch, and its gradients.

    Gradients are recorded and nothing is cast, whatever is in force around the call. The caller
    chooses how products of float32 are rounded (`torch.set_float32_matmul_precision`).

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
        Under the names of the state dict.

    Raises
    ------
    TypeError
        `net` is no network of PyTorch, or another argument is no tensor.
    ValueError
        A parameter was made in inference mode, so it has no gradient.
    NotFiniteError
        A probability is not finite.
    """
    loss, probs, grads = _loss_and_gradients(net, left, right, targets)
    if not torch.isfinite(probs).all():
        raise NotFiniteError("found probabilities that are not finite")
    return loss, probs, grads


def _loss_and_gradients(
    net: SiameseNet, left: Tensor, right: Tensor, targets: Tensor
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Compute the same without checking the probabilities, for which a device must be waited for.

    CUDA's cross-entropy asserts that it is given probabilities. After a failed assertion the
    process can no longer use the device. So the cross-entropy never gets a NaN.
    """
    net, targets = network(net), tensor("targets", targets)
    left, right = tensor("left", left), tensor("right", right)
    parameters = dict(net.named_parameters())
    for name, parameter in parameters.items():
        if parameter.is_inference():
            raise ValueError(f"net: {name} was made in inference mode, expected it made outside")
    with plain_arithmetic(left.device):
        probs = net(*(x.clone() if x.is_inference() else x for x in (left, right)))
        loss = F.binary_cross_entropy(probs.nan_to_num(0.5), targets.to(probs.dtype))
        grads = torch.autograd.grad(loss, list(parameters.values()))
    return loss.detach(), probs.detach(), dict(zip(parameters, grads, strict=True))


class TorchLearner:
    """A network, its optimiser and the images that it learns from.

    PyTorch's settings belong to the thread or to the process. While a method runs, those that the
    network depends on are as `config` says. After it, they are what they were:

    - the number of threads;
    - the rounding of float32 products, which is to float32, not to TF32 or bfloat16;
    - autocast and inference mode, which are off;
    - on CUDA with ``algorithms="deterministic"``, the choice of algorithms.

    The last also sets `CUBLAS_WORKSPACE_CONFIG` for good, because cuBLAS reads it only once. The
    default device and dtype do not matter.

    Parameters
    ----------
    config : TrainConfig
    images : (n, 28, 28) uint8
    group : Group, optional
        The ranks that learn from the same batches, each from its share. Default: this process
        learns alone.
    """

    def __init__(self, config: TrainConfig, images: Array, group: "Group | None" = None) -> None:
        self.group = group
        self.device = select_device(config.device)
        self.deterministic = self.device.type == "cuda" and config.algorithms == "deterministic"
        self.batches_at_a_time = AT_A_TIME[self.device.type]
        self.threads = config.threads or default_threads()
        self.dtype = getattr(torch, config.dtype)
        with self._at_work():
            self.images = self._to_device(checked_images(images))
            self.net = initialize(config.seed, self.dtype).to(self.device)
            self.optimizer = torch.optim.SGD(
                self.net.parameters(), lr=config.lr, momentum=config.momentum
            )
            self._loss_and_gradients: Step = partial(_loss_and_gradients, self.net)
            if group is not None:
                from torch_siamese.distributed.averaging import averaged

                self._loss_and_gradients = averaged(self.net, group)

    def learn(self, batches: Sequence[Pairs]) -> tuple[Array, Array]:
        """Learn from n batches of pairs.

        A batch is judged before its own step. A batch whose probabilities are not finite
        leaves the weights as they were. Its loss and accuracy are NaN. The device is read once,
        after the last batch. If one of several is such a batch, all are taken back and learned from
        again, one by one.

        Parameters
        ----------
        batches : sequence of (left_index, right_index, targets)
            As `PairSampler.batch` gives them.

        Returns
        -------
        losses, accuracies : (n,) float64

        Raises
        ------
        MemoryError
        """
        with self._at_work():
            own = [self.group.share(pairs) for pairs in batches] if self.group else batches
            checked = [self._checked(self.images, *pairs) for pairs in own]
            steps = self._steps(checked) if len(checked) > 1 else [self._step(*p) for p in checked]
        results = np.array(steps, np.float64).reshape(len(steps), 2)
        losses, accuracies = (self.group.mean(results) if self.group else results).T
        return losses, accuracies

    def evaluate(
        self, images: Array, left_index: Array, right_index: Array, targets: Array
    ) -> Verification:
        """Judge pairs of images.

        Parameters
        ----------
        images : (n, 28, 28) uint8
        left_index, right_index : (N,) integers
            Into images.
        targets : (N, 1)

        Returns
        -------
        Verification

        Raises
        ------
        MemoryError
        """
        with self._at_work():
            on_device = self._to_device(checked_images(images))
            left, right, truth = self._checked(on_device, left_index, right_index, targets)
            probs = pair_probabilities(self.net, on_device, left, right).cpu()
            return Verification(probs.numpy(), *_loss_and_accuracy(probs, truth))

    def model_state(self) -> dict[str, Array]:
        """Return the network's weights by name.

        Returns
        -------
        dict of name → array
        """
        return {name: value.cpu().numpy() for name, value in self.net.state_dict().items()}

    def momentum_state(self) -> dict[str, Array]:
        """Return the optimiser's momentum buffers by name. There are none before a first step.

        Returns
        -------
        dict of name → array
        """
        buffers = {
            name: self.optimizer.state[parameter].get("momentum_buffer")
            for name, parameter in self.net.named_parameters()
        }
        return {name: b.cpu().numpy() for name, b in buffers.items() if b is not None}

    def load_state(self, model: Mapping[str, Array], momentum: Mapping[str, Array]) -> None:
        """Take the state of another learner.

        Parameters
        ----------
        model : mapping of name → array
            The weights.
        momentum : mapping of name → array
            The momentum buffers.

        Raises
        ------
        RuntimeError, TypeError
            As `SiameseNet.load_state_dict`.
        KeyError, ValueError, TypeError
            A momentum of no parameter, or of another shape or dtype. The state stays as it was.
        """
        buffers = self._checked_momentum(momentum)
        with self._at_work():
            self.net.load_state_dict(model)
            self.optimizer.state.clear()
            for name, parameter in self.net.named_parameters():
                if name in buffers:
                    buffer = buffers[name].to(self.device, copy=True)
                    self.optimizer.state[parameter]["momentum_buffer"] = buffer

    def environment(self) -> dict[str, Any]:
        """Return what the network runs on, and the settings in force while it does.

        Returns
        -------
        dict
            For `config.json`.
        """
        with self._at_work():
            return in_force(self.device)

    def _at_work(self) -> AbstractContextManager[None]:
        """Put the settings that the network depends on in force."""
        return at_work(self.device, self.threads, self.deterministic)

    def _step(
        self, left_index: Tensor, right_index: Tensor, targets: Tensor
    ) -> tuple[float, float]:
        """Learn from one batch, unless its probabilities are not finite."""
        probs, grads = self._gradients(left_index, right_index, targets)
        seen = probs.cpu()
        if not torch.isfinite(seen).all():
            return math.nan, math.nan
        self._update(grads)
        return _loss_and_accuracy(seen, targets)

    def _steps(self, batches: list[tuple[Tensor, Tensor, Tensor]]) -> list[tuple[float, float]]:
        """Learn from all batches before the results of any are read."""
        before = copy.deepcopy((self.net.state_dict(), self.optimizer.state_dict()))
        probs = []
        for pairs in batches:
            probs_of_batch, grads = self._gradients(*pairs)
            self._update(grads)
            probs.append(probs_of_batch)
        seen = torch.cat(probs).cpu()
        targets = [targets for _, _, targets in batches]
        if torch.isfinite(seen).all():
            parts = seen.split([len(truth) for truth in targets])
            return [_loss_and_accuracy(*part) for part in zip(parts, targets, strict=True)]
        weights, momentum = before
        self.net.load_state_dict(weights)
        self.optimizer.load_state_dict(momentum)
        return [self._step(*pairs) for pairs in batches]

    def _gradients(
        self, left_index: Tensor, right_index: Tensor, targets: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        left, right = (
            gather(self.images, index, self.dtype) for index in (left_index, right_index)
        )
        on_device = targets.to(self.device)
        _, probs, grads = self._loss_and_gradients(left, right, on_device)
        return probs, grads

    def _update(self, grads: dict[str, Tensor]) -> None:
        for name, parameter in self.net.named_parameters():
            parameter.grad = grads[name]
        self.optimizer.step()

    def _checked(
        self, images: Tensor, left_index: Array, right_index: Array, targets: Array
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return checked indices on the device, and targets on the CPU."""
        left, right = (
            self._to_device(_arrays.index(name, index, len(images)))
            for name, index in (("left_index", left_index), ("right_index", right_index))
        )
        truth = from_array("targets", _arrays.real("targets", targets, np.float64))
        return left, right, truth

    def _checked_momentum(self, momentum: Mapping[str, Array]) -> dict[str, Tensor]:
        """Return buffers by name, if each is like its parameter."""
        parameters, buffers = dict(self.net.named_parameters()), {}
        for name, value in _arguments.mapping("momentum", momentum).items():
            if name not in parameters:
                raise KeyError(f"no parameter named {name!r}")
            words, parameter = f"momentum[{name!r}]", parameters[name]
            buffers[name] = buffer = from_array(words, value)
            if buffer.shape != parameter.shape:
                expected, found = tuple(parameter.shape), tuple(buffer.shape)
                raise ValueError(f"{words} must have shape {expected}, got {found}")
            if buffer.dtype != parameter.dtype:
                raise TypeError(f"{words} must be {parameter.dtype}, got {buffer.dtype}")
        return buffers

    def _to_device(self, array: Array) -> Tensor:
        return from_array("array", array).to(self.device)


def _loss_and_accuracy(probs: Tensor, targets: Tensor) -> tuple[float, float]:
    """Return the mean binary cross-entropy, NaN where a probability is not finite, and accuracy."""
    loss = math.nan
    if torch.isfinite(probs).all():
        loss = F.binary_cross_entropy(probs, targets.to(probs.dtype)).item()
    return loss, accuracy(probs, targets)
