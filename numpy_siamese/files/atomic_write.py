"""Files that appear whole or not at all."""

import os
import re
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
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(OSError):  # it may not be there yet, or no longer
            temporary.unlink()
        if isinstance(error, OSError):
            error.filename = str(path)  # a full disk has no name of its own
        raise
    _sync_folder(path.parent)


def leftovers(folder: Path) -> list[Path]:
    """Return the half-written files that killed processes have left in a folder."""
    name = re.compile(r"\.\w+\.(json|csv|png|safetensors|onnx)\.[0-9]+")
    return [entry for entry in folder.iterdir() if name.fullmatch(entry.name)]


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
