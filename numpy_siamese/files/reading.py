"""Reading files that somebody else wrote: checked to be files, and not too large to read."""

import gzip
import io
import json
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numpy_siamese.errors import InputError, reason


@contextmanager
def open_input(
    path: str | os.PathLike[str], expected: str, most_bytes: int | None = None
) -> Iterator[tuple[io.BufferedReader, int]]:
    """Open a file to read, and yield it with its size in bytes.

    Parameters
    ----------
    path : path-like
    expected : str
        What it should be, for the message.
    most_bytes : int, optional
        Its largest size.

    Raises
    ------
    InputError
        On entering: it cannot be opened, is no regular file (a pipe could keep the reader waiting,
        a device never ends) or is larger. Within: an OSError of reading becomes one.
    """
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InputError(f"{path}: found no regular file, expected {expected}")
            if most_bytes is not None and status.st_size > most_bytes:
                raise InputError(
                    f"{path}: found {status.st_size} bytes, expected {expected}, "
                    f"of at most {most_bytes}"
                )
            yield file, status.st_size
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}, expected {expected}") from error


@contextmanager
def open_unpacked(
    path: str | os.PathLike[str], expected: str, most_bytes: int | None = None
) -> Iterator[tuple[io.BufferedIOBase, int | None]]:
    """Open a file, plain or gzip (told by its content), to read what it holds.

    Yields it with the number of bytes that it holds, None where only reading can tell.

    Raises
    ------
    InputError
        As `open_input`. Within: reading damaged gzip becomes one.
    """
    with open_input(path, expected, most_bytes) as (file, size):
        packed = file.peek(2)[:2] == b"\x1f\x8b"
        source: io.BufferedIOBase = gzip.GzipFile(fileobj=file) if packed else file
        try:
            yield source, None if packed else size
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InputError(
                f"{path}: damaged gzip ({reason(error)}), expected {expected}"
            ) from error


def read_json(path: str | os.PathLike[str], expected: str, most_bytes: int) -> Any:
    """Return what a file of JSON holds.

    Raises
    ------
    InputError
        As `open_input`, and for a file that is no JSON or too deeply nested.
    """
    with open_input(path, expected, most_bytes) as (file, _):
        content = file.read()
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: found no JSON ({reason(error)}), expected {expected}") from error


def _open_at_once(path: str, flags: int) -> int:
    """Open as `open` does, but a pipe without waiting for its other end."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
