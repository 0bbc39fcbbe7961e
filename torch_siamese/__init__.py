"""The PyTorch mirror of `numpy_siamese`: the same names in the same files, for CPU and CUDA."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch_siamese.model import SiameseNet

__all__ = ["SiameseNet"]


def __getattr__(name: str) -> Any:
    """Import the network at its first use, so that nothing else waits for PyTorch."""
    if name != "SiameseNet":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from torch_siamese.model import SiameseNet

    return SiameseNet
