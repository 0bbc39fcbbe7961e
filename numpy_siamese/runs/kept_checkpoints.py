"""The checkpoints that a run keeps: its weights and momentum at moments of the training."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from numpy_siamese.errors import InputError
from numpy_siamese.files.atomic_write import leftovers
from numpy_siamese.files.folders import remove_empty
from numpy_siamese.runs.checkpoint import load_checkpoint
from numpy_siamese.runs.config import TrainConfig

Array = np.ndarray

KEPT = "checkpoints"
"""The folder in a run's folder. Its files are checkpoints without times and metrics."""

_NAME = re.compile(r"batch-([0-9]{6,15})\.safetensors")


class KeptCheckpoint(NamedTuple):
    """What a run had learned after some batches.

    Attributes
    ----------
    batches : int
        From how many batches it had learned, in all epochs. Zero is the start.
    model, momentum : dict of name → array
        With the names of the state dict. There is no momentum at the start, or if the
        configuration has none.
    """

    batches: int
    model: Mapping[str, Array]
    momentum: Mapping[str, Array]


def kept_name(batches: int) -> str:
    """Return the name of the file after so many batches, within the run's folder."""
    return f"{KEPT}/batch-{batches:06d}.safetensors"


def kept_files(run: Path) -> dict[int, Path]:
    """Return the checkpoints that a run has kept: after how many batches, and the file.

    They are in order. There are none in a run without ``--keep-checkpoints``. Other files in the
    folder do not count.

    Raises
    ------
    InputError
        The folder cannot be read.
    """
    try:
        names = [entry.name for entry in (run / KEPT).iterdir()]
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(
            f"{run / KEPT}: found no folder to read ({error.strerror}), expected one of checkpoints"
        ) from error
    numbers = [int(match[1]) for match in map(_NAME.fullmatch, names) if match]
    files = {batches: run / kept_name(batches) for batches in sorted(numbers)}
    return {batches: path for batches, path in files.items() if path.name in names}


def read_kept(
    path: Path, batches: int, config: TrainConfig, weights: Mapping[str, Array]
) -> KeptCheckpoint:
    """Read one of the checkpoints that a run has kept.

    Parameters
    ----------
    path : Path
    batches : int
        After how many batches it was kept, as `kept_files` says.
    config : TrainConfig
        Of the run.
    weights : dict of name → array
        Of the run's network. Only names, shapes and dtypes count.

    Raises
    ------
    InputError
        The file cannot be read, is of another run or moment, or holds a number that is not finite.
    """
    found = load_checkpoint(path)
    done = found.epoch * config.batches + found.batch
    fault = found.fault_of_state(config, weights)
    if fault is None and done != batches:
        fault = f"found a checkpoint after {done} batches"
    if fault is None and not found.is_finite():
        fault = "found values that are not finite"
    if fault:
        raise InputError(f"{path}: {fault}, expected the run's checkpoint after {batches} batches")
    return KeptCheckpoint(batches, found.model, found.momentum)


def remove_kept(run: Path, after: int = -1) -> None:
    """Remove the checkpoints that were kept later than after so many batches, by default all.

    What a killed process has left half-written goes too, and so does a folder that is then empty.
    """
    for batches, path in kept_files(run).items():
        if batches > after:
            path.unlink()
    if (run / KEPT).is_dir():
        for leftover in leftovers(run / KEPT):
            leftover.unlink()
    remove_empty([run / KEPT])


def is_start_alone(folder: Path) -> bool:
    """Return whether a folder of kept checkpoints holds no more than the one of the start."""
    start = {Path(kept_name(0)).name, *(leftover.name for leftover in leftovers(folder))}
    return all(entry.name in start for entry in folder.iterdir())
