"""PyTorch's functions at the network's shapes, one at a time."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.backends.base import Job, Results
from benchmarks.layers import LAYERS

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


def operation_job(
    name: str,
    images: int,
    direction: str,
    device: str,
    operations: Mapping[str, Callable[..., Tensor]] = OPERATIONS,
    laid_out: Callable[[Tensor], Tensor] = lambda x: x,
) -> Job:
    """Prepare one operation.

    Parameters
    ----------
    name : str
        Of `layers.LAYERS`.
    images : how many, or pairs behind the network
    direction : 'forward' or 'backward'
    device : 'cpu' or 'cuda'
    operations : functions by the name of an operation
    laid_out : puts an argument in the layout of a backend
    """
    layer = LAYERS[name]
    tensors = {
        key: laid_out(torch.tensor(np.ascontiguousarray(array), device=device))
        for key, array in layer.arrays(images).items()
    }
    wanted = [t.requires_grad_() for key, t in tensors.items() if key != "target"]
    forward = partial(operations[layer.operation], **tensors, **dict(layer.options))
    y = forward()
    dy = torch.ones_like(y)

    def backward() -> tuple[Tensor, ...]:
        return torch.autograd.grad(y, wanted, dy, retain_graph=True)

    if direction == "forward":
        return Job(forward, lambda y: _arrays({"y": y}))
    return Job(backward, lambda grads: _arrays({f"gradient {k}": g for k, g in enumerate(grads)}))


def _arrays(tensors: Mapping[str, Tensor]) -> Results:
    return {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
