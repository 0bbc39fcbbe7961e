"""Members of a zip archive or a folder, read one by one: nothing is unpacked to disk."""

import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path, PurePosixPath

from numpy_siamese.errors import InputError, in_one_line, printable, reason, shortened
from numpy_siamese.files.reading import open_input

MOST_BYTES = 2**26
"""Of an archive; the largest has 9.5 MB."""

MOST_DIRECTORY_BYTES = 2**22
"""Of the list of members in an archive; the longest has 2.3 MB. Python keeps it in memory."""

MOST_MEMBERS = 50_000
MOST_MEMBER_BYTES = 2**16
"""Of one drawing or table, unpacked; the largest drawing has 600 bytes."""

MOST_NAME = 150
"""Characters of a member's name that a message has."""

EXPECTED = "a zip archive of Omniglot"
_END = b"PK\x05\x06"
_END_BYTES = 22
_LOCATOR_OF_64_BITS = b"PK\x06\x07"


@dataclass(frozen=True)
class Members:
    """Files by name, the names in order.

    Attributes
    ----------
    place : Path
        The archive or folder, for messages.
    names : tuple of str
        Parts are separated by slashes. None leaves the place.
    read : callable of str to bytes
        Read one of them.
    """

    place: Path
    names: tuple[str, ...]
    read: Callable[[str], bytes]

    def fault(self, name: str, what: str) -> InputError:
        """Return the error for a member.

        Parameters
        ----------
        name : str
        what : str
            What was found and what was expected.

        Returns
        -------
        InputError
        """
        return _error(self.place, name, what)


@contextmanager
def open_members(place: Path, root: str, top: str = ".*") -> Iterator[Members]:
    """Open a zip archive or a folder to read its members.

    What systems leave there is left out: names that begin with a dot, and ``__MACOSX``.

    Parameters
    ----------
    place : Path
        A folder, else an archive.
    root : str
        The folder that an archive has its members in. Names begin below it.
    top : str
        A pattern. What begins with other folders is left out.

    Yields
    ------
    Members

    Raises
    ------
    InputError
        The place cannot be read or is damaged. A name leaves the place, is there twice, is a link,
        or has an unusual packing. There are too many members, or one is too large.
    """
    if place.is_dir():
        yield _members_of_folder(place, re.compile(top))
        return
    with open_input(place, EXPECTED, MOST_BYTES) as (file, size):
        _check_directory(place, file, size)
        with _opened(place, file) as archive:
            yield _members_of_archive(place, root, re.compile(top), archive)


def _opened(place: Path, file: BufferedReader) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except MemoryError:
        raise
    except Exception as error:  # foreign code, which raises whatever it meets
        raise InputError(f"{place}: {_damaged(error)}, expected {EXPECTED}") from error


def _check_directory(place: Path, file: BufferedReader, size: int) -> None:
    """Refuse an archive whose list of members would take much memory."""
    start = max(0, size - _END_BYTES - 2**16)
    file.seek(start)
    tail = file.read()
    file.seek(0)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise InputError(f"{place}: found no end of a zip archive, expected {EXPECTED}")
    if _LOCATOR_OF_64_BITS in tail:
        raise InputError(f"{place}: found an archive of 64 bits, expected {EXPECTED}")
    length = int.from_bytes(tail[at + 12 : at + 16], "little")
    if length > MOST_DIRECTORY_BYTES:
        raise InputError(
            f"{place}: found a list of members of {length} bytes, expected {EXPECTED}, with at "
            f"most {MOST_DIRECTORY_BYTES}"
        )


def _members_of_archive(
    place: Path, root: str, top: re.Pattern[str], archive: zipfile.ZipFile
) -> Members:
    found: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = info.filename
        if what := _fault_of_name(name) or _fault_of_kind(info):
            raise _error(place, name, what)
        if name.endswith("/") or _is_left_out(name):
            continue
        name = name.removeprefix(f"{root}/")
        if not top.fullmatch(name.split("/")[0]):
            continue
        if name in found:
            raise _error(place, info.filename, "found twice, expected once")
        found[name] = info

    def read(name: str) -> bytes:
        try:
            with archive.open(found[name]) as member:
                return member.read(MOST_MEMBER_BYTES + 1)
        except Exception as error:  # foreign code, which raises whatever it meets
            raise _error(place, name, f"{_damaged(error)}, expected a whole file") from error

    return Members(place, tuple(sorted(found)), read)


def _fault_of_name(name: str) -> str | None:
    parts = PurePosixPath(name).parts
    if name.startswith("/") or "\\" in name or ":" in name or ".." in parts:
        return "found a path that leaves the archive, expected one within it"
    return None


def _fault_of_kind(info: zipfile.ZipInfo) -> str | None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "found a link or device, expected a file"
    if info.flag_bits & 1:
        return "found it encrypted, expected it readable"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"found packing of kind {info.compress_type}, expected stored or deflated"
    if info.file_size > MOST_MEMBER_BYTES:
        return f"found {info.file_size} bytes, expected at most {MOST_MEMBER_BYTES}"
    return None


def _members_of_folder(place: Path, top: re.Pattern[str]) -> Members:
    try:
        names = tuple(sorted(_below(place, "", top)))
    except OSError as error:
        raise InputError(f"{in_one_line(error)}, expected a folder of Omniglot") from error

    def read(name: str) -> bytes:
        with open_input(place / name, "a file of Omniglot", MOST_MEMBER_BYTES) as (file, _):
            return file.read()

    return Members(place, names, read)


def _below(folder: Path, before: str, top: re.Pattern[str] | None = None) -> Iterable[str]:
    """Return the names of all files below a folder."""
    names: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if _is_left_out(entry.name) or (top and not top.fullmatch(entry.name)):
                continue
            if entry.is_symlink():
                raise InputError(f"{entry.path}: found a link, expected a file or folder")
            if entry.is_dir():
                names += _below(Path(entry.path), f"{before}{entry.name}/")
            else:
                names.append(before + entry.name)
            if len(names) > MOST_MEMBERS:
                raise InputError(
                    f"{folder}: found more than {MOST_MEMBERS} files, expected Omniglot"
                )
    return names


def told(name: str) -> str:
    """Return a member's name as a message has it: printable, and not long.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
    """
    return shortened(printable(name), MOST_NAME)


def _error(place: Path, name: str, what: str) -> InputError:
    return InputError(f"{place}: {told(name)}: {what}")


def _is_left_out(name: str) -> bool:
    return any(part == "__MACOSX" or part.startswith(".") for part in name.split("/"))


def _damaged(error: Exception) -> str:
    return f"found it damaged ({reason(error) or type(error).__name__})"
