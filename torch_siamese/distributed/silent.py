"""A run's folder and results, of which rank 0 alone writes any."""

import tempfile
from pathlib import Path
from typing import Any

from numpy_siamese.runs.checkpoint import Checkpoint, load_checkpoint
from numpy_siamese.runs.results import Results
from numpy_siamese.runs.run_directory import CHECKPOINT, RunDirectory
from torch_siamese.distributed.group import Group


def opened(group: Group, path: Path, existing: bool) -> RunDirectory:
    """Open the folder of a run on rank 0, and return what each rank is to use.

    Raises
    ------
    InputError
        As `RunDirectory`, on all ranks.
    """
    kind = SharedDirectory if group.rank == 0 else SilentDirectory
    return group.together(lambda: kind(group, path, existing))


class SharedDirectory(RunDirectory):
    """The folder of a run, whose checkpoint all ranks read."""

    def __init__(self, group: Group, path: Path, existing: bool) -> None:
        super().__init__(path, existing)
        self.group = group

    def read_checkpoint(self) -> Checkpoint | None:
        """Return the last checkpoint of the folder, or None if there is none.

        Raises
        ------
        InputError
            As `RunDirectory.read_checkpoint`, on all ranks.
        """
        state = self.group.together(super().read_checkpoint)
        there = self.path / CHECKPOINT if state is not None else None
        self.group.content_of_first(there.read_bytes() if there else b"")
        return state


class SilentDirectory(RunDirectory):
    """The folder as the other ranks have it. They need not reach it.

    What they are told to write they do not write.
    """

    def __init__(self, group: Group, path: Path, existing: bool) -> None:
        self.group, self.path, self.existing = group, path, existing

    def read_checkpoint(self) -> Checkpoint | None:
        """Return the checkpoint that rank 0 has read."""
        self.group.together(lambda: None)
        content = self.group.content_of_first(b"")
        if not content:
            return None
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / CHECKPOINT
            copy.write_bytes(content)
            return load_checkpoint(copy)

    def close(self) -> None:
        """Do nothing."""

    def discard(self) -> None:
        """Do nothing."""

    def has_end(self, *_: Any) -> bool:
        """Return that it has, as this rank does not know what rank 0 has written."""
        return True

    def set_end(self, *_: Any) -> None:
        """Write nothing."""

    def write_best(self, *_: Any) -> None:
        """Write nothing."""

    def make_best_the_model(self) -> None:
        """Write nothing."""

    def write_json(self, *_: Any) -> None:
        """Write nothing."""

    def write_metrics(self, *_: Any) -> None:
        """Write nothing."""

    def write_validation(self, *_: Any) -> None:
        """Write nothing."""

    def write_checkpoint(self, *_: Any) -> None:
        """Write nothing."""

    def write_kept(self, *_: Any) -> None:
        """Write nothing."""

    def write_model(self, *_: Any) -> None:
        """Write nothing."""

    def write_picture(self, *_: Any) -> None:
        """Write nothing."""


class SilentResults(Results):
    """The results of a rank that draws nothing."""

    def draw_curves(self, *_: Any) -> None:
        """Draw nothing."""

    def draw_first_batch(self, *_: Any) -> None:
        """Draw nothing."""

    def draw_predictions(self, *_: Any) -> None:
        """Draw nothing."""
