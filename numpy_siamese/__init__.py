"""A Siamese network for handwritten digits in pure NumPy, every gradient derived by hand."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy_siamese.model import SiameseNet
    from numpy_siamese.runs.trained_run import TrainedRun

__all__ = ["SiameseNet", "load_run"]


def load_run(path: str | os.PathLike[str], *, threads: int | None = None) -> "TrainedRun":
    """Load the network of a finished run, of either package, to use it in NumPy.

    Parameters
    ----------
    path : path-like
        The folder of the run.
    threads : int, optional
        Default: the cores that this process may use.

    Returns
    -------
    TrainedRun
        With `verify`, `embed` and `rank`, the class names, the preparation of pictures and the
        validated threshold.

    Raises
    ------
    InputError
        There is no run, it is not finished, or a file of it cannot be read.
    """
    from numpy_siamese.inference import NumpyNetwork
    from numpy_siamese.runs.config import TrainConfig
    from numpy_siamese.runs.trained_run import read_trained_run

    return read_trained_run(path, TrainConfig, NumpyNetwork, threads=threads)


def __getattr__(name: str) -> Any:
    """Import the network at its first use, so that nothing else waits for NumPy."""
    if name != "SiameseNet":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from numpy_siamese.model import SiameseNet

    return SiameseNet
