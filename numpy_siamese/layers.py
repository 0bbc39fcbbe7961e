"""Layers: functions with weights, each of which returns its output and its pullback.

    y, pullback = layer(x)
    grads, dx = pullback(dy)         # grads: by the names of the layer's parameters

No layer remembers anything between calls. The classes have the names of `torch.nn`. A `Sequential`
runs its layers one after the other, as `architectures` lists them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from numpy_siamese import architectures
from numpy_siamese import functional as F
from numpy_siamese._windows import batch_innermost
from numpy_siamese.architectures import Architecture, Weighted

Array = np.ndarray
Gradients = dict[str, Array]
Pullback = Callable[..., tuple[Gradients, Any]]


class Layer(Protocol):
    """What a layer does."""

    def __call__(self, x: Array, needs_pullback: bool = True) -> tuple[Array, Any]:
        """Return y and its pullback, dy → (grads, dx).

        The pullback takes ``needs_input_grad``. A layer may return None in place of a pullback or
        a dx that is not needed.
        """


@dataclass(frozen=True, eq=False)
class Conv2d:
    """y = conv2d(x, weight, bias).

    Attributes
    ----------
    described : architectures.Conv2d
    weight : (O, C, K, K)
    bias : (O,)
    """

    described: Weighted
    weight: Array
    bias: Array

    def __call__(self, x: Array, needs_pullback: bool = True) -> tuple[Array, Pullback]:
        y, conv2d = F.conv2d(x, self.weight, self.bias)

        def pullback(dy: Array, needs_input_grad: bool = True) -> tuple[Gradients, Array]:
            dx, dweight, dbias = conv2d(dy)
            return _named(self.described, dweight, dbias), dx

        return y, pullback


@dataclass(frozen=True, eq=False)
class Linear:
    """y = x wᵀ + b.

    Attributes
    ----------
    described : architectures.Linear
    weight : (O, I)
    bias : (O,), optional
    """

    described: Weighted
    weight: Array
    bias: Array | None = None

    def __call__(self, x: Array, needs_pullback: bool = True) -> tuple[Array, Pullback]:
        y, linear = F.linear(x, self.weight, self.bias)

        def pullback(dy: Array, needs_input_grad: bool = True) -> tuple[Gradients, Array]:
            dx, dweight, dbias = linear(dy)
            return _named(self.described, dweight, dbias), dx

        return y, pullback


@dataclass(frozen=True)
class ReLU:
    """y = x where x > 0, else 0.

    Attributes
    ----------
    described : architectures.ReLU
    """

    described: architectures.ReLU

    def __call__(self, x: Array, needs_pullback: bool = True) -> tuple[Array, Pullback]:
        y, relu = F.relu(x)
        return y, lambda dy, needs_input_grad=True: ({}, *relu(dy))


@dataclass(frozen=True)
class Sigmoid:
    """y = 1 / (1 + e⁻ˣ).

    Attributes
    ----------
    described : architectures.Sigmoid
    """

    described: architectures.Sigmoid

    def __call__(self, x: Array, needs_pullback: bool = True) -> tuple[Array, Pullback]:
        y, sigmoid = F.sigmoid(x)
        return y, lambda dy, needs_input_grad=True: ({}, *sigmoid(dy))


@dataclass(frozen=True)
class Scale:
    """y = factor · x, dx = factor · dy; the factor is first rounded to the dtype of x.

    Attributes
    ----------
    described : architectures.Scale
    """

    described: architectures.Scale

    def __call__(self, x: Array, needs_pullback: bool = True) -> tuple[Array, Pullback]:
        return self._scaled(x), lambda dy, needs_input_grad=True: ({}, self._scaled(dy))

    def _scaled(self, x: Array) -> Array:
        with np.errstate(under="ignore"):
            return x * self.described.factor


@dataclass(frozen=True)
class MaxPool2d:
    """The maximum of each window.

    Attributes
    ----------
    described : architectures.MaxPool2d
    """

    described: architectures.MaxPool2d

    def __call__(self, x: Array, needs_pullback: bool = True) -> tuple[Array, Pullback]:
        y, max_pool2d = F.max_pool2d(x, self.described.kernel_size)
        return y, lambda dy, needs_input_grad=True: ({}, *max_pool2d(dy))


@dataclass(frozen=True)
class Flatten:
    """(N, C, H, W) → (N, C·H·W), channel-major; no copy if the batch is innermost in memory.

    Attributes
    ----------
    described : architectures.Flatten
    """

    described: architectures.Flatten

    def __call__(self, x: Array, needs_pullback: bool = True) -> tuple[Array, Pullback]:
        N, C, H, W = x.shape
        y = batch_innermost(x).reshape(C * H * W, N).T
        return y, lambda dy, needs_input_grad=True: ({}, dy.reshape(N, C, H, W))


@dataclass(frozen=True, eq=False)
class ConvReLUPool:
    """y = max_pool2d(relu(conv2d(x, weight, bias)), 2), of the part of x that it reads.

    Attributes
    ----------
    described : architectures.ConvReLUPool
    weight : (O, C, K, K)
    bias : (O,)
    """

    described: architectures.ConvReLUPool
    weight: Array
    bias: Array

    def __call__(self, x: Array, needs_pullback: bool = True) -> tuple[Array, Pullback | None]:
        rows, columns = self.described.read
        part = x[:, :, :rows, :columns]
        y, conv_relu_pool = F.conv_relu_pool(part, self.weight, self.bias, needs_pullback)
        if not needs_pullback:
            return y, None

        def pullback(dy: Array, needs_input_grad: bool = True) -> tuple[Gradients, Array | None]:
            dpart, dweight, dbias = conv_relu_pool(dy, needs_input_grad)
            dx = dpart
            if needs_input_grad and part.shape != x.shape:
                dx = np.zeros_like(x)
                dx[:, :, :rows, :columns] = dpart
            return _named(self.described, dweight, dbias), dx

        return y, pullback


KINDS: dict[type[architectures.Layer], Callable[..., Layer]] = {
    architectures.Conv2d: Conv2d,
    architectures.ReLU: ReLU,
    architectures.Sigmoid: Sigmoid,
    architectures.Scale: Scale,
    architectures.MaxPool2d: MaxPool2d,
    architectures.Flatten: Flatten,
    architectures.Linear: Linear,
    architectures.Projection: Linear,
    architectures.ConvReLUPool: ConvReLUPool,
}
"""The class here that computes each kind of layer in `architectures`."""


class Sequential:
    """Layers, one after the other.

    Parameters
    ----------
    architecture : Architecture
    parameters : mapping of name → array
        ``{layer}.weight`` and ``{layer}.bias`` of each layer that has weights.
    """

    def __init__(self, architecture: Architecture, parameters: Mapping[str, Array]) -> None:
        self._parameters = dict(parameters)
        self.layers: list[Layer] = []
        for described in architecture.layers:
            weights = (parameters[name] for name in described.parameter_names)
            self.layers.append(KINDS[type(described)](described, *weights))
        learned = (bool(described.parameter_names) for described in architecture.layers)
        self._unlearned = list(learned).index(True)  # layers before the first with weights

    def parameters(self) -> dict[str, Array]:
        """Return the arrays in use, by name.

        Returns
        -------
        dict of name → array
        """
        return dict(self._parameters)

    def __call__(self, x: Array, needs_pullback: bool = True) -> tuple[Array, Any]:
        """Return the last layer's output and the pullback: dy → (grads, dx)."""
        pullbacks: list[Pullback] = []
        for layer in self.layers:
            x, pullback = layer(x, needs_pullback)
            if needs_pullback:
                pullbacks.append(pullback)
        return x, self._pullback(pullbacks) if needs_pullback else None

    def _pullback(self, pullbacks: Sequence[Pullback]) -> Pullback:
        def pullback(dy: Array, needs_input_grad: bool = True) -> tuple[Gradients, Array | None]:
            grads: Gradients = {}
            first = 0 if needs_input_grad else self._unlearned
            for k in range(len(pullbacks) - 1, first - 1, -1):
                found, dy = pullbacks[k](dy, needs_input_grad or k > first)
                grads |= found
            in_order = {name: grads[name] for name in self._parameters}
            return in_order, dy if needs_input_grad else None

        return pullback


def _named(described: Weighted, *arrays: Array | None) -> Gradients:
    given = [array for array in arrays if array is not None]
    return dict(zip(described.parameter_names, given, strict=True))
