"""Folders that are made and taken back."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def missing_folders(path: Path) -> list[Path]:
    """Return the folder and its parents that are not there, the innermost first."""
    return [folder for folder in (path, *path.parents) if not os.path.lexists(folder)]


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove the folders that are there and empty, in this order."""
    for folder in folders:
        with suppress(OSError):  # it is not there, or somebody has put something into it
            folder.rmdir()


@contextmanager
def folder_made(path: Path) -> Iterator[None]:
    """Make a folder and its parents; after an error, leave none that is new and empty.

    Raises
    ------
    OSError
        It cannot be made.
    """
    missing = missing_folders(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        remove_empty(missing)
        raise
