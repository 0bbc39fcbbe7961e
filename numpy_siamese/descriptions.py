"""Descriptions of layers: output shape, weights and cost for one image, in no framework."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """A layer. Unless a subclass says otherwise, it has no weights and keeps the shape."""

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the weight and the bias, if the layer has them."""
        return ()

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the output for one image of a given shape."""
        return shape

    def products(self, shape: Shape) -> int:
        """Return the number of multiplications in the layer's matrix product, for one image."""
        return 0


@dataclass(frozen=True)
class Weighted(Layer):
    """A layer with a weight, and mostly a bias. Its name begins their names in the state dict."""

    name: str
    has_bias: ClassVar[bool] = True

    @property
    def parameter_names(self) -> tuple[str, ...]:
        return (f"{self.name}.weight", f"{self.name}.bias")[: 1 + self.has_bias]

    def weight_shape(self, shape: Shape) -> Shape:
        """Return the shape of the weight, outputs first; the bias has one number per output."""
        raise NotImplementedError


@dataclass(frozen=True)
class Conv2d(Weighted):
    """Convolve with square kernels: stride 1, no padding. (C, H, W) → (O, H − K + 1, W − K + 1)."""

    out_channels: int
    kernel_size: int

    def output_shape(self, shape: Shape) -> Shape:
        _, H, W = shape
        return self.out_channels, H - self.kernel_size + 1, W - self.kernel_size + 1

    def weight_shape(self, shape: Shape) -> Shape:
        return self.out_channels, shape[0], self.kernel_size, self.kernel_size

    def products(self, shape: Shape) -> int:
        _, *positions = Conv2d.output_shape(self, shape)
        return prod(positions) * prod(self.weight_shape(shape))


@dataclass(frozen=True)
class ReLU(Layer):
    """Rectify."""


@dataclass(frozen=True)
class Sigmoid(Layer):
    """Squash each number to between 0 and 1."""


@dataclass(frozen=True)
class Scale(Layer):
    """Multiply each number by a constant: y = factor · x. Nothing of it is learned."""

    factor: float


@dataclass(frozen=True)
class MaxPool2d(Layer):
    """Take the maximum of adjacent square windows. (C, H, W) → (C, ⌊H/K⌋, ⌊W/K⌋)."""

    kernel_size: int

    def output_shape(self, shape: Shape) -> Shape:
        C, H, W = shape
        return C, H // self.kernel_size, W // self.kernel_size


@dataclass(frozen=True)
class Flatten(Layer):
    """Lay the feature maps of an image in a row, channel-major. (C, H, W) → (C·H·W,)."""

    def output_shape(self, shape: Shape) -> Shape:
        return (prod(shape),)


@dataclass(frozen=True)
class Linear(Weighted):
    """Apply an affine map. (I,) → (O,)."""

    out_features: int

    def output_shape(self, shape: Shape) -> Shape:
        return (self.out_features,)

    def weight_shape(self, shape: Shape) -> Shape:
        return self.out_features, *shape

    def products(self, shape: Shape) -> int:
        return prod(self.weight_shape(shape))


@dataclass(frozen=True)
class Projection(Linear):
    """Apply a linear map: no bias, which would cancel in the difference of two embeddings."""

    has_bias = False


@dataclass(frozen=True)
class ConvReLUPool(Conv2d):
    """Conv2d, ReLU and MaxPool2d(2) as one layer.

    Parameters
    ----------
    name, out_channels, kernel_size
        As of `Conv2d`.
    read : (rows, columns)
        How much of its input it reads, from the first pixel on.
    """

    read: Shape

    def output_shape(self, shape: Shape) -> Shape:
        return self.out_channels, *((n - self.kernel_size + 1) // 2 for n in self.read)

    def products(self, shape: Shape) -> int:
        return super().products((shape[0], *self.read))
