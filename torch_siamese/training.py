"""Learning: the loss-and-gradients step and the learner; the twin of `numpy_siamese.training`."""

import copy
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from numpy_siamese.architectures import ARCHITECTURES
from numpy_siamese.data.dataset import checked_images
from numpy_siamese.errors import NotFiniteError
from numpy_siamese.evaluation.verification import Verification
from numpy_siamese.parallel.cores import default_threads
from numpy_siamese.rates import Schedule
from numpy_siamese.runs.learner import Pairs
from torch_siamese import blocks
from torch_siamese._tensors import network, on_host, staged, tensor
from torch_siamese.blocks import packed
from torch_siamese.config import TrainConfig
from torch_siamese.cuda_graph import WARM_UP
from torch_siamese.device import select_device
from torch_siamese.evaluation import loss_and_accuracy
from torch_siamese.image_source import image_source
from torch_siamese.inference import embed_images, pair_probabilities
from torch_siamese.initialization import initialize
from torch_siamese.memory import too_large
from torch_siamese.model import SiameseNet
from torch_siamese.modes import cross_entropy, in_mode, remarks, selected
from torch_siamese.optim import checked_like, optimizer_of
from torch_siamese.settings import at_work, in_force, plain_arithmetic
from torch_siamese.stepper import Stepper, checked

if TYPE_CHECKING:
    from torch_siamese.distributed.group import Group

Array = np.ndarray

AT_A_TIME, SECONDS_AT_A_TIME = 10, 0.5
"""Batches that a GPU is given at first before its results are read, and later about how long it
works on those that it is given. A signal waits as long. The CPU is given one batch at a time."""


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
    net, targets = network(net), tensor("targets", targets)
    left, right = tensor("left", left), tensor("right", right)
    parameters = dict(net.named_parameters())
    for name, parameter in parameters.items():
        if parameter.is_inference():
            raise ValueError(f"net: {name} was made in inference mode, expected it made outside")
    with plain_arithmetic(left.device):
        probs = net(*(x.clone() if x.is_inference() else x for x in (left, right)))
        loss = cross_entropy(probs, targets.to(probs.dtype))
        grads = torch.autograd.grad(loss, list(parameters.values()))
    if not torch.isfinite(probs).all():
        raise NotFiniteError("found probabilities that are not finite")
    return loss.detach(), probs.detach(), dict(zip(parameters, grads, strict=True))


