"""PyTorch: eager, channels-last and compiled, on the CPU and on CUDA, in several precisions."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
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
from benchmarks.layers import LAYERS
from numpy_siamese.architectures import MNIST, Conv2d, MaxPool2d
from torch_siamese.data import gather
from torch_siamese.evaluation import accuracy
from torch_siamese.initialization import initialize
from torch_siamese.model import SiameseNet

UNIT_ROUNDOFF = {"float32": 2.0**-24, "tf32": 2.0**-11, "bfloat16": 2.0**-8}

EMBED_BATCH = 100
"""Images embedded at a time: of 50 to 2,000, about where it is fastest on the CPU."""

OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "conv2d": lambda x, weight, bias: F.conv2d(x, weight, bias),
    "relu": lambda x: F.relu(x),
    "max_pool2d": lambda x, kernel_size: F.max_pool2d(x, kernel_size),
    "conv_relu_pool": lambda x, weight, bias: F.max_pool2d(F.relu(F.conv2d(x, weight, bias)), 2),
    "linear": lambda x, weight, bias: F.linear(x, weight, bias),
    "l1_distance": lambda left, right: torch.abs(left - right),
    "sigmoid": lambda x: torch.sigmoid(x),
    "binary_cross_entropy": lambda probs, target: F.binary_cross_entropy(probs, target),
}


class TorchBackend(Backend):
    """`torch_siamese` in one mode.

    Parameters
    ----------
    name : str
    device : 'cpu' or 'cuda'
    channels_last : whether images and kernels lie channel by channel innermost
    compile_mode : mode of `torch.compile`; 'reduce-overhead' replays CUDA graphs; None for eager
    precision : 'float32', 'tf32' (products on tensor cores) or 'bfloat16' (autocast)
    """

    operations = OPERATIONS
    _compiled_for = 0
    _threads = 1

    def __init__(
        self,
        name: str,
        device: str = "cpu",
        channels_last: bool = False,
        compile_mode: str | None = None,
        precision: str = "float32",
    ) -> None:
        super().__init__(name)
        self.device = device
        if device == "cpu":
            self.most_pairs = 2_000  # 10,000 take 14 s in one piece; torch-tuned has micro-batches
        self.channels_last = channels_last
        self.compile_mode = compile_mode
        if compile_mode:
            self.leaves_out = dict.fromkeys(
                ("learn", "pairs", "epoch", "operations", "scaling"),
                "compiled anew for every piece of work; measured in step and embed",
            )
        self.precision = precision
        self.unit_roundoff = UNIT_ROUNDOFF[precision]

    @property
    def missing(self) -> str | None:
        """Why it cannot run here."""
        if self.device == "cuda" and not torch.cuda.is_available():
            return "no CUDA device"
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
        """See that threads, layout, precision and compilation are those of the name."""
        if self.compile_mode:
            with verification.compiled(self.compile_mode):
                yield
            return
        checks = [verification.on_threads(self._threads)]
        if self.channels_last:
            checks.append(verification.channels_last)
        if self.precision == "bfloat16":
            checks.append(verification.in_bfloat16)
        with verification.Watch(*checks):
            yield

    def enter(self) -> None:
        """Switch TF32 on or off."""
        if self.device == "cuda":
            torch.backends.cuda.matmul.allow_tf32 = self.precision == "tf32"
            torch.backends.cudnn.allow_tf32 = self.precision == "tf32"

    def synchronize(self) -> None:
        """Wait for the device."""
        if self.device == "cuda":
            torch.cuda.synchronize()

    def bytes_per_pair(self) -> float:
        """Return the size of what autograd keeps of two images, and as much again for gradients."""
        outputs = [(layer, prod(layer.output_shape(shape))) for layer, shape in MNIST.with_shapes()]
        times = {Conv2d: 2, MaxPool2d: 3}  # with what ReLU keeps, and the winners' places
        kept = sum(times.get(type(layer), 0) * size for layer, size in outputs)
        return 2.0 * 2 * 4 * kept

    def peak_bytes(self, run: Callable[[], Any]) -> int | None:
        """Return the most memory that PyTorch allocates on the device during a run."""
        if self.device != "cuda":
            return None
        torch.cuda.reset_peak_memory_stats()
        run()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated()

    def step(self, pairs: int) -> Job:
        """Forward, backward and update."""
        left, right, targets = (self._to_device(array) for array in batch(pairs))
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
        net, images = self._net(), many_images(count)
        forward = self._compiled(net.embed)

        @torch.no_grad()
        def run() -> Tensor:
            on_device = self._to_device(images)
            parts = torch.arange(count, device=self.device).split(EMBED_BATCH)
            found = []
            with self._autocast():
                for part in parts:
                    embeddings = forward(self._laid_out(gather(on_device, part, torch.float32)))
                    # copied, because a CUDA graph writes the next part over this one
                    found.append(embeddings.to(torch.float32, copy=True))
            return torch.cat(found).cpu()

        return Job(run, lambda found: _arrays({"embeddings": found}))

    def pairs(self, pairs: int) -> Job:
        """Draw a batch, transfer its indices and take its images."""
        images = self._to_device(digits()[0])

        def run() -> list[Tensor]:
            indices = draw(pairs)[:2]
            return [gather(images, self._to_device(index), torch.float32) for index in indices]

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
        layer = LAYERS[name]
        tensors = {
            key: self._laid_out(torch.tensor(np.ascontiguousarray(array), device=self.device))
            for key, array in layer.arrays(images).items()
        }
        wanted = [t.requires_grad_() for key, t in tensors.items() if key != "target"]
        function = partial(self.operations[layer.operation], **tensors, **dict(layer.options))
        with self._autocast_for(layer.operation):
            y = function()
        dy = torch.ones_like(y)

        def forward() -> Tensor:
            with self._autocast_for(layer.operation):
                return function()

        def backward() -> tuple[Tensor, ...]:
            return torch.autograd.grad(y, wanted, dy, retain_graph=True)

        if direction == "forward":
            return Job(forward, lambda y: _arrays({"y": y}))
        return Job(
            backward, lambda grads: _arrays({f"gradient {k}": g for k, g in enumerate(grads)})
        )

    def _net(self) -> SiameseNet:
        net = initialize(0, torch.float32)
        net.load_state_dict(initial_weights())
        net = net.to(self.device)
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
        with self._autocast():
            probs = forward(left, right)
        loss = F.binary_cross_entropy(probs.float(), targets)
        grads = torch.autograd.grad(loss, list(net.parameters()))
        return loss.detach(), probs.detach(), grads

    def _learner(self, net: SiameseNet) -> Callable[..., tuple[float, float]]:
        images = self._to_device(digits()[0])
        forward, optimizer = self._compiled(net), self._optimizer(net)

        def step(left_index: Any, right_index: Any, targets: Any) -> tuple[float, float]:
            left, right = (
                self._laid_out(gather(images, self._to_device(index), torch.float32))
                for index in (left_index, right_index)
            )
            on_device = self._to_device(targets)
            loss, probs, grads = self._loss_and_grads(net, forward, left, right, on_device)
            _update(net, optimizer, grads)
            return loss.item(), accuracy(probs, on_device)

        return step

    def _autocast(self) -> torch.autocast:
        return torch.autocast(
            self.device, dtype=torch.bfloat16, enabled=self.precision == "bfloat16"
        )

    def _autocast_for(self, operation: str) -> torch.autocast:
        """Leave out the cross-entropy, which refuses half precision."""
        wanted = self.precision == "bfloat16" and operation != "binary_cross_entropy"
        return torch.autocast(self.device, dtype=torch.bfloat16, enabled=wanted)

    def _laid_out(self, x: Tensor) -> Tensor:
        """Return images or kernels in this backend's layout.

        Not by `contiguous`: with one channel, or one row and column, a tensor is contiguous in
        both layouts and stays as it is, and operations on it go by its strides.
        """
        if self.channels_last and x.ndim == 4:
            return x.to(memory_format=torch.channels_last)
        return x

    def _to_device(self, array: Any) -> Tensor:
        return torch.as_tensor(array).to(self.device)


def _update(net: SiameseNet, optimizer: torch.optim.SGD, grads: tuple[Tensor, ...]) -> None:
    for parameter, grad in zip(net.parameters(), grads, strict=True):
        parameter.grad = grad
    optimizer.step()


def _loss(reported: tuple[float, float]) -> Results:
    return {"loss": np.asarray(reported[0])}


def _copies(net: SiameseNet) -> Results:
    return {name: array.copy() for name, array in _arrays(dict(net.named_parameters())).items()}


def _arrays(tensors: dict[str, Tensor]) -> Results:
    return {name: tensor.detach().float().cpu().numpy() for name, tensor in tensors.items()}
