"""The moments of a training at which the network is known: the start, what was kept, the end."""

from collections.abc import Mapping

import numpy as np

from numpy_siamese.errors import InputError
from numpy_siamese.runs.checkpoint import load_checkpoint
from numpy_siamese.runs.finished_run import FinishedRun
from numpy_siamese.runs.kept_checkpoints import KeptCheckpoint, kept_files, read_kept
from numpy_siamese.runs.run_directory import CHECKPOINT

Array = np.ndarray

MOST_MOMENTS = 9
"""Of more checkpoints these are taken, the first and the last among them."""


def moments_of(run: FinishedRun, start: Mapping[str, Array]) -> list[KeptCheckpoint]:
    """Return the network at the start, at checkpoints that were kept, and at the end.

    Parameters
    ----------
    run : FinishedRun
    start : dict of name → array
        The weights that the run's seed gives.

    Returns
    -------
    list of KeptCheckpoint
        In order. The end is the epoch of the run's weights. There is no momentum at the end, if
        training went on after it, or if the run has lost its last checkpoint.

    Raises
    ------
    InputError
        A checkpoint cannot be used.
    """
    config = run.config
    total = (run.model_epoch or config.epochs) * config.batches
    kept = {n: path for n, path in kept_files(run.path).items() if 0 < n < total}
    chosen = list(kept)
    if len(chosen) > MOST_MOMENTS - 2:
        places = np.linspace(0, len(chosen) - 1, MOST_MOMENTS - 2).round().astype(int)
        chosen = [chosen[place] for place in places]
    return [
        KeptCheckpoint(0, start, {}),
        *(read_kept(kept[n], n, config, run.weights) for n in chosen),
        KeptCheckpoint(total, run.weights, _last_momentum(run)),
    ]


def _last_momentum(run: FinishedRun) -> Mapping[str, Array]:
    path = run.path / CHECKPOINT
    if not path.exists():
        return {}
    checkpoint = load_checkpoint(path)
    if run.model_epoch is not None and run.model_epoch < checkpoint.epoch:
        return {}  # the weights are those of the best epoch
    same = checkpoint.model.keys() == run.weights.keys() and all(
        np.array_equal(checkpoint.model[name], value) for name, value in run.weights.items()
    )
    if not same or (checkpoint.momentum and not checkpoint.is_finite()):
        raise InputError(f"{path}: found other weights, expected those of the finished run")
    return checkpoint.momentum
