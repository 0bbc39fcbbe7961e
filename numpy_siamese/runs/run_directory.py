"""The folder of a run: its configuration, metrics, weights, summary and pictures."""

import csv
import io
import json
import math
import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from typing import Any

from numpy_siamese.errors import InputError
from numpy_siamese.files import lock
from numpy_siamese.files.atomic_write import leftovers, write_atomically
from numpy_siamese.files.folders import missing_folders, remove_empty
from numpy_siamese.files.lock import LOCK, FolderLock
from numpy_siamese.files.paths import shell_word
from numpy_siamese.runs import checkpoint
from numpy_siamese.runs.checkpoint import Checkpoint
from numpy_siamese.runs.config_file import CONFIG, read_object
from numpy_siamese.runs.history import COLUMNS, VALIDATION_COLUMNS, Metrics, Validation
from numpy_siamese.runs.kept_checkpoints import KEPT, is_start_alone, kept_name, remove_kept

MODEL, CHECKPOINT, BEST = "model.safetensors", "checkpoint.safetensors", "best.safetensors"
METRICS, SUMMARY, VALIDATION = "metrics.csv", "summary.json", "validation.csv"

START = frozenset({CONFIG, CHECKPOINT, METRICS, KEPT, "test_metrics.csv", VALIDATION, "pairs.png"})
"""What a run writes before its first batch."""


