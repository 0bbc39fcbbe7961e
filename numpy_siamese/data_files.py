"""Readers of the two formats in which MNIST is passed around: CSV and IDX.

Every reader returns whole, checked arrays or raises an `InputError` that names the file, what was
found in it and what was expected.
"""

import csv
import gzip
import io
import math
import os
import reprlib
import struct
import warnings
import zlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from numpy_siamese.errors import InputError

IMAGE_SHAPE = (28, 28)
PIXELS = math.prod(IMAGE_SHAPE)
MOST_LABEL = 2**31 - 1
IDX_IMAGES, IDX_LABELS = 0x00000803, 0x00000801  # uint8 in three dimensions, in one
IDX_MOST_ITEMS = 2**20  # EMNIST, the largest relative of MNIST in this format, has 814,255
CHUNK_BYTES = 2**20
_CSV_EXPECTED = f"expected a label and {PIXELS} pixels a line"


def read_csv(path: str | os.PathLike[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Read labelled images from a CSV file without header: a label, then 784 pixels, a line.

    A number may be written in any way that leaves it whole (``3``, ``3.0``, ``3e0``, ``"3"``),
    as spreadsheets and `numpy.savetxt` do. Blank lines are skipped.

    Parameters
    ----------
    path : path-like
        The file, uncompressed.

    Returns
    -------
    images : ndarray of uint8, shape (n, 28, 28)
    labels : ndarray of int64, shape (n,)

    Raises
    ------
    InputError
        If the file cannot be read, is empty, has a header row or a line without 785 columns, or if
        a label is not a whole number from 0 to 2³¹ − 1 or a pixel not one from 0 to 255. Lines and
        columns are counted from 1.
    """
    try:
        table = _parse_csv(path)
    except OSError as error:
        raise _unreadable(path, error, "a CSV file") from error
    except ValueError as error:
        fault = _first_csv_fault(path) or f"{' '.join(str(error).split())}, {_CSV_EXPECTED}"
        raise InputError(f"{path}: {fault}") from error
    # pandas holds each column in a row of memory: turned block by block, it stays in the cache.
    images = np.empty((len(table), PIXELS), np.uint8)
    for start in range(0, len(table), 4096):
        images[start : start + 4096] = table[start : start + 4096, 1:]
    return images.reshape(-1, *IMAGE_SHAPE), table[:, 0].astype(np.int64)


def read_idx_images(path: str | os.PathLike[str]) -> npt.NDArray[np.uint8]:
    """Read the images of an IDX file, plain or gzip (told by its content, not by its name).

    Parameters
    ----------
    path : path-like
        Big-endian header 0x00000803, count, 28, 28; then count × 784 bytes.

    Returns
    -------
    ndarray of uint8, shape (count, 28, 28)

    Raises
    ------
    InputError
        If the file cannot be read, is damaged, is not such a file, or holds fewer or more bytes
        than its header promises. Memory grows with the bytes found, never with the promise.

    References
    ----------
    LeCun, Cortes & Burges, *The MNIST database of handwritten digits*: the IDX file format.
    """
    return _read_idx(path, IDX_IMAGES, IMAGE_SHAPE, "images")


def read_idx_labels(path: str | os.PathLike[str]) -> npt.NDArray[np.int64]:
    """Read the labels of an IDX file, plain or gzip: header 0x00000801, count; then count bytes.

    Returns
    -------
    ndarray of int64, shape (count,)

    Raises
    ------
    InputError
        As `read_idx_images` does.
    """
    return _read_idx(path, IDX_LABELS, (), "labels").astype(np.int64)


def _parse_csv(path: str | os.PathLike[str]) -> npt.NDArray[np.int64 | np.float64]:
    """Return the (n, 785) table of good labels and pixels; a ValueError says that it has a fault.

    The dtype is left to pandas: told a narrow one, it wraps 300 to 44 in silence (before 3.1), told
    any integer, it reads True as 1 (and needs more time).
    """
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.DtypeWarning)  # text among the numbers: see below
        # An absolute path is never taken for a URL or a home directory.
        frame = pd.read_csv(os.path.abspath(path), header=None, compression=None)
    table = frame.to_numpy()  # (n, 785), float64 if any number has a point or is missing
    if table.shape[1] != 1 + PIXELS or table.dtype not in (np.int64, np.float64):
        raise ValueError("not a table of numbers")
    labels, pixels = table[:, 0], table[:, 1:]
    inside = pixels.min() >= 0 and pixels.max() <= 255  # never so if there is a nan
    inside = inside and labels.min() >= 0 and labels.max() <= MOST_LABEL
    if not inside or (table.dtype != np.int64 and (table % 1).any()):
        raise ValueError("a label or pixel is not a whole number or out of range")
    return table


def _first_csv_fault(path: str | os.PathLike[str]) -> str | None:
    """Return what is wrong with the file's first faulty line, None if every line is good.

    Runs only once the fast parser has refused the file, and so may look at every field.
    """
    ordinary = frozenset(map(str, range(256)))
    first = True
    try:
        with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
            for line, row in _csv_rows(file):
                if len(row) != 1 + PIXELS:
                    expected = f"{1 + PIXELS} (a label, then {PIXELS} pixels)"
                    return f"line {line}: found {len(row)} columns, expected {expected}"
                if not ordinary.issuperset(row):
                    if first and not any(map(_is_number, row)):
                        return f"line {line}: found a header row, expected a label and pixels"
                    if fault := _first_field_fault(row):
                        return f"line {line}, {fault}"
                first = False
    except csv.Error as error:
        return f"not a CSV file ({error}), {_CSV_EXPECTED}"
    return f"found no line, {_CSV_EXPECTED}" if first else None


def _csv_rows(file: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number from 1, fields) of every line that is not blank."""
    reader = csv.reader(file)
    for row in reader:
        if len(row) > 1 or "".join(row).strip():
            yield reader.line_num, row


def _first_field_fault(row: Sequence[str]) -> str | None:
    for column, text in enumerate(row, start=1):
        kind, most = ("label", MOST_LABEL) if column == 1 else ("pixel", 255)
        if not (_is_number(text) and float(text).is_integer() and 0 <= float(text) <= most):
            expected = f"a {kind}, a whole number from 0 to {most}"
            return f"column {column}: found {reprlib.repr(text)}, expected {expected}"
    return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text  # Python reads 1_000 as a number, pandas does not


def _read_idx(
    path: str | os.PathLike[str], magic: int, item_shape: tuple[int, ...], items: str
) -> npt.NDArray[np.uint8]:
    """Return the (count, *item_shape) array of an IDX file of `items`."""
    try:
        with open(path, "rb") as file:
            zipped = file.peek(2)[:2] == b"\x1f\x8b"
            source: io.BufferedIOBase = gzip.GzipFile(fileobj=file) if zipped else file
            count = _read_idx_header(source, path, magic, item_shape, items)
            size = count * math.prod(item_shape)
            # One byte too many tells trailing bytes; reaching the end makes gzip check its CRC.
            body = _read_at_most(source, size + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path}: damaged gzip ({error}), expected {items} in IDX") from error
    except OSError as error:
        raise _unreadable(path, error, f"{items} in IDX") from error
    if len(body) != size:
        found = f"more than {size}" if len(body) > size else f"{len(body)}"
        raise InputError(
            f"{path}: found {found} bytes after the header, "
            f"expected {size} for the {count} {items} it promises"
        )
    return np.frombuffer(body, np.uint8).reshape(count, *item_shape)


def _read_idx_header(
    source: io.BufferedIOBase,
    path: str | os.PathLike[str],
    magic: int,
    item_shape: tuple[int, ...],
    items: str,
) -> int:
    """Check the header, big-endian (magic, count, *item_shape), and return its count."""
    layout = struct.Struct(f">{2 + len(item_shape)}I")
    header = source.read(layout.size)
    if len(header) < layout.size:
        raise InputError(
            f"{path}: found {len(header)} bytes, expected {items} in IDX, with a header of "
            f"{layout.size} bytes"
        )
    found_magic, count, *found_shape = layout.unpack(header)
    if found_magic != magic:
        raise InputError(
            f"{path}: found magic number 0x{found_magic:08x}, "
            f"expected 0x{magic:08x} ({items} in IDX)"
        )
    if tuple(found_shape) != item_shape:
        found, expected = ("×".join(map(str, shape)) for shape in (found_shape, item_shape))
        raise InputError(f"{path}: found {items} of {found} pixels, expected {expected}")
    if count > IDX_MOST_ITEMS:
        raise InputError(
            f"{path}: found a header that promises {count} {items}, expected at most "
            f"{IDX_MOST_ITEMS}"
        )
    return count


def _read_at_most(source: io.BufferedIOBase, limit: int) -> bytearray:
    # In chunks, because read(limit) would allocate what a false header promises.
    body = bytearray()
    while chunk := source.read(min(CHUNK_BYTES, limit - len(body))):
        body += chunk
    return body


def _unreadable(path: str | os.PathLike[str], error: OSError, expected: str) -> InputError:
    return InputError(f"{path}: {error.strerror or error}, expected {expected}")
