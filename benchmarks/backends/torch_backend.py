"""PyTorch as one writes it: eager, channels-last and compiled, on the CPU."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.backends import verification
from benchmarks.backends.base import (
    LR,
    MOMENTUM,
    Backend,
    Job,
    NotRun,
    Results,
    batch,
    digits,
    draw,
    initial_weights,
    many_images,
)
from benchmarks.backends.torch_operations import OPERATIONS, operation_job
from numpy_siamese.architectures import MNIST, Conv2d, MaxPool2d
from torch_siamese.data import gather
from torch_siamese.evaluation import accuracy
from torch_siamese.initialization import initialize
from torch_siamese.model import SiameseNet

EMBED_BATCH = 100
"""Images embedded at a time: of 50 to 2,000, about where it is fastest on the CPU."""


class TorchBackend(Backend):
    """`torch_siamese` in one mode.

    Parameters
    ----------
    name : str
    channels_last : whether images and kernels lie channel by channel innermost
    compile_mode : mode of `torch.compile`, None for eager
    """

    operations = OPERATIONS
    _compiled_for = 0
    _threads = 1

    def __init__(
        self,
        name: str,
        channels_last: bool = False,
        compile_mode: str | None = None,
    ) -> None:
        super().__init__(name)
        self.most_pairs = 2_000  # 10,000 take 14 s in one piece; torch-tuned has micro-batches
        self.channels_last = channels_last
        self.compile_mode = compile_mode
        if compile_mode:
            self.leaves_out = dict.fromkeys(
                ("learn", "pairs", "epoch", "operations", "scaling"),
                "compiled anew for every piece of work; measured in step and embed",
            )

    @property
    def missing(self) -> str | None:
        """Why it cannot run here."""
        if self.compile_mode and not torch._dynamo.is_dynamo_supported():
            return "torch.compile does not support this Python or platform"
        return None

    @contextmanager
    def threads(self, count: int) -> Iterator[None]:
        """Use so many threads."""
        before = torch.get_num_threads()
        torch.set_num_threads(count)
        if torch.get_num_threads() != count:
            raise NotRun(f"torch takes {torch.get_num_threads()} threads, not {count}")
        config = torch._inductor.config
        caches_off = config.force_disable_caches
        if self.compile_mode:
            # compiled code keeps the number of threads that it was compiled for
            config.force_disable_caches = True
            warnings.filterwarnings("ignore", "dynamo_pgo force disabled")  # as is meant
            if TorchBackend._compiled_for != count:
                torch._dynamo.reset()
                TorchBackend._compiled_for = count
        self._threads = count
        try:
            yield
        finally:
            config.force_disable_caches = caches_off
            torch.set_num_threads(before)

    def threads_in_force(self) -> int:
        """Return how many threads PyTorch would use now."""
        return torch.get_num_threads()

    @contextmanager
    def verified(self) -> Iterator[None]:
        """See that threads, layout and compilation are those of the name."""
        if self.compile_mode:
            with verification.compiled():
                yield
            return
        checks = [verification.on_threads(self._threads)]
        if self.channels_last:
            checks.append(verification.channels_last)
        with verification.Watch(*checks):
            yield

    def bytes_per_pair(self) -> float:
        """Return the size of what autograd keeps of two images, and as much again for gradients."""
        outputs = [(layer, prod(layer.output_shape(shape))) for layer, shape in MNIST.with_shapes()]
        times = {Conv2d: 2, MaxPool2d: 3}  # with what ReLU keeps, and the winners' places
        kept = sum(times.get(type(layer), 0) * size for layer, size in outputs)
        return 2.0 * 2 * 4 * kept

    def step(self, pairs: int) -> Job:
        """Forward, backward and update."""
        left, right, targets = (torch.as_tensor(array) for array in batch(pairs))
        left, right = (self._laid_out(x) for x in (left, right))
        net = self._net()
        forward, optimizer = self._compiled(net), self._optimizer(net)

        def run() -> tuple[Tensor, tuple[Tensor, ...]]:
            loss, _, grads = self._loss_and_grads(net, forward, left, right, targets)
            _update(net, optimizer, grads)
            return loss, grads

        def named(output: tuple[Tensor, tuple[Tensor, ...]]) -> Results:
            loss, grads = output
            names = [name for name, _ in net.named_parameters()]
            return _arrays({"loss": loss} | dict(zip(names, grads, strict=True)))

        return Job(run, named, lambda: _copies(net))

    def learn(self, pairs: int) -> Job:
        """From indices to the loss and the accuracy."""
        net, indices = self._net(), draw(pairs)
        step = self._learner(net)
        return Job(lambda: step(*indices), _loss, lambda: _copies(net))

    def embed(self, count: int) -> Job:
        """Embed images."""
        net, images = self._net(), torch.as_tensor(many_images(count))
        forward = self._compiled(net.embed)

        @torch.no_grad()
        def run() -> Tensor:
            parts = torch.arange(count).split(EMBED_BATCH)
            taken = (self._laid_out(gather(images, part, torch.float32)) for part in parts)
            return torch.cat([forward(part) for part in taken])

        return Job(run, lambda found: _arrays({"embeddings": found}))

    def pairs(self, pairs: int) -> Job:
        """Draw a batch and take its images."""
        images = torch.as_tensor(digits()[0])

        def run() -> list[Tensor]:
            indices = draw(pairs)[:2]
            return [gather(images, torch.as_tensor(index), torch.float32) for index in indices]

        return Job(run, lambda found: _arrays(dict(zip(("left", "right"), found, strict=True))))

    def epoch(self, batches: int) -> Job:
        """Learn so many batches of 100 pairs."""
        net = self._net()
        step = self._learner(net)

        def run() -> tuple[float, float]:
            for k in range(batches):
                reported = step(*draw(100, k))
            return reported

        return Job(run, _loss, lambda: _copies(net))

    def operation(self, name: str, images: int, direction: str) -> Job:
        """Run one operation."""
        return operation_job(name, images, direction, "cpu", self.operations, self._laid_out)

    def _net(self) -> SiameseNet:
        net = initialize(0, torch.float32)
        net.load_state_dict(initial_weights())
        if self.channels_last:
            net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return net

    def _optimizer(self, net: SiameseNet) -> torch.optim.SGD:
        return torch.optim.SGD(net.parameters(), lr=LR, momentum=MOMENTUM)

    def _compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if self.compile_mode is None:
            return function
        return torch.compile(function, mode=self.compile_mode, dynamic=False)

    def _loss_and_grads(
        self,
        net: SiameseNet,
        forward: Callable[..., Tensor],
        left: Tensor,
        right: Tensor,
        targets: Tensor,
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        probs = forward(left, right)
        loss = F.binary_cross_entropy(probs, targets)
        grads = torch.autograd.grad(loss, list(net.parameters()))
        return loss.detach(), probs.detach(), grads

    def _learner(self, net: SiameseNet) -> Callable[..., tuple[float, float]]:
        images = torch.as_tensor(digits()[0])
        forward, optimizer = self._compiled(net), self._optimizer(net)

        def step(left_index: Any, right_index: Any, targets: Any) -> tuple[float, float]:
            left, right = (
                self._laid_out(gather(images, torch.as_tensor(index), torch.float32))
                for index in (left_index, right_index)
            )
            truth = torch.as_tensor(targets)
            loss, probs, grads = self._loss_and_grads(net, forward, left, right, truth)
            _update(net, optimizer, grads)
            return loss.item(), accuracy(probs, truth)

        return step

    def _laid_out(self, x: Tensor) -> Tensor:
        """Return images or kernels in this backend's layout.

        Not by `contiguous`: with one channel, or one row and column, a tensor is contiguous in
        both layouts and stays as it is, and operations on it go by its strides.
        """
        if self.channels_last and x.ndim == 4:
            return x.to(memory_format=torch.channels_last)
        return x


def _update(net: SiameseNet, optimizer: torch.optim.SGD, grads: tuple[Tensor, ...]) -> None:
    for parameter, grad in zip(net.parameters(), grads, strict=True):
        parameter.grad = grad
    optimizer.step()


def _loss(reported: tuple[float, float]) -> Results:
    return {"loss": np.asarray(reported[0])}


def _copies(net: SiameseNet) -> Results:
    return {name: array.copy() for name, array in _arrays(dict(net.named_parameters())).items()}


def _arrays(tensors: dict[str, Tensor]) -> Results:
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()}
