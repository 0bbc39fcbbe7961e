"""Networks as lists of layers, in no framework: both packages build their networks from these.

A layer here is a description: its output shape, its weights and its cost for one image.
`numpy_siamese.layers` and `torch_siamese.layers` say how it is computed: `KINDS` in each gives the
class that does it.

`fuse` rewrites a list of layers into one that computes the same for less work. Only
`numpy_siamese` runs the result.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import ClassVar

from numpy_siamese.descriptions import (
    Conv2d,
    ConvReLUPool,
    Flatten,
    Layer,
    Linear,
    MaxPool2d,
    Projection,
    ReLU,
    Scale,
    Shape,
    Sigmoid,
    Weighted,
)

__all__ = [
    "ARCHITECTURES",
    "KOCH",
    "MNIST",
    "MODERN",
    "Architecture",
    "ConstantHead",
    "Conv2d",
    "ConvReLUPool",
    "Flatten",
    "Layer",
    "Linear",
    "MaxPool2d",
    "NormalInitialization",
    "Projection",
    "ReLU",
    "Scale",
    "Shape",
    "Sigmoid",
    "Weighted",
    "fuse",
]


@dataclass(frozen=True)
class NormalInitialization:
    """Initial parameters drawn from normal distributions, each N(mean, std²).

    Parameters
    ----------
    conv2d, linear : float
        Standard deviation of the weights of convolutions and of linear layers. Their mean is 0.
    bias_mean, bias_std : float
        Of all biases.
    """

    conv2d: float
    linear: float
    bias_mean: float
    bias_std: float


@dataclass(frozen=True)
class ConstantHead:
    """A head that is not drawn: before training each feature weighs the same.

    With a negative weight it takes near embeddings for those of one class from the first step on.

    Parameters
    ----------
    weight, bias : float
    """

    weight: float
    bias: float


@dataclass(frozen=True)
class Architecture:
    """A Siamese network: the backbone that both twins share, and the head that compares.

    Parameters
    ----------
    name : str
    image_shape : (C, H, W)
    layers : of the backbone, from an image to its embedding
    initialization : NormalInitialization, optional
        Default: that of PyTorch's layers.
    first_head : ConstantHead, optional
        Default: drawn as the other layers are.

    Raises
    ------
    ValueError
        Two layers of one name.
    """

    name: str
    image_shape: Shape
    layers: tuple[Layer, ...]
    initialization: NormalInitialization | None = None
    first_head: ConstantHead | None = None
    head: ClassVar = Linear("fc1", 1)
    """From |left − right| of two embeddings to the logit, in every network."""

    def __post_init__(self) -> None:
        names = [layer.name for layer in self.layers if isinstance(layer, Weighted)]
        for name in set(names):
            if names.count(name) > 1:
                raise ValueError(f"{self.name}: two layers are named {name!r}")

    def with_shapes(self) -> Iterator[tuple[Layer, Shape]]:
        """Yield the layers of the backbone, each with the shape of its input for one image."""
        shape = self.image_shape
        for layer in self.layers:
            yield layer, shape
            shape = layer.output_shape(shape)

    @property
    def embedding_size(self) -> int:
        """How many numbers an embedding has."""
        *_, (last, shape) = self.with_shapes()
        (size,) = last.output_shape(shape)
        return size

    def weight_shapes(self) -> dict[str, Shape]:
        """Return the weight shape of each layer, named and ordered as in the state dict."""
        shapes = {
            f"net.{layer.name}": layer.weight_shape(shape)
            for layer, shape in self.with_shapes()
            if isinstance(layer, Weighted)
        }
        return shapes | {self.head.name: self.head.weight_shape((self.embedding_size,))}

    def parameter_shapes(self) -> dict[str, Shape]:
        """Return the shape of each weight and bias, named and ordered as in the state dict."""
        weighted = [layer for layer in self.layers if isinstance(layer, Weighted)]
        names = [f"net.{name}" for layer in weighted for name in layer.parameter_names]
        weights = self.weight_shapes()
        return {
            name: weights[of] if kind == "weight" else weights[of][:1]
            for name in (*names, *self.head.parameter_names)
            for of, _, kind in [name.rpartition(".")]
        }

    def parameter_count(self) -> int:
        """Return how many numbers are learned: weights and biases, with those of the head."""
        return sum(map(prod, self.parameter_shapes().values()))

    def window_size(self) -> int:
        """Return how many numbers all windows of a convolution hold, for one image: at most."""
        convolutions = ((c, s) for c, s in self.with_shapes() if isinstance(c, Conv2d))
        return max((c.products(s) // c.out_channels for c, s in convolutions), default=1)

    def products(self) -> int:
        """Return the number of multiplications that embedding one image takes."""
        return sum(layer.products(shape) for layer, shape in self.with_shapes())


MNIST = Architecture(
    "mnist",
    (1, 28, 28),
    (
        Conv2d("conv1", 32, 3),
        ReLU(),
        MaxPool2d(2),
        Conv2d("conv2", 64, 3),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Linear("fc1", 120),
        ReLU(),
        Linear("fc2", 84),
    ),
)
"""The network of the recipe: an image of 28×28 pixels, an embedding of 84 numbers."""

KOCH = Architecture(
    "koch",
    (1, 105, 105),
    (
        Scale(1 / 255),
        Conv2d("conv1", 64, 10),
        ReLU(),
        MaxPool2d(2),
        Conv2d("conv2", 128, 7),
        ReLU(),
        MaxPool2d(2),
        Conv2d("conv3", 128, 4),
        ReLU(),
        MaxPool2d(2),
        Conv2d("conv4", 256, 4),
        ReLU(),
        Flatten(),
        Linear("fc1", 4096),
        Sigmoid(),
    ),
    NormalInitialization(conv2d=0.01, linear=0.2, bias_mean=0.5, bias_std=0.01),
)
"""The network of Koch, Zemel & Salakhutdinov 2015, figure 4: 38,951,745 parameters.

