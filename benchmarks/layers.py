"""The operations at the network's shapes: their arguments, and what they cost."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np

from numpy_siamese import functional
from numpy_siamese.architectures import MNIST, Architecture, Conv2d, Linear, MaxPool2d, ReLU

Array = np.ndarray


@dataclass(frozen=True)
class Layer:
    """One operation as the network performs it.

    Parameters
    ----------
    operation : str
        The function's name in `numpy_siamese.functional`.
    shapes : (N) → shapes of the array arguments, by name; N images or pairs
    options : other arguments
    products : int
        Multiplications for each image or pair, in one product of matrices.
    differentiated : number of products of that size that backward takes: 0, 1 or 2
    """

    operation: str
    shapes: Callable[[int], dict[str, tuple[int, ...]]]
    options: tuple[tuple[str, int], ...] = ()
    products: int = 0
    differentiated: int = 2

    def arrays(self, N: int) -> dict[str, Array]:
        """Draw the arguments; like the network's, images have the batch innermost in memory."""
        rng = np.random.default_rng(0)
        arrays = {}
        for name, shape in self.shapes(N).items():
            if name in ("probs", "target"):
                values = rng.random(shape)
            else:
                values = rng.standard_normal(shape)
            innermost = np.ascontiguousarray(np.moveaxis(values.astype(np.float32), 0, -1))
            arrays[name] = np.moveaxis(innermost, -1, 0) if name == "x" else values.astype("f4")
        return arrays

    def function(self) -> Callable[..., tuple[Array, Callable[..., tuple[Array | None, ...]]]]:
        """Return the NumPy operation."""
        return getattr(functional, self.operation)

    def traffic(self, N: int, direction: str) -> float:
        """Return the bytes that it cannot but read and write: arguments, result, and gradients."""
        arrays = self.arrays(1)
        y, _ = self.function()(**arrays, **dict(self.options))
        per_image = [a.size for name, a in arrays.items() if name not in ("weight", "bias")]
        once = [a.size for name, a in arrays.items() if name in ("weight", "bias")]
        read = N * sum(per_image) + sum(once)
        return 4.0 * (N * y.size + read * (1 if direction == "forward" else 2))

    def flops(self, N: int, direction: str) -> float:
        """Return additions and multiplications of the products of matrices."""
        return 2.0 * self.products * N * (1 if direction == "forward" else self.differentiated)


def _images(*shape: int) -> Callable[[int], dict[str, tuple[int, ...]]]:
    return lambda N: {"x": (N, *shape)}


def _with_weights(
    x: tuple[int, ...], weight: tuple[int, ...]
) -> Callable[[int], dict[str, tuple[int, ...]]]:
    return lambda N: {"x": (N, *x), "weight": weight, "bias": weight[:1]}


def _of_images(architecture: Architecture) -> dict[str, Layer]:
    """Return the operations of the backbone, and each convolution fused with what follows it.

    What has weights is named after them; ReLU, pooling and fused layers are counted from 1.
    """
    found: dict[str, Layer] = {}
    relus, pools, convs = count(1), count(1), count(1)
    for layer, shape in architecture.with_shapes():
        match layer:
            case Conv2d(name):
                arguments = _with_weights(shape, layer.weight_shape(shape))
                found[name] = Layer("conv2d", arguments, (), layer.products(shape))
                fused = Layer("conv_relu_pool", arguments, (), layer.products(shape))
                found[f"layer{next(convs)}"] = fused
            case ReLU():
                found[f"relu{next(relus)}"] = Layer("relu", _images(*shape))
            case MaxPool2d(size):
                options = (("kernel_size", size),)
                found[f"pool{next(pools)}"] = Layer("max_pool2d", _images(*shape), options)
            case Linear(name):
                arguments = _with_weights(shape, layer.weight_shape(shape))
                found[name] = Layer("linear", arguments, (), layer.products(shape))
    return found


def _of_pairs(architecture: Architecture) -> dict[str, Layer]:
    """Return the operations on pairs of embeddings."""
    E, head = architecture.embedding_size, architecture.head
    arguments = _with_weights((E,), head.weight_shape((E,)))
    return {
        "distance": Layer("l1_distance", lambda N: {"left": (N, E), "right": (N, E)}),
        "head": Layer("linear", arguments, (), head.products((E,))),
        "sigmoid": Layer("sigmoid", _images(1)),
        "loss": Layer("binary_cross_entropy", lambda N: {"probs": (N, 1), "target": (N, 1)}),
    }


MEASURED = (
    *("conv1", "conv2", "relu1", "pool1", "pool2", "layer1", "layer2", "fc1", "fc2"),
    *("distance", "head", "sigmoid", "loss"),
)
"""The operations that are measured: a ReLU like another, only smaller, is left out."""

LAYERS = {name: (_of_images(MNIST) | _of_pairs(MNIST))[name] for name in MEASURED}


def step_flops(pairs: int) -> float:
    """Return additions and multiplications of a training step, as the network is defined.

    Forward, and twice that for the two gradients of every product; the images' own gradient is not
    needed. 3.07 GFLOP for 100 pairs.
    """
    first, shape = next(MNIST.with_shapes())
    image = 3 * MNIST.products() - first.products(shape)
    return 2.0 * pairs * (2 * image + 3 * LAYERS["head"].products)


def embed_flops(images: int) -> float:
    """Return additions and multiplications of embedding images."""
    return 2.0 * images * MNIST.products()


def step_bytes(pairs: int, element: int = 4) -> float:
    """Return the bytes that a training step cannot but read and write.

    A convolution counts together with its ReLU and pooling, and the update with five passes over
    the parameters. The images' own gradient is not written.
    """
    of_images = sum(_both_ways(name, 2 * pairs) for name in ("layer1", "layer2", "fc1", "fc2"))
    of_pairs = sum(_both_ways(name, pairs) for name in ("distance", "head", "sigmoid", "loss"))
    _, shape = next(MNIST.with_shapes())
    images = 4.0 * 2 * pairs * np.prod(shape)
    weights = [LAYERS[name].shapes(1) for name in ("conv1", "conv2", "fc1", "fc2", "head")]
    parameters = sum(np.prod(s["weight"]) + np.prod(s["bias"]) for s in weights)
    return float(element / 4 * (of_images + of_pairs - images + 5 * 4.0 * parameters))


def _both_ways(name: str, N: int) -> float:
    return sum(LAYERS[name].traffic(N, direction) for direction in ("forward", "backward"))
