"""The folder of a run: its configuration, metrics, weights, summary and pictures."""

import csv
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

from numpy_siamese import checkpoint
from numpy_siamese.checkpoint import Checkpoint
from numpy_siamese.errors import InputError
from numpy_siamese.files import leftovers, write_atomically
from numpy_siamese.history import COLUMNS, Metrics
from numpy_siamese.lock import LOCK, FolderLock

CONFIG, MODEL, CHECKPOINT = "config.json", "model.safetensors", "checkpoint.safetensors"


class RunDirectory:
    """Where one run writes; every file appears whole or not at all.

    Parameters
    ----------
    path : Path
        Created, parents included; an existing folder must be empty.
    existing : bool
        Continue the run that the folder holds.

    Raises
    ------
    InputError
        The path is no folder, holds something (or, to continue, no run), cannot be written, or
        another process is writing there.
    """

    def __init__(self, path: Path, existing: bool = False) -> None:
        self.path = path
        self._flag = f"--resume {path}" if existing else f"--out {path}"
        try:
            if not existing:
                path.mkdir(parents=True, exist_ok=True)
            self._check(existing)
        except OSError as error:
            raise InputError(
                f"{self._flag}: cannot be used as a folder ({error.strerror})"
            ) from error
        try:
            self._lock = FolderLock(path)
        except OSError as error:
            raise InputError(
                f"{self._flag}: cannot be written ({error.strerror}), expected a writable folder"
            ) from error
        try:
            self._check(existing)  # another run may have come and gone
            for leftover in leftovers(path):
                leftover.unlink()
        except BaseException:
            self.close()
            raise

    def _check(self, existing: bool) -> None:
        """Refuse a folder that holds something, or, to continue, one that holds no run."""
        ignored = {LOCK, *(leftover.name for leftover in leftovers(self.path))}
        entries = sorted({entry.name for entry in self.path.iterdir()} - ignored)
        if existing:
            if CONFIG not in entries:
                raise InputError(f"{self._flag}: holds no run (found no {CONFIG})")
        elif CONFIG in entries:
            raise InputError(
                f"{self._flag}: holds another run, expected a new or empty folder, or "
                f"--resume {self.path}"
            )
        elif entries:
            raise InputError(f"{self._flag}: holds {entries[0]}, expected a new or empty folder")
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise InputError(f"{self._flag}: cannot be written, expected a writable folder")

    def close(self) -> None:
        """Let other runs write there."""
        self._lock.release()

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write `config.json` or `summary.json`; a number that is not finite becomes null."""
        text = json.dumps(_without_nan(content), indent=2, allow_nan=False) + "\n"
        write_atomically(self.path / name, text.encode())

    def write_metrics(self, name: str, rows: Sequence[Metrics]) -> None:
        """Write `metrics.csv` (training windows) or `test_metrics.csv` (after each epoch)."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(astuple(row) for row in rows)
        write_atomically(self.path / name, text.getvalue().encode())

    def write_checkpoint(self, state: Checkpoint) -> None:
        """Write `checkpoint.safetensors`."""
        checkpoint.save_checkpoint(self.path / CHECKPOINT, state)

    def write_model(self, state: Checkpoint) -> None:
        """Write `model.safetensors`."""
        checkpoint.save_model(self.path / MODEL, state.model)

    def read_checkpoint(self) -> Checkpoint | None:
        """Return the last checkpoint, None where a run ended before it wrote anything.

        Raises
        ------
        InputError
            The file cannot be read or is no checkpoint; weights are there without one.
        """
        path = self.path / CHECKPOINT
        if not path.exists() and not (self.path / MODEL).exists():
            return None
        return checkpoint.load_checkpoint(path)

    def write_picture(self, name: str, png: bytes) -> None:
        """Write one of the pictures."""
        write_atomically(self.path / name, png)


def _without_nan(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {name: _without_nan(value) for name, value in content.items()}
    if isinstance(content, list):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
