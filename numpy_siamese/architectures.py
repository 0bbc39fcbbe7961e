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
class Architecture:
    """A Siamese network: the backbone that both twins share, and the head that compares.

    Parameters
    ----------
    name : str
    image_shape : (C, H, W)
    layers : of the backbone, from an image to its embedding
    initialization : NormalInitialization, optional
        Default: that of PyTorch's layers.

    Raises
    ------
    ValueError
        Two layers of one name.
    """

    name: str
    image_shape: Shape
    layers: tuple[Layer, ...]
    initialization: NormalInitialization | None = None
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
