"""What is wrong with a line of CSV, once the fast parser has refused it, and what may mend it."""

import csv
import math
import re
import reprlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from numpy_siamese.data.csv_header import is_number
from numpy_siamese.data.raw_images import MOST_LABEL, PIXELS

COLUMNS = 1 + PIXELS
EXPECTED = f"expected a label and {PIXELS} pixels a line"


class Line(NamedTuple):
    """A line that is not blank, without its end.

    Attributes
    ----------
    number : int
        Counted from 1, blank lines too.
    text : bytes
    ended : bool
        Whether a line end follows; without one it is the file's last.
    """

    number: int
    text: bytes
    ended: bool


def fields(line: Line) -> list[str]:
    """Return the fields of a line.

    Parameters
    ----------
    line : Line

    Returns
    -------
    list of str

    Raises
    ------
    csv.Error
        The line is not CSV.
    """
    (row,) = csv.reader([line.text.decode(errors="replace")], strict=True)
    return row


def first_fault(lines: Iterable[Line], label: int) -> str | None:
    """Return what is wrong with the first faulty line, None if none is told apart.

    It may look at every field, which would take too long for good lines.

    Parameters
    ----------
    lines : iterable of Line
    label : int
        The index of the column with the label.

    Returns
    -------
    str or None
    """
    ordinary = frozenset(map(str, range(256)))
    for line in lines:
        try:
            row = fields(line)
        except csv.Error as error:
            return f"line {line.number}: not CSV ({error}), {EXPECTED}{_cut_short(line)}"
        if len(row) != COLUMNS:
            return f"line {line.number}: {_width_fault(line, row)}"
        if not ordinary.issuperset(row) and (fault := _field_fault(row, label)):
            end = "" if row[-1] else _cut_short(line)
            return f"line {line.number}, {fault}{end}"
    return None


def _cut_short(line: Line) -> str:
    return "" if line.ended or line.number == 1 else ": the file ends here, cut short?"


def _width_fault(line: Line, row: Sequence[str]) -> str:
    if separator := _other_separator(line.text):
        return f"found columns separated by {separator}, expected commas ({COLUMNS} columns)"
    found = f"found {len(row)} columns" + (f" ({reprlib.repr(row[0])})" if len(row) == 1 else "")
    expected = f"expected {COLUMNS} (a label, then {PIXELS} pixels)"
    hint = _cut_short(line) if len(row) < COLUMNS else ""
    return f"{found}, {expected}{hint or _width_hint(row)}"


def _other_separator(text: bytes) -> str | None:
    """Return what separates the fields if it is not a comma."""
    commas = text.count(b",")
    for separator, name in ((b";", ";"), (b"\t", "tabs"), (b"|", "|")):
        # At least as many as between pixels: then a comma is that of 0,5.
        if text.count(separator) >= PIXELS - 1 or text.count(separator) > commas:
            return name
    words = text.split()
    numbers = len(words) > 1 and all(is_number(word.decode(errors="replace")) for word in words)
    return "spaces" if numbers or (len(words) >= PIXELS and not commas) else None


def _width_hint(row: Sequence[str]) -> str:
    """Return what may be the reason for another number of columns, "" if none is known."""
    width = len(row)
    one_hot = 10 + PIXELS
    guesses = {
        PIXELS: "no label?",
        COLUMNS + 1: "an index column first?" if row[-1] else "a comma at the line's end?",
        one_hot: "a column for each class instead of one label?",
    }
    if width in guesses:
        return f": {guesses[width]}"
    for channels, kind in ((1, "images"), (3, "colour images")):
        for labels, without in ((1, ""), (0, " without a label")):
            side = math.isqrt((width - labels) // channels)
            if side >= 8 and channels * side**2 + labels == width:
                return f": {kind} of {side}×{side}{without}?"
    return ""


def _field_fault(row: Sequence[str], label: int) -> str | None:
    for column, text in enumerate(row):
        kind, most = ("label", MOST_LABEL) if column == label else ("pixel", 255)
        if not (is_number(text) and float(text).is_integer() and 0 <= float(text) <= most):
            expected = f"a {kind}, a whole number from 0 to {most}"
            hint = _field_hint(text, [] if column == label else [*row[:label], *row[label + 1 :]])
            return f"column {column + 1}: found {reprlib.repr(text)}, expected {expected}{hint}"
    return None


def _field_hint(text: str, pixels: Sequence[str]) -> str:
    """Return what may be the reason for a field that is no label or none of these pixels."""
    if re.fullmatch(r"\s*-?\d+,\d+\s*", text):
        return ": a decimal comma?"
    if not pixels or not all(is_number(pixel) and math.isfinite(float(pixel)) for pixel in pixels):
        return ""
    numbers = [float(pixel) for pixel in pixels]
    if sum(number < 0 for number in numbers) > 1:
        return ": pixels centred or standardised?"
    if max(numbers) <= 1:
        return ": no pixel above 1 in this line: scaled to 0..1?"
    return ""
