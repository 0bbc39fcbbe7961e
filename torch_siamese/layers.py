"""The modules of `torch.nn` that compute the layers of `numpy_siamese.architectures`."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from numpy_siamese import architectures
from numpy_siamese.architectures import Architecture, Shape


class Scale(nn.Module):
    """y = factor · x.

    Parameters
    ----------
    factor : float
    """

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """Return factor · x, of the dtype of x."""
        return x * self.factor


KINDS: dict[type[architectures.Layer], Callable[[Any, Shape], nn.Module]] = {
    architectures.Conv2d: lambda layer, shape: nn.Conv2d(
        shape[0], layer.out_channels, layer.kernel_size
    ),
    architectures.ReLU: lambda layer, shape: nn.ReLU(),
    architectures.Sigmoid: lambda layer, shape: nn.Sigmoid(),
    architectures.Scale: lambda layer, shape: Scale(layer.factor),
    architectures.MaxPool2d: lambda layer, shape: nn.MaxPool2d(layer.kernel_size),
    architectures.Flatten: lambda layer, shape: nn.Flatten(),
    architectures.Linear: lambda layer, shape: nn.Linear(shape[0], layer.out_features),
    architectures.Projection: lambda layer, shape: nn.Linear(
        shape[0], layer.out_features, bias=False
    ),
}
"""The module for each kind of layer in `architectures`, given its input shape for one image.

`ConvReLUPool` has none: only NumPy runs a fused list.
"""


def modules(architecture: Architecture) -> OrderedDict[str, nn.Module]:
    """Return the modules of the backbone by name. A layer without weights is named by its place."""
    found: OrderedDict[str, nn.Module] = OrderedDict()
    for place, (layer, shape) in enumerate(architecture.with_shapes()):
        found[getattr(layer, "name", str(place))] = KINDS[type(layer)](layer, shape)
    return found
