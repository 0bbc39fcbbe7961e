"""A Siamese network for handwritten digits in pure NumPy, every gradient derived by hand."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy_siamese.gradients.check import gradcheck
    from numpy_siamese.model import SiameseNet
    from numpy_siamese.runs.trained_run import TrainedRun

__all__ = ["SiameseNet", "evaluate", "gradcheck", "load_run"]


def evaluate(
    run: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Measure what the network of a finished run is worth.

    Parameters
    ----------
    run : path
        The run's folder.
    out : path, optional
        A folder for the files that the verb `evaluate` writes. Default: nothing is written.
    threads : int, optional
        Default: the cores that this process may use.
    **settings
        The fields of `EvaluationConfig`: data, split, pairs, episodes, resamples, trials, views
        and seed.

    Returns
    -------
    dict
        What `evaluation.json` holds; docs/evaluation.md says what each figure means.

    Raises
    ------
    InputError
        The run, the data, the folder or a setting cannot be used.
    TypeError
        There is no such setting.
    """
    from numpy_siamese.inference import NumpyNetwork
    from numpy_siamese.runs.config import TrainConfig
    from numpy_siamese.runs.evaluation.evaluate import evaluate

    of_use = {} if threads is None else {"threads": threads}
    return evaluate(run, NumpyNetwork, TrainConfig, of_use, out, settings)


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
    """Import the network or the check at its first use, so that nothing else waits for NumPy."""
    if name == "SiameseNet":
        from numpy_siamese.model import SiameseNet

        return SiameseNet
    if name == "gradcheck":
        from numpy_siamese.gradients.check import gradcheck

        return gradcheck
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
