"""Files that appear whole or not at all."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file beside its place, sync it to disk, then rename it into place.

    A reader, or a process that is killed meanwhile, finds the old file or the new one.

    Raises
    ------
    OSError
        It cannot be written; the error names the file.
    """
    write_together({path: content})


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Write files beside their places, sync them, then rename all into place, in this order.

    As long as a file cannot be written, every place has what it had. Each file is old or new.

    Raises
    ------
    OSError
        One cannot be written; the error names it.
    """
    waiting = {path: path.with_name(f".{path.name}.{os.getpid()}") for path in contents}
    path = None
    try:
        for path, temporary in waiting.items():
            with open(temporary, "wb") as file:
                file.write(contents[path])
                file.flush()
                os.fsync(file.fileno())
        for path, temporary in waiting.items():
            os.replace(temporary, path)
    except BaseException as error:
        for temporary in waiting.values():
            with suppress(OSError):  # it may not be there yet, or no longer
                temporary.unlink()
        if isinstance(error, OSError):
            error.filename = str(path)  # a full disk has no name of its own
        raise
    for folder in {path.parent for path in contents}:
        _sync_folder(folder)


def leftovers(folder: Path) -> list[Path]:
    """Return the half-written files that killed processes have left in a folder."""
    name = re.compile(r"\.[\w-]+\.(json|csv|png|safetensors)\.[0-9]+")
    return [entry for entry in folder.iterdir() if name.fullmatch(entry.name)]


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
