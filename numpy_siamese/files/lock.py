"""One writer in a folder at a time."""

import os
import weakref
from contextlib import suppress
from pathlib import Path

from numpy_siamese.errors import InputError

with suppress(ImportError):  # Windows: two runs in one folder are not told apart there
    import fcntl

LOCK = ".lock"

IS_KEPT = "fcntl" in globals()
"""Whether the operating system keeps others out."""


class FolderLock:
    """The right to write in a folder, held until `release` or the end of the process.

    The operating system holds the lock (flock) on the file `.lock`, which names the process. When
    the process dies, however it dies, the lock is free: a file that is left is taken over.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    InputError
        Another process, or another run of this one, holds the lock.
    OSError
        The file cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / LOCK
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                self._lock(descriptor, folder)
                still_there = _is_same_file(path, descriptor)
                if still_there:
                    os.ftruncate(descriptor, 0)
                    os.write(descriptor, str(os.getpid()).encode())
            except BaseException:
                os.close(descriptor)
                raise
            if still_there:
                break
            os.close(descriptor)  # its holder has just removed it
        self._finalizer = weakref.finalize(self, _release, path, descriptor)

    def release(self) -> None:
        """Remove the file and let others in; a second call does nothing."""
        self._finalizer()

    @staticmethod
    def _lock(descriptor: int, folder: Path) -> None:
        if not IS_KEPT:
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 20).decode(errors="replace") or "another process"
            raise InputError(
                f"{folder}: process {holder} is writing to it, expected one run at a time"
            ) from error


def _is_same_file(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _release(path: Path, descriptor: int) -> None:
    try:
        if _is_same_file(path, descriptor):
            path.unlink()
    except OSError:  # a folder that cannot be written any more; the lock is free all the same
        pass
    finally:
        os.close(descriptor)
