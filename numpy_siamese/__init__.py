"""A Siamese network for handwritten digits in pure NumPy, every gradient derived by hand."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy_siamese.model import SiameseNet

__all__ = ["SiameseNet"]


def __getattr__(name: str) -> Any:
    """Import the network when it is asked for: what needs none does not wait for one."""
    if name != "SiameseNet":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from numpy_siamese.model import SiameseNet

    return SiameseNet