Its images there are strokes of ones on zeros. So pixels 0..255 are scaled to 0..1. The biases of
fully connected layers are drawn as those of convolutions are."""

MODERN = Architecture(
    "modern",
    (1, 28, 28),
    (
        Scale(1 / 255),
        Conv2d("conv1", 32, 3),
        ReLU(),
        MaxPool2d(2),
        Conv2d("conv2", 64, 3),
        ReLU(),
        MaxPool2d(2),
        Conv2d("conv3", 128, 3),
        ReLU(),
        Flatten(),
        Projection("fc1", 128),
    ),
    first_head=ConstantHead(weight=-(128**-0.5), bias=5.0),
)
"""A network of the recipe's cost that learns from all pairs: 3.2 million products an image."""

ARCHITECTURES = {architecture.name: architecture for architecture in (MNIST, KOCH, MODERN)}
"""The networks that can be asked for by name."""


def fuse(architecture: Architecture) -> Architecture:
    """Replace each convolution followed by ReLU and 2×2 pooling by one layer that does all three.

    Pooling drops an odd last row of a convolution. So n rows of the pooled output need only
    2·n + K − 1 rows of the input. A fused layer that comes before computes no others. The same
    holds for columns.
    """
    layers: list[Layer] = []
    read: Shape | None = None  # by the fused layer that follows
    described = list(architecture.with_shapes())
    while described:
        match described:
            case [
                *described,
                (Conv2d() as conv, shape),
                (ReLU(), _),
                (MaxPool2d(2) as pool, _),
            ] if type(conv) is Conv2d:
                outputs = read or pool.output_shape(conv.output_shape(shape))[1:]
                read = tuple(2 * n + conv.kernel_size - 1 for n in outputs)
                layers.append(ConvReLUPool(conv.name, conv.out_channels, conv.kernel_size, read))
            case [*described, (layer, _)]:
                read = None
                layers.append(layer)
    return replace(architecture, layers=tuple(reversed(layers)))
