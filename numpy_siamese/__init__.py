"""A Siamese network for handwritten digits in pure NumPy, every gradient derived by hand."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os

    from numpy_siamese.model import SiameseNet

__all__ = ["SiameseNet", "evaluate"]


def evaluate(
    run: "str | os.PathLike[str]",
    out: "str | os.PathLike[str] | None" = None,
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
    from numpy_siamese.inference import NumpyNetwork
    from numpy_siamese.runs.config import TrainConfig
    from numpy_siamese.runs.evaluation.evaluate import evaluate

    of_sitting = {} if threads is None else {"threads": threads}
    return evaluate(run, NumpyNetwork, TrainConfig, of_sitting, out, settings)


def __getattr__(name: str) -> Any:
    """Import the network at its first use, so that nothing else waits for NumPy."""
    if name != "SiameseNet":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from numpy_siamese.model import SiameseNet

    return SiameseNet
