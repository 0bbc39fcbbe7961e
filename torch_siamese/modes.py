"""The modes of a step: how the loss of a batch and its gradients are computed."""

import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from numpy_siamese.errors import InputError
from torch_siamese.all_pairs import AllPairs, contrast
from torch_siamese.config import TrainConfig
from torch_siamese.model import SiameseNet
from torch_siamese.settings import plain_arithmetic
from torch_siamese.tuned import tuned

MICRO_BATCH = 200
"""Pairs at a time of larger batches on a CPU, in the mode tuned: few enough for its cache."""

COMPILERS = ("c++", "g++", "clang++", "cl")


REMARKS = {
    "tuned": "--mode auto: tuned, which measured fastest on a CPU",
    "graph": "--mode auto: graph, a CUDA graph of many steps",
}
OF_CHANGING_RATES = "--mode auto: tuned, as rates that change are not captured"
OF_IMAGES = "--mode auto: tuned, as batches of images are not captured"
OF_SEVERAL = "--mode auto: tuned, as the steps of several processes are not captured"


def selected(config: TrainConfig, device: torch.device, alone: bool = True) -> str:
    """Return the mode that `--mode` names. auto is tuned on a CPU, and graph on a GPU.

    The steps of several processes, of batches of images, or with rates that change, are not
    captured. So auto is tuned for those.

    Parameters
    ----------
    config : TrainConfig
    device : torch.device
    alone : bool
        Whether one process trains.

    Raises
    ------
    InputError
        The mode or the precision needs a GPU or a compiler, and there is none. The mode is for one
        process, or for rates that stay.
    """
    mode, changing = config.mode, _changing(config)
    if mode == "graph" and device.type == "cpu":
        raise InputError("--mode graph: found the device cpu, expected --device cuda, or auto")
    if mode == "graph" and not alone:
        raise InputError("--mode graph: found several processes, expected one, or --mode auto")
    if config.loss == "n-pair" and not alone:
        raise InputError("--loss n-pair: found several processes, expected one")
    if mode == "graph" and config.from_images:
        raise InputError(
            "--mode graph: found batches of images, expected --loss bce with neither --rotations "
            "nor --distortions, or --mode auto"
        )
    if mode == "graph" and changing:
        raise InputError(f"--mode graph: found {changing}, or --mode auto")
    if mode == "compile" and device.type == "cpu" and not has_compiler():
        raise InputError("--mode compile: found no C++ compiler, expected one, or another mode")
    if config.precision == "tf32" and device.type == "cpu":
        raise InputError("--precision tf32: found the device cpu, expected --device cuda")
    if mode == "auto":
        captured = device.type != "cpu" and alone and not (config.from_images or changing)
        return "graph" if captured else "tuned"
    return mode


def remarks(config: TrainConfig, mode: str, device: torch.device, alone: bool) -> list[str]:
    """Return what a run says of the mode that auto has selected."""
    if config.mode != "auto":
        return []
    if device.type == "cpu" or mode == "graph":
        return [REMARKS[mode]]
    if not alone:
        return [OF_SEVERAL]
    return [OF_CHANGING_RATES if _changing(config) else OF_IMAGES]


def _changing(config: TrainConfig) -> str:
    """Return why numbers of the host change from step to step, or nothing."""
    if config.optimizer == "adam":
        return "--optimizer adam, expected sgd"
    if config.schedule != "constant":
        return f"--schedule {config.schedule}, expected constant"
    return ""


def has_compiler() -> bool:
    """Return whether there is a compiler of C++, which PyTorch needs to compile for a CPU."""
    return any(map(shutil.which, (os.environ.get("CXX", ""), *COMPILERS)))