class TorchLearner:
    """A network, its optimiser and the images that it learns from.

    PyTorch's settings belong to the thread or to the process. While a method runs, those that the
    network depends on are as `config` says. After it, they are what they were:

    - the number of threads;
    - the rounding of float32 products, which is TF32's or bfloat16's only if `precision` says so;
    - autocast, which is on for bfloat16 alone, and inference mode, which is off;
    - on CUDA, the choice of algorithms: the fastest tried, or deterministic ones.

    The latter also set `CUBLAS_WORKSPACE_CONFIG` for good, because cuBLAS reads it only once. The
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
        self.config, self.device, self.group = config, select_device(config.device), group
        self.deterministic = self.device.type == "cuda" and config.algorithms == "deterministic"
        self.mode = selected(config, self.device, alone=group is None)
        self.precision = config.precision
        self.remarks: Sequence[str] = remarks(config, self.mode, self.device, alone=group is None)
        self.batches_at_a_time = 1 if self.device.type == "cpu" else AT_A_TIME
        self.threads = config.threads or default_threads()
        self.dtype = getattr(torch, config.dtype)
        self._moved = False
        with self._at_work():
            self.images = checked_images(images)
            architecture = ARCHITECTURES[config.model]
            self.net = initialize(config.seed, self.dtype, architecture).to(self.device)
            half = config.precision == "bf16"
            backward = in_mode(self.mode, self.net, self.device, half)
            if group is not None:
                from torch_siamese.distributed.averaging import AveragedBackward

                backward = AveragedBackward(backward, self.net, group)
            plain = self.mode == "eager" and self.device.type == "cpu"
            named = dict(self.net.named_parameters())
            self.optimizer = optimizer_of(config, named, fused=not plain)
            self.optimizer.schedule = Schedule(config.schedule, config.epochs, config.batches)
            source = image_source(self.images, self.device)
            self._stepper = Stepper(
                self.net,
                self.mode,
                half,
                backward,
                self.optimizer,
                source,
                self.device,
                config.verdict_weight,
            )

    @property
    def batches_done(self) -> int:
        """From how many batches the run has learned. A schedule of rates depends on it."""
        return self.optimizer.batches_done

    @batches_done.setter
    def batches_done(self, batches: int) -> None:
        self.optimizer.batches_done = batches

    def learn(self, batches: Sequence[Pairs]) -> tuple[Array, Array]:
        """Learn from n batches of pairs.

        A batch is judged before its own step. A batch whose probabilities are not finite
        leaves the weights as they were. Its loss and accuracy are NaN. On a device nothing is read
        before the last step is under way.

        Parameters
        ----------
        batches : sequence of (left_index, right_index, targets)
            As `PairSampler.batch` gives them.

        Returns
        -------
        losses, accuracies : (n,) float64

        Raises
        ------
        InputError
            A batch does not fit in the memory of a device. The message says the largest that does.
        MemoryError
            The CPU's memory runs out.
        """
        try:
            return self._learned(batches)
        except MemoryError as error:
            if self.device.type == "cpu":
                raise
            found = str(error).partition(". ")[0]
        self._stepper.forget()
        self.optimizer.zero_grad()
        ranks = self.group.size if self.group else 1
        pairs = max(len(left) for left, _, _ in batches) // ranks
        raise too_large(pairs, found, self._attempt, ranks)

    def _learned(self, batches: Sequence[Pairs]) -> tuple[Array, Array]:
        """Learn as `learn` does. Memory that runs out is a MemoryError on any device."""
        start = time.perf_counter()
        own = [self.group.share(pairs) for pairs in batches] if self.group else batches
        with self._at_work():
            found = self._stepper.learn(own, len(self.images))
            results = torch.cat(found).cpu().numpy() if found else np.empty((0, 2))
        losses, accuracies = (self.group.mean(results) if self.group else results).T
        self._moved |= bool(np.isfinite(losses).any())
        self._pace(len(batches), time.perf_counter() - start)
        return losses, accuracies

    def _attempt(self, pairs: int) -> None:
        """Let another learner do as many steps as a capture needs before it, and one."""
        side: Array = np.zeros(pairs, np.int64)
        if self.config.from_images:
            side = np.zeros((pairs, *self.images.shape[1:]), np.uint8)
        targets = np.eye(pairs) if self.config.loss == "n-pair" else np.ones((pairs, 1))
        batch = side, side, targets
        other = TorchLearner(replace(self.config, mode=self.mode), self.images[:0])
        other.images, other._stepper.source = self.images, self._stepper.source
        other._learned([batch] * (WARM_UP + 1))

    def _pace(self, batches: int, seconds: float) -> None:
        """Choose how many batches a device is given next. It changes no result.

        All ranks are given as many as the slowest wants.
        """
        if self.device.type != "cpu" and batches == self.batches_at_a_time:
            if self.group is not None:
                (nanoseconds,) = self.group.largest([round(1e9 * seconds)])
                seconds = nanoseconds / 1e9
            wanted = batches * SECONDS_AT_A_TIME / max(seconds, 1e-9)
            self.batches_at_a_time = max(1, min(int(wanted), 10 * batches))

    def evaluate(
        self, images: Array, left_index: Array, right_index: Array, targets: Array
    ) -> Verification:
        """Judge pairs of images, layer by layer and without TF32 or bfloat16, as `evaluate` does.

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
        with at_work(self.device, self.threads, self.deterministic):
            on_device = staged(checked_images(images), self.device)
            block = packed([checked(len(images), left_index, right_index, targets)])
            left, right, _ = batch = staged(block[0], self.device)
            truth = blocks.targets(batch, self.dtype)
            probs = pair_probabilities(self._contiguous(), on_device, left, right)
            found = torch.cat([probs, truth], dim=1).cpu()
            return Verification(found[:, :1].numpy(), *loss_and_accuracy(*found.split(1, dim=1)))

    def embed(self, images: Array) -> Array:
        """Embed images, layer by layer and without TF32 or bfloat16, as `evaluate` does.

        Parameters
        ----------
        images : (n, 28, 28) uint8

        Returns
        -------
        embeddings : (n, 84)

        Raises
        ------
        MemoryError
        """
        with at_work(self.device, self.threads, self.deterministic):
            on_device = staged(checked_images(images), self.device)
            return embed_images(self._contiguous(), on_device).cpu().numpy()

    def head(self) -> tuple[Array, Array]:
        """Return the head's weight and bias.

        Returns
        -------
        weight : (1, 84)
        bias : (1,)
        """
        weight, bias = self.net.fc1.weight, self.net.fc1.bias
        return weight.detach().cpu().numpy(), bias.detach().cpu().numpy()

    def _contiguous(self) -> SiameseNet:
        """Return a copy of the network whose weights lie as those of a finished run do."""
        return copy.deepcopy(self.net).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]

    def model_state(self) -> dict[str, Array]:
        """Return the network's weights by name.

        Returns
        -------
        dict of name → array
        """
        return on_host(self.net.state_dict())

    def momentum_state(self) -> dict[str, Array]:
        """Return what the optimiser keeps, by name. There is nothing before a first step.

        Returns
        -------
        dict of name → array
        """
        if not self._moved:
            return {}
        kept = on_host(self.optimizer.kept(dict(self.net.named_parameters())))
        return kept | {name: kept[name].astype(np.int64) for name in kept.keys() & {"step"}}

    def load_state(self, model: Mapping[str, Array], momentum: Mapping[str, Array]) -> None:
        """Take the state of another learner.

        Parameters
        ----------
        model : mapping of name → array
            The weights.
        momentum : mapping of name → array
            What the optimiser keeps.

        Raises
        ------
        RuntimeError, TypeError
            As `SiameseNet.load_state_dict`.
        KeyError, ValueError, TypeError
            A momentum of no parameter, or of another shape or dtype. The state stays as it was.
        """
        layout = self.optimizer.layout(dict(self.net.named_parameters()))
        buffers = checked_like(layout, "momentum", momentum)
        with self._at_work():
            self.net.load_state_dict(model)
            self.optimizer.load_kept(dict(self.net.named_parameters()), buffers)
            self._moved = bool(buffers)

    def environment(self) -> dict[str, Any]:
        """Return what the network runs on, and the settings in force while it does.

        Returns
        -------
        dict
            For `config.json`.
        """
        with self._at_work():
            numerics = {"mode": self.mode, "precision": self.precision}
            return in_force(self.device) | numerics

    def _at_work(self) -> AbstractContextManager[None]:
        """Put the settings that the network depends on in force."""
        return at_work(self.device, self.threads, self.deterministic, self.precision)
