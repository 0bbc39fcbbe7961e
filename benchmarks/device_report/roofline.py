"""Part: one layer's function, forward and backward, held against what the device can do.

The functions are PyTorch's own, at the network's shapes. Layers that a mode joins are also there
as one: layer1 and layer2 are a convolution with its ReLU and pooling, one after the other.
"""

from functools import partial

import torch
from torch import Tensor

from benchmarks.backends.torch_operations import OPERATIONS
from benchmarks.device_report.clock import best, timer_of
from benchmarks.device_report.precision import dtype_of, rounding
from benchmarks.layers import LAYERS

ALWAYS_FLOAT32 = ("binary_cross_entropy",)
"""Functions that refuse half precision."""


def measure(
    device: str, precision: str, layer: str, images: int, seconds: float
) -> dict[str, dict[str, float]]:
    """Return operations, bytes and seconds of a layer, forward and backward.

    Parameters
    ----------
    device : 'cpu' or 'cuda'
    precision : one of `plan.PRECISIONS`
    layer : one of `benchmarks.layers.LAYERS`
    images : how many, or pairs behind the network
    seconds : about how long either direction is repeated
    """
    described = LAYERS[layer]
    dtype = torch.float32 if described.operation in ALWAYS_FLOAT32 else dtype_of(precision)
    tensors = {
        name: _drawn(name, shape, device).to(dtype)
        for name, shape in described.shapes(images).items()
    }
    function = partial(OPERATIONS[described.operation], **tensors, **dict(described.options))
    with rounding(device, precision):
        wanted = [t.requires_grad_() for name, t in tensors.items() if name != "target"]
        y = function()
        dy = torch.ones_like(y)

        def backward() -> tuple[Tensor, ...]:
            return torch.autograd.grad(y, wanted, dy, retain_graph=True)

        found = {}
        for direction, run in (("forward", function), ("backward", backward)):
            found[direction] = {
                "flops": described.flops(images, direction),
                "bytes": described.traffic(images, direction) * dtype.itemsize / 4,
                "seconds": best(run, device, timer_of(device), seconds),
            }
        return found


def _drawn(name: str, shape: tuple[int, ...], device: str) -> Tensor:
    """Draw an argument where it is used: for many images the host would take seconds."""
    draw = torch.rand if name in ("probs", "target") else torch.randn
    return draw(shape, device=device)
