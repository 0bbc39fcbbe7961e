"""The PyTorch mirror of `numpy_siamese`: the same names in the same files, for CPU and CUDA."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os

    from torch_siamese.model import SiameseNet

__all__ = ["SiameseNet", "evaluate"]


def evaluate(
    run: "str | os.PathLike[str]",
    out: "str | os.PathLike[str] | None" = None,
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
        Default: as the run had.
    device : 'auto', 'cpu' or 'cuda', optional
        Default: as the run had.
    **settings
        The fields of `EvaluationConfig`: data, split, pairs, episodes, resamples, seed.

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
    of_sitting = {name: value for name, value in given.items() if value is not None}
    return evaluate(run, TorchNetwork, TrainConfig, of_sitting, out, settings)


def __getattr__(name: str) -> Any:
    """Import the network at its first use, so that nothing else waits for PyTorch."""
    if name != "SiameseNet":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from torch_siamese.model import SiameseNet

    return SiameseNet