class RunDirectory:
    """The folder that one run writes to. Every file appears whole or not at all.

    Parameters
    ----------
    path : Path
        Created with its parents. An existing folder must be empty, or hold no more than the start
        of a run that was killed before its first batch.
    existing : bool
        Go on with the run that the folder holds.

    Raises
    ------
    InputError
        The path is no folder, cannot be written, or another process writes there. A new run finds
        files there, or one that goes on finds no run.
    """

    def __init__(self, path: Path, existing: bool = False) -> None:
        self.path, self.existing = path, existing
        self._flag = f"--resume {path}" if existing else f"--out {path}"
        self._lock: FolderLock | None = None
        self._written: set[Path] = set()
        self._missing = [] if existing else missing_folders(path)
        try:
            self._open()
        except BaseException:
            self.discard()
            raise

    def _open(self) -> None:
        """Make the folder of a new run, and lock it."""
        try:
            if not self.existing:
                self.path.mkdir(parents=True, exist_ok=True)
            self._check()
        except OSError as error:
            raise InputError(
                f"{self._flag}: cannot be used as a folder ({error.strerror})"
            ) from error
        try:
            self._lock = FolderLock(self.path)
        except OSError as error:
            raise InputError(
                f"{self._flag}: cannot be written ({error.strerror}), expected a writable folder"
            ) from error
        self._check()  # another run may have come and gone
        for leftover in leftovers(self.path):
            leftover.unlink()
        if not self.existing:
            remove_kept(self.path)
            for name in self._entries():  # of a mere start
                (self.path / name).unlink()

    def _entries(self) -> list[str]:
        """Return the names in the folder, without the lock and what a dead process left behind."""
        ignored = {LOCK, *(leftover.name for leftover in leftovers(self.path))}
        return sorted({entry.name for entry in self.path.iterdir()} - ignored)

    def _check(self) -> None:
        """Refuse a new run's folder that holds something, and an existing one that holds no run."""
        entries = self._entries()
        if self.existing:
            if CONFIG not in entries:
                raise InputError(f"{self._flag}: holds no run (found no {CONFIG})")
        elif self._is_mere_start(entries):
            pass
        elif CONFIG in entries:
            raise InputError(
                f"{self._flag}: holds another run, expected a new or empty folder, or "
                f"--resume {shell_word(self.path)}"
            )
        elif entries:
            raise InputError(f"{self._flag}: holds {entries[0]}, expected a new or empty folder")
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise InputError(f"{self._flag}: cannot be written, expected a writable folder")

    def _is_mere_start(self, entries: Collection[str]) -> bool:
        """Return whether a run began here and was killed before its first batch was done.

        A run that is still at work holds the lock.
        """
        if not lock.IS_KEPT or CHECKPOINT not in entries or not START.issuperset(entries):
            return False
        try:
            if KEPT in entries and not is_start_alone(self.path / KEPT):
                return False
            state = checkpoint.load_checkpoint(self.path / CHECKPOINT)
            lines = (self.path / METRICS).read_bytes().count(b"\n") if METRICS in entries else 0
        except (InputError, OSError):
            return False
        return state.epoch == state.batch == 0 and lines <= 1

    def close(self) -> None:
        """Release the lock, so that other runs can write there."""
        if self._lock is not None:
            self._lock.release()

    def discard(self) -> None:
        """Remove the files, the folder and the parents that a new run has made; release the lock.

        The folder of a run that goes on stays as it is.
        """
        try:
            self._take_back()
        except KeyboardInterrupt:  # a second one, and nothing here takes long
            self._take_back()
            raise

    def _take_back(self) -> None:
        if not self.existing:
            for path in self._written:
                with suppress(OSError):  # it was not written after all, or is gone with its disk
                    path.unlink()
        self.close()
        remove_empty(self._missing)

    def has_end(self, end: Mapping[str, int]) -> bool:
        """Return whether `config.json` has these settings of the run's end.

        Raises
        ------
        InputError
            It cannot be read.
        """
        return end.items() <= ({"patience": 0} | read_object(self.path / CONFIG)).items()

    def set_end(self, end: Mapping[str, int]) -> None:
        """Set the number of epochs and the patience in `config.json`; all else in it stays.

        Raises
        ------
        InputError
            It cannot be read.
        """
        self.write_json(CONFIG, read_object(self.path / CONFIG) | {**end})

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write `config.json` or `summary.json`. A number that is not finite becomes null."""
        text = json.dumps(_without_nan(content), indent=2, allow_nan=False) + "\n"
        write_atomically(self._place(name), text.encode())

    def write_metrics(self, name: str, rows: Sequence[Metrics]) -> None:
        """Write `metrics.csv` (training windows) or `test_metrics.csv` (after each epoch)."""
        self._write_table(name, COLUMNS, rows)

    def write_validation(self, rows: Sequence[Validation]) -> None:
        """Write `validation.csv` (one-shot trials after each epoch)."""
        self._write_table(VALIDATION, VALIDATION_COLUMNS, rows)

    def _write_table(self, name: str, columns: Sequence[str], rows: Sequence[Any]) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(astuple(row) for row in rows)
        write_atomically(self._place(name), text.getvalue().encode())

    def write_checkpoint(self, state: Checkpoint) -> None:
        """Write `checkpoint.safetensors`."""
        checkpoint.save_checkpoint(self._place(CHECKPOINT), state)

    def write_kept(self, batches: int, state: Checkpoint) -> None:
        """Write one of the checkpoints that the run keeps, after so many batches."""
        path = self._place(kept_name(batches))
        if not path.parent.exists():
            self._missing.insert(0, path.parent)
            path.parent.mkdir(exist_ok=True)
        checkpoint.save_checkpoint(path, state)

    def write_model(self, state: Checkpoint) -> None:
        """Write `model.safetensors`."""
        checkpoint.save_model(self._place(MODEL), state.model)

    def write_best(self, state: Checkpoint) -> None:
        """Write `best.safetensors`, the weights after the best epoch so far."""
        checkpoint.save_model(self._place(BEST), state.model)

    def make_best_the_model(self) -> None:
        """Write the weights of `best.safetensors` as `model.safetensors`.

        Raises
        ------
        InputError
            They cannot be read.
        """
        checkpoint.save_model(self._place(MODEL), checkpoint.load_model(self.path / BEST))

    def read_checkpoint(self) -> Checkpoint | None:
        """Return the last checkpoint, or None if the run ended before it wrote anything.

        Raises
        ------
        InputError
            The file cannot be read or is no checkpoint. There are weights but no checkpoint.
        """
        path = self.path / CHECKPOINT
        if not path.exists() and not (self.path / MODEL).exists():
            return None
        return checkpoint.load_checkpoint(path)

    def write_picture(self, name: str, png: bytes) -> None:
        """Write one of the pictures."""
        write_atomically(self._place(name), png)

    def _place(self, name: str) -> Path:
        """Return the path of a file to write, and remember it for `discard`."""
        self._written.add(self.path / name)
        return self.path / name


def _without_nan(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {name: _without_nan(value) for name, value in content.items()}
    if isinstance(content, list):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
