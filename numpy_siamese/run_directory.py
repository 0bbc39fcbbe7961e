"""The folder of a run: its configuration, metrics, weights, summary and pictures."""

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from numpy_siamese import checkpoint
from numpy_siamese.errors import InputError
from numpy_siamese.files import write_atomically

Array = np.ndarray


@dataclass(frozen=True)
class Metrics:
    """Means over a window of training batches, or over the test pairs after an epoch.

    `epoch` and `batch` count from 1 and name the last batch seen; `loss` is in nats; `seconds`
    have passed since the run began.
    """

    epoch: int
    batch: int
    loss: float
    accuracy: float
    seconds: float


class RunDirectory:
    """Where a run writes; every file appears whole or not at all.

    Parameters
    ----------
    path : Path
        Created, parents included; an existing folder must be empty.

    Raises
    ------
    InputError
        The path is no folder, holds something, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            entries = sorted(entry.name for entry in path.iterdir())
        except OSError as error:
            raise InputError(
                f"--out {path}: cannot be used as a folder ({error.strerror})"
            ) from error
        if "config.json" in entries:
            raise InputError(f"--out {path}: holds another run, expected a new or empty folder")
        if entries:
            raise InputError(f"--out {path}: holds {entries[0]}, expected a new or empty folder")
        if not os.access(path, os.W_OK | os.X_OK):
            raise InputError(f"--out {path}: cannot be written, expected a writable folder")

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write `config.json` or `summary.json`."""
        text = json.dumps(content, indent=2) + "\n"
        write_atomically(self.path / name, text.encode())

    def write_metrics(self, name: str, rows: Sequence[Metrics]) -> None:
        """Write `metrics.csv` (training windows) or `test_metrics.csv` (after each epoch)."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(field.name for field in fields(Metrics))
        writer.writerows(astuple(row) for row in rows)
        write_atomically(self.path / name, text.getvalue().encode())

    def write_state(
        self, model: Mapping[str, Array], momentum: Mapping[str, Array], epoch: int, batch: int
    ) -> None:
        """Write `model.safetensors` and `checkpoint.safetensors`."""
        checkpoint.save_model(self.path / "model.safetensors", model)
        checkpoint.save_checkpoint(
            self.path / "checkpoint.safetensors", model, momentum, epoch, batch
        )

    def write_picture(self, name: str, png: bytes) -> None:
        """Write one of the pictures."""
        write_atomically(self.path / name, png)
