"""What a network does on its way: every operation with the inputs and the cotangent it had.

A whole network in float32 leaves a worst-case analysis no digits. Its single operations do not:
each is held against float64 and against the other package on exactly the inputs that it had, so
that every number either network computes is explained by the numbers it was computed from.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode

from numpy_siamese import functional, layers, model, training

Array = np.ndarray

ARGUMENTS = {
    "conv2d": ("x", "weight", "bias"),
    "conv_relu_pool": ("x", "weight", "bias"),
    "max_pool2d": ("x",),
    "relu": ("x",),
    "linear": ("x", "weight", "bias"),
    "l1_distance": ("left", "right"),
    "sigmoid": ("x",),
    "binary_cross_entropy": ("probs", "target"),
}


def differentiable(name: str) -> list[str]:
    """Return the arguments that an operation gives gradients for: all but the targets."""
    return [argument for argument in ARGUMENTS[name] if argument != "target"]


@dataclass
class Call:
    """One operation as a network performed it; `results` by quantity, as in `harness`."""

    name: str
    arrays: dict[str, Array]
    options: dict[str, Any]
    results: dict[str, Array]
    dy: Array | None = None


class _RecordingFunctional:
    """`numpy_siamese.functional`, keeping each call."""

    def __init__(self, calls: list[Call]) -> None:
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        operation = getattr(functional, name)
        return _recording(operation, self._calls) if name in ARGUMENTS else operation


def _recording(operation: Callable[..., Any], calls: list[Call]) -> Callable[..., Any]:
    """Return the operation, keeping each call."""
    name = operation.__name__

    def recorded(*args: Any, **options: Any) -> tuple[Array, Callable[..., Any]]:
        y, pullback = operation(*args, **options)
        arrays = dict(zip(ARGUMENTS[name], args, strict=False))  # a flag may follow
        call = Call(name, arrays, options, {"y": y.copy()})
        calls.append(call)

        def recorded_pullback(dy: Any, *flags: Any, **keywords: Any) -> tuple[Any, ...]:
            grads = pullback(dy, *flags, **keywords)
            call.dy = np.asarray(dy, y.dtype)
            for argument, grad in zip(differentiable(name), grads, strict=True):
                if grad is not None:
                    call.results[f"d{argument}"] = np.array(grad)
            return grads

        return y, recorded_pullback

    return recorded


@contextmanager
def numpy_calls() -> Iterator[list[Call]]:
    """Record what the NumPy network does; use one thread inside."""
    calls: list[Call] = []
    with pytest.MonkeyPatch.context() as patch:
        for module in (layers, model, training):
            patch.setattr(module, "F", _RecordingFunctional(calls))
        yield calls


@dataclass
class _TorchRecorder(TorchFunctionMode):
    """Keeps each call; every input is aliased, so that its gradient is that of this call alone."""

    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._differences: dict[int, list[torch.Tensor]] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name == "sub":
            args = [_alias(a) for a in args]
            y = func(*args, **kwargs)
            self._differences[id(y)] = args
            return y
        if name == "abs":
            return self._keep("l1_distance", self._differences.pop(id(args[0])), func(*args), {})
        if name not in ARGUMENTS:
            return func(*args, **kwargs)
        args = [_alias(a) for a in args]
        options = {"reduction": kwargs["reduction"]} if "reduction" in kwargs else {}
        if name == "max_pool2d":
            options = {"kernel_size": args[1]}
        return self._keep(name, args, func(*args, **kwargs), options)

    def _keep(self, name: str, inputs: Any, y: torch.Tensor, options: dict[str, Any]) -> Any:
        arguments = dict(zip(ARGUMENTS[name], inputs, strict=False))
        arrays = {argument: tensor.detach().numpy() for argument, tensor in arguments.items()}
        call = Call(name, arrays, options, {"y": y.detach().numpy().copy()})
        self.calls.append(call)

        def keep_cotangent(dy: torch.Tensor) -> None:
            call.dy = dy.numpy().copy()

        y.register_hook(keep_cotangent)
        for argument in differentiable(name):
            tensor = arguments[argument]
            if tensor.requires_grad:

                def keep_gradient(grad: torch.Tensor, quantity: str = f"d{argument}") -> None:
                    call.results[quantity] = grad.numpy().copy()

                tensor.register_hook(keep_gradient)
        return y


def torch_calls() -> _TorchRecorder:
    """Record what the PyTorch network does, as a context manager whose `calls` is the list."""
    return _TorchRecorder()


def _alias(value: Any) -> Any:
    return value.view_as(value) if isinstance(value, torch.Tensor) else value
