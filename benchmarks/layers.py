"""The operations at the network's shapes: their arguments, and what they cost."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from numpy_siamese import functional
from numpy_siamese.functional import fused

Array = np.ndarray


@dataclass(frozen=True)
class Layer:
    """One operation as the network performs it.

    Parameters
    ----------
    operation : str
        The function's name in `numpy_siamese.functional` or `numpy_siamese.functional.fused`.
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
        return getattr(functional, self.operation, None) or getattr(fused, self.operation)

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


CONV1, CONV2, FC1, FC2 = 26 * 26 * 32 * 9, 11 * 11 * 64 * 32 * 9, 120 * 1600, 84 * 120
"""Multiplications for one image, of the network as it is defined."""


def _images(*shape: int) -> Callable[[int], dict[str, tuple[int, ...]]]:
    return lambda N: {"x": (N, *shape)}


def _with_weights(
    x: tuple[int, ...], weight: tuple[int, ...]
) -> Callable[[int], dict[str, tuple[int, ...]]]:
    return lambda N: {"x": (N, *x), "weight": weight, "bias": weight[:1]}


LAYERS = {
    "conv1": Layer("conv2d", _with_weights((1, 28, 28), (32, 1, 3, 3)), (), CONV1),
    "conv2": Layer("conv2d", _with_weights((32, 13, 13), (64, 32, 3, 3)), (), CONV2),
    "relu1": Layer("relu", _images(32, 26, 26)),
    "pool1": Layer("max_pool2d", _images(32, 26, 26), (("kernel_size", 2),)),
    "pool2": Layer("max_pool2d", _images(64, 11, 11), (("kernel_size", 2),)),
    "layer1": Layer("conv_relu_pool", _with_weights((1, 28, 28), (32, 1, 3, 3)), (), CONV1),
    "layer2": Layer("conv_relu_pool", _with_weights((32, 13, 13), (64, 32, 3, 3)), (), CONV2),
    "fc1": Layer("linear", _with_weights((1600,), (120, 1600)), (), FC1),
    "fc2": Layer("linear", _with_weights((120,), (84, 120)), (), FC2),
    "distance": Layer("l1_distance", lambda N: {"left": (N, 84), "right": (N, 84)}),
    "head": Layer("linear", _with_weights((84,), (1, 84)), (), 84),
    "sigmoid": Layer("sigmoid", _images(1)),
    "loss": Layer("binary_cross_entropy", lambda N: {"probs": (N, 1), "target": (N, 1)}),
}


def step_flops(pairs: int) -> float:
    """Return additions and multiplications of a training step, as the network is defined.

    Forward, and twice that for the two gradients of every product; the images' own gradient is not
    needed. 3.07 GFLOP for 100 pairs.
    """
    image = 3 * (CONV1 + CONV2 + FC1 + FC2) - CONV1
    return 2.0 * (2 * pairs * image + 3 * 84 * pairs)


def embed_flops(images: int) -> float:
    """Return additions and multiplications of embedding images."""
    return 2.0 * images * (CONV1 + CONV2 + FC1 + FC2)
