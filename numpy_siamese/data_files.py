"""Readers of the two formats in which MNIST is passed around: CSV and IDX.

Every reader returns whole, checked arrays or raises an `InputError` that names the file, what was
found in it and what was expected.
"""

import codecs
import csv
import gzip
import io
import math
import os
import reprlib
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from numpy_siamese.errors import InputError, reason
from numpy_siamese.input_files import open_input

IMAGE_SHAPE = (28, 28)
PIXELS = math.prod(IMAGE_SHAPE)
MOST_LABEL = 2**31 - 1
IDX_IMAGES, IDX_LABELS = 0x00000803, 0x00000801  # uint8 in three dimensions, in one
IDX_MOST_ITEMS = 2**20  # EMNIST, the largest relative of MNIST in this format, has 814,255
IDX_MOST_BYTES = 2**30  # more than a million images need, packed or not
CHUNK_BYTES = 2**20
CSV_BLOCK_BYTES = 2**22  # less costs time, more only memory
CSV_MOST_LINE_BYTES = 2**16  # 785 numbers as `numpy.savetxt` writes them have 20 kB
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
        If the file cannot be read, is empty, has a header row, a line without 785 columns or one
        longer than 64 KiB, or if a label is not a whole number from 0 to 2³¹ − 1 or a pixel not one
        from 0 to 255. Lines and columns are counted from 1. Beside the images, memory holds some
        megabytes of the file at a time.
    """
    images: list[npt.NDArray[np.uint8]] = []
    labels: list[npt.NDArray[np.int64]] = []
    with open_input(path, "a CSV file") as (file, _):
        for rows in _row_blocks(file, path):
            if not rows:
                continue
            try:
                table = _parse_csv([line for _, line in rows])
            except ValueError as error:
                fault = _first_csv_fault(rows, first=not images) or (
                    f"line {rows[0][0]} or one of the next {len(rows)}: found {reason(error)}, "
                    f"{_CSV_EXPECTED}"
                )
                raise InputError(f"{path}: {fault}") from error
            images.append(table[:, 1:].astype(np.uint8, order="C"))
            labels.append(table[:, 0].astype(np.int64))
    if not images:
        raise InputError(f"{path}: found no line, {_CSV_EXPECTED}")
    return np.concatenate(images).reshape(-1, *IMAGE_SHAPE), np.concatenate(labels)


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


def _row_blocks(
    file: io.BufferedReader, path: str | os.PathLike[str]
) -> Iterator[list[tuple[int, bytes]]]:
    """Yield all lines that are not blank, some megabytes at a time, each with its number from 1.

    After a line without 785 columns no more come of its block: it is to be refused.
    """
    number, rest = 1, b""
    more = True
    while more:
        chunk = file.read(CSV_BLOCK_BYTES)
        block, more = rest + chunk, bool(chunk)
        # \r alone ends a line too, but at the block's end \n may follow.
        end = max(block.rfind(b"\n"), block.rfind(b"\r", 0, -1)) + 1 if more else len(block)
        lines, rest = block[:end].splitlines(), block[end:]
        yield _rows(lines, number, path)
        number += len(lines)
        if len(rest) > CSV_MOST_LINE_BYTES:
            raise _too_long_a_line(path, number)


def _rows(
    lines: Sequence[bytes], first: int, path: str | os.PathLike[str]
) -> list[tuple[int, bytes]]:
    rows = []
    for number, line in enumerate(lines, start=first):
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if len(line) > CSV_MOST_LINE_BYTES:
            raise _too_long_a_line(path, number)
        if not line or line.isspace():
            continue
        rows.append((number, line))
        if line.count(b",") != PIXELS:
            break
    return rows


def _too_long_a_line(path: str | os.PathLike[str], number: int) -> InputError:
    return InputError(
        f"{path}: line {number}: found more than {CSV_MOST_LINE_BYTES} bytes, {_CSV_EXPECTED}"
    )


def _parse_csv(lines: Sequence[bytes]) -> npt.NDArray[np.int64 | np.float64]:
    """Return the (n, 785) table of good labels and pixels; a ValueError says that it has a fault.

    The dtype is left to pandas: told a narrow one, it wraps 300 to 44 in silence (before 3.1), told
    any integer, it reads True as 1 (and needs more time).
    """
    import pandas as pd

    block = b"\n".join(lines)
    # No number has these. pandas would skip a byte order mark wherever a block starts, and make
    # room for any number of columns.
    if b"\0" in block or not block.isascii():
        raise ValueError("characters that are in no number")
    if any(line.count(b",") != PIXELS for line in lines):
        raise ValueError("a wrong number of columns")
    table = pd.read_csv(io.BytesIO(block), header=None, low_memory=False).to_numpy()
    # float64 if any number has a point or is missing
    if table.shape != (len(lines), 1 + PIXELS) or table.dtype not in (np.int64, np.float64):
        raise ValueError("no table of numbers")
    labels, pixels = table[:, 0], table[:, 1:]
    inside = pixels.min() >= 0 and pixels.max() <= 255  # never so if there is a nan
    inside = inside and labels.min() >= 0 and labels.max() <= MOST_LABEL
    if not inside or (table.dtype != np.int64 and (table % 1).any()):
        raise ValueError("a label or pixel that is not a whole number or out of range")
    return table


def _first_csv_fault(lines: Iterable[tuple[int, bytes]], first: bool) -> str | None:
    """Return what is wrong with the first faulty line, None if none is told apart.

    Runs only once the fast parser has refused the lines, and so may look at every field. `first`
    says that the lines are the file's first ones.
    """
    ordinary = frozenset(map(str, range(256)))
    for number, line in lines:
        try:
            (row,) = csv.reader([line.decode(errors="replace")], strict=True)
        except csv.Error as error:
            return f"line {number}: not CSV ({error}), {_CSV_EXPECTED}"
        if len(row) != 1 + PIXELS:
            expected = f"{1 + PIXELS} (a label, then {PIXELS} pixels)"
            return f"line {number}: found {len(row)} columns, expected {expected}"
        if not ordinary.issuperset(row):
            if first and not any(map(_is_number, row)):
                return f"line {number}: found a header row, expected a label and pixels"
            if fault := _first_field_fault(row):
                return f"line {number}, {fault}"
        first = False
    return None


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
    expected = f"{items} in IDX"
    with open_input(path, expected, IDX_MOST_BYTES) as (file, file_size):
        zipped = file.peek(2)[:2] == b"\x1f\x8b"
        source: io.BufferedIOBase = gzip.GzipFile(fileobj=file) if zipped else file
        try:
            count = _read_idx_header(source, path, magic, item_shape, items)
            size = count * math.prod(item_shape)
            if not zipped and file_size != file.tell() + size:
                raise _unlike_its_promise(path, file_size - file.tell(), count, size, items)
            # One byte too many tells trailing bytes; reaching the end makes gzip check its CRC.
            body = _read_at_most(source, size + 1)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InputError(
                f"{path}: damaged gzip ({reason(error)}), expected {expected}"
            ) from error
    if len(body) != size:
        raise _unlike_its_promise(path, len(body), count, size, items)
    return np.frombuffer(body, np.uint8).reshape(count, *item_shape)


def _unlike_its_promise(
    path: str | os.PathLike[str], found: int, count: int, size: int, items: str
) -> InputError:
    return InputError(
        f"{path}: found {f'more than {size}' if found > size else found} bytes after the header, "
        f"expected {size} for the {count} {items} it promises"
    )


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