class Backward:
    """Loss and verdicts of a batch. The gradients are left with the parameters.

    Parameters
    ----------
    forward : module
        (left, right) → probs (N, 1), or what else the loss takes.
    device : torch.device
    half : bool
        Whether affine maps round their factors to bfloat16 (autocast). The loss is never rounded.
    micro_batch : int, optional
        Pairs at a time of a larger batch. Default: all.
    loss : function, optional
        (what `forward` returns, targets) → scalar. Default: `cross_entropy`.
    """

    def __init__(
        self,
        forward: nn.Module,
        device: torch.device,
        half: bool = False,
        micro_batch: int | None = None,
        loss: Callable[[Tensor, Tensor], Tensor] | None = None,
    ) -> None:
        self.loss = loss or cross_entropy
        self.forward, self.device, self.half = forward, device, half
        self.micro_batch = micro_batch
        self._parameters = list(forward.parameters())

    def __call__(self, left: Tensor, right: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the loss of a batch.

        Parameters
        ----------
        left, right : (N, 1, 28, 28)
        targets : (N, 1) of the same dtype

        Returns
        -------
        loss : scalar, in nats
            Where a probability is not finite, it takes ½ for it.
        probs : (N, 1)
        """
        for parameter in self._parameters:
            parameter.grad = None
        N, size = len(left), self.micro_batch or len(left)
        if size >= N:
            return self._of(left, right, targets, 1.0)
        losses, probs = [], []
        for start in range(0, N, size):
            part = slice(start, start + size)
            share = min(size, N - start) / N
            with nullcontext() if start + size >= N else self.more_to_come():
                found = self._of(left[part], right[part], targets[part], share)
            losses.append(found[0])
            probs.append(found[1])
        return torch.stack(losses).sum(), torch.cat(probs)

    def more_to_come(self) -> AbstractContextManager[None]:
        """Compute a part of a batch that is not the last."""
        return nullcontext()

    def _of(
        self, left: Tensor, right: Tensor, targets: Tensor, share: float
    ) -> tuple[Tensor, Tensor]:
        """Add the gradients of a part of the batch, which counts for its share."""
        with plain_arithmetic(self.device, half=self.half):
            probs = self.forward(left, right)
        with plain_arithmetic(self.device):
            probs = probs.to(targets.dtype)
            loss = self.loss(probs, targets)
            if share != 1:
                loss = loss * share
            loss.backward()
        return loss.detach(), probs.detach()


def in_mode(
    mode: str,
    net: SiameseNet,
    device: torch.device,
    half: bool = False,
    verdict_weight: float | None = None,
) -> Backward:
    """Return how a network on a device computes in a mode.

    Parameters
    ----------
    mode : 'eager', 'tuned', 'compile' or 'graph'
        eager runs the modules layer by layer. tuned runs them in the order of `tuned`. compile is
        tuned, compiled by `torch.compile`. graph computes as tuned does, to be captured.
    net : SiameseNet
    device : torch.device
    half : bool
        As of `Backward`.
    verdict_weight : float, optional
        If given, each left image is compared with each right one, and the loss is `contrast` with
        this weight.
    """
    siamese = net if mode == "eager" else tuned(net, device)
    if verdict_weight is None:
        in_parts = mode == "tuned" and device.type == "cpu"
        return Backward(_compiled(siamese, mode), device, half, MICRO_BATCH if in_parts else None)
    loss = partial(contrast, verdict_weight=verdict_weight)
    return Backward(_compiled(AllPairs(siamese), mode), device, half, loss=loss)


def _compiled(forward: nn.Module, mode: str) -> nn.Module:
    """Return the module, to be compiled at its first call in the mode compile."""
    if mode == "compile":
        forward.compile(dynamic=False)
    return forward


def cross_entropy(probs: Tensor, targets: Tensor) -> Tensor:
    """Return the mean binary cross-entropy, with ½ for a probability that is NaN.

    CUDA's cross-entropy asserts that it is given probabilities. After a failed assertion the
    process can no longer use the device. So it never gets a NaN.
    """
    return F.binary_cross_entropy(probs.masked_fill(probs.isnan(), 0.5), targets)
