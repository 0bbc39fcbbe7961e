"""A Siamese network for handwritten digits in pure NumPy, every gradient derived by hand."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy_siamese.model import SiameseNet

__all__ = ["SiameseNet"]


def __getattr__(name: str) -> Any:
    """Import the network at its first use, so that nothing else waits for NumPy."""
    if name != "SiameseNet":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from numpy_siamese.model import SiameseNet

    return SiameseNet
