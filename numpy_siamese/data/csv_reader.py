"""Reader of labelled images in CSV, as MNIST and its relatives are passed around."""

import codecs
import csv
import io
import itertools
import os
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from numpy_siamese.data.csv_faults import COLUMNS, EXPECTED, Line, fields, first_fault
from numpy_siamese.data.csv_header import header_fault, is_header, label_column
from numpy_siamese.data.csv_label import looks_last
from numpy_siamese.data.file_kind import HEAD_BYTES, TEXT, file_kind
from numpy_siamese.data.raw_images import IMAGE_SHAPE, MOST_IMAGES, MOST_LABEL, PIXELS
from numpy_siamese.errors import InputError, reason
from numpy_siamese.files.reading import open_unpacked

BLOCK_BYTES = 2**22  # less costs time, more only memory
MOST_LINE_BYTES = 2**16  # 785 numbers as `numpy.savetxt` writes them have 20 kB
MOST_BYTES = 2**33  # unpacked; half a million lines of `numpy.savetxt`


def read_csv(path: str | os.PathLike[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Read labelled images from a CSV file: a label, then 784 pixels, a line.

    The file may begin with a header row. Where that names the label's column (``pixel0``, …,
    ``pixel783``, ``label``), the label is there; else it comes first. A number may be written in
    any way that leaves it whole (``3``, ``3.0``, ``3e0``, ``"3"``), as spreadsheets and
    `numpy.savetxt` do. Blank lines are skipped.

    Parameters
    ----------
    path : path-like
        The file, plain or gzip (told by its content, not by its name).

    Returns
    -------
    images : ndarray of uint8, shape (n, 28, 28)
    labels : ndarray of int64, shape (n,)

    Raises
    ------
    InputError
        The file cannot be read, is damaged, is something else, or is empty. It has more than 2²⁰
        images, a line without 785 columns, or one longer than 64 KiB. A label is not a whole number
        from 0 to 2³¹ − 1, or a pixel not one from 0 to 255. The last column looks like the label,
        and no header says where it is (`csv_label.looks_last`).

    Notes
    -----
    Messages count lines and columns from 1. Beside the images, memory holds some megabytes of the
    file at a time.
    """
    with open_unpacked(path, "a CSV file") as (source, _):
        header, blocks = _split_header(filter(None, _line_blocks(source, path)), path)
        column = label_column(header) if header else None
        images, labels = _read_rows(blocks, column or 0, path)
    if not len(images):
        raise InputError(f"{path}: found {'only a header' if header else 'no line'}, {EXPECTED}")
    if column is None and looks_last(labels, images):
        values = len(np.unique(images[:, -1, -1]))
        raise InputError(
            f"{path}: the last column looks like the label (found {values} values), the first like "
            "a pixel, expected the label first, or a header row that names its column"
        )
    return images, labels


def _line_blocks(
    source: io.BufferedIOBase, path: str | os.PathLike[str]
) -> Iterator[Sequence[Line]]:
    """Yield all lines that are not blank, some megabytes at a time.

    After a line without 785 columns no more come of its block: it is to be refused. The first line
    may be a header, with commas in its names.
    """
    number, size, rest = 1, 0, b""
    begun, more = False, True
    while more:
        chunk = source.read(BLOCK_BYTES)
        if not size:
            _refuse_other_kinds(chunk[:HEAD_BYTES], path)
            chunk = chunk.removeprefix(codecs.BOM_UTF8)
        block, more, size = rest + chunk, bool(chunk), size + len(chunk)
        # \r alone ends a line too, but at the block's end \n may follow.
        end = max(block.rfind(b"\n"), block.rfind(b"\r", 0, -1)) + 1 if more else len(block)
        lines, rest = block[:end].splitlines(), block[end:]
        ended = more or block.endswith((b"\n", b"\r"))
        found = _lines(lines, number, ended, begun, path)
        yield found
        begun = begun or bool(found)
        number += len(lines)
        if len(rest) > MOST_LINE_BYTES:
            raise _too_long_a_line(path, number)
        if size > MOST_BYTES:
            raise InputError(f"{path}: found more than {MOST_BYTES} bytes, {EXPECTED}, no more")
        if lines and not found and end >= BLOCK_BYTES:
            raise InputError(f"{path}: line {number}: found {end} blank bytes before, {EXPECTED}")


def _refuse_other_kinds(head: bytes, path: str | os.PathLike[str]) -> None:
    kind = file_kind(head) if head else None
    if kind not in (None, TEXT):
        raise InputError(f"{path}: found {kind}, {EXPECTED} in CSV")


def _lines(
    texts: Sequence[bytes], first: int, ended: bool, begun: bool, path: str | os.PathLike[str]
) -> Sequence[Line]:
    lines: list[Line] = []
    for number, text in enumerate(texts, start=first):
        if len(text) > MOST_LINE_BYTES:
            raise _too_long_a_line(path, number)
        if not text or text.isspace():
            continue
        lines.append(Line(number, text, ended or number < first + len(texts) - 1))
        if text.count(b",") != PIXELS and (begun or len(lines) > 1):
            break
    return lines


def _too_long_a_line(path: str | os.PathLike[str], number: int) -> InputError:
    return InputError(f"{path}: line {number}: found more than {MOST_LINE_BYTES} bytes, {EXPECTED}")


def _split_header(
    blocks: Iterator[Sequence[Line]], path: str | os.PathLike[str]
) -> tuple[Sequence[str] | None, Iterator[Sequence[Line]]]:
    """Return the fields of the header row, if there is one, and the blocks without it."""
    first = next(blocks, [])
    try:
        row = [field.strip() for field in fields(first[0])] if first else []
    except csv.Error:
        row = []  # told when it is read as a row
    if len(row) != COLUMNS:
        return None, itertools.chain([first], blocks)
    fault = header_fault(row)
    if fault:
        raise InputError(f"{path}: line {first[0].number}{fault}")
    if not is_header(row):
        return None, itertools.chain([first], blocks)
    return row, itertools.chain([first[1:]], blocks)


def _read_rows(
    blocks: Iterator[Sequence[Line]], label: int, path: str | os.PathLike[str]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return the images of all lines, and the labels, which are in the column `label`."""
    images = [np.empty((0, PIXELS), np.uint8)]
    labels = [np.empty(0, np.int64)]
    count = 0
    for lines in filter(None, blocks):
        try:
            some_images, some_labels = _parse([line.text for line in lines], label)
        except ValueError as error:
            fault = first_fault(lines, label) or (
                f"line {lines[0].number} or one of the next {len(lines)}: found {reason(error)}, "
                f"{EXPECTED}"
            )
            raise InputError(f"{path}: {fault}") from error
        images.append(some_images)
        labels.append(some_labels)
        count += len(some_labels)
        if count > MOST_IMAGES:
            raise InputError(f"{path}: found {count} images, expected at most {MOST_IMAGES}")
    return np.concatenate(images).reshape(-1, *IMAGE_SHAPE), np.concatenate(labels)


def _parse(
    lines: Sequence[bytes], label: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return the images (n, 784) and labels (n,) of lines; a ValueError says that one has a fault.

    The dtype is left to pandas. Told a narrow one, it wraps 300 to 44 in silence (before 3.1). Told
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
    if table.shape != (len(lines), COLUMNS) or table.dtype not in (np.int64, np.float64):
        raise ValueError("no table of numbers")
    labels, pixels = table[:, label], np.delete(table, label, axis=1)
    inside = pixels.min() >= 0 and pixels.max() <= 255  # never so if there is a nan
    inside = inside and labels.min() >= 0 and labels.max() <= MOST_LABEL
    if not inside or (table.dtype != np.int64 and (table % 1).any()):
        raise ValueError("a label or pixel that is not a whole number or out of range")
    return pixels.astype(np.uint8, order="C"), labels.astype(np.int64)
