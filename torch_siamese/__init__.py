"""The PyTorch mirror of `numpy_siamese`: the same names in the same files, for CPU and CUDA."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy_siamese.runs.trained_run import TrainedRun
    from torch_siamese.model import SiameseNet

__all__ = ["SiameseNet", "evaluate", "load_run"]


def evaluate(
    run: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    device: str | None = None,
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
    device : 'auto', 'cpu' or 'cuda', optional
        Default: 'auto', which is cuda where there is one.
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
    from numpy_siamese.runs.evaluation.evaluate import evaluate
    from torch_siamese.config import TrainConfig
    from torch_siamese.inference import TorchNetwork

    given = {"threads": threads, "device": device}
    of_use = {name: value for name, value in given.items() if value is not None}
    return evaluate(run, TorchNetwork, TrainConfig, of_use, out, settings)


def load_run(
    path: str | os.PathLike[str], *, threads: int | None = None, device: str = "auto"
) -> "TrainedRun":
    """Load the network of a finished run, of either package, to use it in PyTorch.

    Parameters
    ----------
    path : path-like
        The folder of the run.
    threads : int, optional
        On the CPU. Default: the cores that this process may use.
    device : 'auto', 'cpu' or 'cuda'
        auto is cuda where there is one.

    Returns
    -------
    TrainedRun
        As `numpy_siamese.load_run` gives it. It takes and returns NumPy arrays.

    Raises
    ------
    InputError
        There is no run, it is not finished, or a file of it cannot be read. There is no such
        device.
    """
    from numpy_siamese.runs.trained_run import read_trained_run
    from torch_siamese.config import TrainConfig
    from torch_siamese.inference import TorchNetwork

    return read_trained_run(path, TrainConfig, TorchNetwork, threads=threads, device=device)


def __getattr__(name: str) -> Any:
    """Import the network at its first use, so that nothing else waits for PyTorch."""
    if name != "SiameseNet":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from torch_siamese.model import SiameseNet

    return SiameseNet
