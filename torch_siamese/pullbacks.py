"""The cases of `gradcheck` in PyTorch, with autograd's pullbacks."""

from typing import Any

import numpy as np
import torch
from torch.func import functional_call
from torch.nn import functional as TF

from numpy_siamese.gradients.cases import NETWORK, Case
from numpy_siamese.gradients.check import Function
from torch_siamese import functional
from torch_siamese.initialization import initialize
from torch_siamese.settings import plain_arithmetic

Array = np.ndarray

INPUTS = {"x": "input", "probs": "input", "logits": "input"}
"""What PyTorch calls the first argument."""


def of_case(case: Case) -> Function:
    """Return the operation of a case as a function of its arrays."""
    names = list(case.arrays)

    def f(*arrays: Array) -> tuple[Array, Any]:
        with plain_arithmetic(torch.device("cpu")):
            tensors = [torch.tensor(x, requires_grad=True) for x in arrays]
            y = _output(case, dict(zip(names, tensors, strict=True)))

        def pullback(dy: Any) -> tuple[Array, ...]:
            weights = torch.as_tensor(dy, dtype=y.dtype)
            return tuple(g.numpy() for g in torch.autograd.grad(y, tensors, weights))

        return y.detach().numpy(), pullback

    return f


def _output(case: Case, tensors: dict[str, Any]) -> torch.Tensor:
    if case.operation == NETWORK:
        weights = {name: tensors[name] for name in list(tensors)[2:]}
        net = initialize(0, torch.float64)
        return functional_call(net, weights, (tensors["left"], tensors["right"]))
    inputs = {INPUTS.get(name, name): tensor for name, tensor in tensors.items()}
    if case.operation == "l1_distance":
        return torch.abs(tensors["left"] - tensors["right"])
    if case.operation == "conv_relu_pool":
        return TF.max_pool2d(TF.relu(TF.conv2d(**inputs)), 2)
    options = {
        name: torch.tensor(value) if isinstance(value, np.ndarray) else value
        for name, value in case.options.items()
    }
    if hasattr(functional, case.operation):
        return getattr(functional, case.operation)(**tensors, **options)
    return getattr(TF, case.operation)(**inputs, **options)
