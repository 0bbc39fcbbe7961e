"""PyTorch as one would tune it by hand for a CPU: the fastest it has been seen to do this."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.backends import verification
from benchmarks.backends.base import LR, MOMENTUM
from benchmarks.backends.torch_backend import TorchBackend
from benchmarks.backends.torch_operations import OPERATIONS
from torch_siamese import tuned
from torch_siamese.modes import MICRO_BATCH, Backward
from torch_siamese.tuned import TunedNet


class TunedTorchBackend(TorchBackend):
    """PyTorch by hand, in float32 on the CPU."""

    operations = OPERATIONS | {
        "conv_relu_pool": lambda x, weight, bias: F.max_pool2d(F.conv2d(x, weight, bias), 2).relu_()
    }

    def __init__(self, name: str) -> None:
        super().__init__(name, channels_last=True)
        self.most_pairs = math.inf

    @contextmanager
    def verified(self) -> Iterator[None]:
        """See that threads and layout are what they should be."""
        checks = verification.on_threads(self._threads), verification.activations_channels_last
        with verification.Watch(*checks):
            yield

    def bytes_per_pair(self) -> float:
        """Return the size of two images in float32; all else is a micro-batch's."""
        return 2 * 784 * 4

    def _net(self) -> Any:
        return TunedNet(super()._net(), tuned.TOGETHER)

    def _optimizer(self, net: Any) -> torch.optim.SGD:
        return torch.optim.SGD(net.parameters(), lr=LR, momentum=MOMENTUM, fused=True)

    def _loss_and_grads(
        self,
        net: Any,
        forward: Callable[..., Tensor],
        left: Tensor,
        right: Tensor,
        targets: Tensor,
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Compute as the mode tuned of `torch_siamese` does."""
        loss, probs = Backward(net, left.device, micro_batch=MICRO_BATCH)(left, right, targets)
        return loss, probs, tuple(weight.grad for weight in net.parameters())
