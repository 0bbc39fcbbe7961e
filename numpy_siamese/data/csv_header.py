"""The first row of a table: whether it is a header, and where that says the label is."""

import re
from collections import Counter
from collections.abc import Sequence

from numpy_siamese.data.raw_images import PIXELS

_LABEL_NAMES = frozenset({"label", "labels", "class", "target", "y"})
_INDEX_NAMES = frozenset({"", "id", "index", "idx", "imageid", "image_id", "unnamed: 0"})


def is_number(text: str) -> bool:
    """Tell whether a field is a number in the way that pandas reads one.

    Parameters
    ----------
    text : str

    Returns
    -------
    bool
    """
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text  # Python reads 1_000 as a number, pandas does not


def is_header(row: Sequence[str]) -> bool:
    """Tell whether a row of 785 fields can only be names.

    Either at least 784 of them differ, which pixels of 256 values cannot. Or none is a number, and
    one is a usual name of a label. Names may be numbers, as pandas numbers columns. But a row of
    numbers with fractions is one of scaled pixels.

    Parameters
    ----------
    row : sequence of 785 str

    Returns
    -------
    bool
    """
    numbers = [field for field in row if is_number(field)]
    if len(set(row)) < PIXELS:
        return not numbers and bool(_usual(row))
    return len(numbers) < len(row) or all(float(number).is_integer() for number in numbers)


def label_column(names: Sequence[str]) -> int | None:
    """Return the index of the column that a header names as the label, None if it does not say.

    It is the one with a usual name (``label``, ``class``, ``target``, ``y``). Else it is the first
    or the last, if its name, without digits, is unlike all the others (``digit,pixel0,pixel1``).

    Parameters
    ----------
    names : sequence of str

    Returns
    -------
    int or None
    """
    if usual := _usual(names):
        return usual[0]
    stems = [re.sub(r"\d+", "", _plain(name)) for name in names]
    times = Counter(stems)
    odd = [i for i in (0, len(stems) - 1) if times[stems[i]] == 1]
    return odd[0] if len(odd) == 1 and len(times) == 2 else None


def header_fault(row: Sequence[str]) -> str | None:
    """Return what is wrong with a table that has this first row, None if it does not say.

    Parameters
    ----------
    row : sequence of str

    Returns
    -------
    str or None
    """
    expected = f"expected a label and {PIXELS} pixels"
    if _is_made_of_an_image(row):
        return f": found a header made of an image ({', '.join(row[:4])}, …), {expected}"
    if not is_header(row):
        return None
    usual = _usual(row)
    if len(usual) > 1:
        names = " and ".join(repr(row[i]) for i in usual[:2])
        return f", column {usual[1] + 1}: found a second label ({names}), {expected}"
    for column, name in enumerate(row, start=1):
        if _plain(name) in _INDEX_NAMES:
            found = f"found {f'the name {name!r}' if name else 'no name'} (an index column?)"
            return f", column {column}: {found}, {expected}"
    return None


def _is_made_of_an_image(row: Sequence[str]) -> bool:
    """Tell whether pandas made a header of a row of numbers: ``0, 0.1, 0.2`` of three zeros."""
    seen: Counter[str] = Counter()
    for field in row:
        number = field.partition(".")[0]
        if field != (f"{number}.{seen[number]}" if seen[number] else number):
            return False
        seen[number] += 1
    return len(seen) < len(row) and all(map(str.isdigit, seen))


def _usual(names: Sequence[str]) -> list[int]:
    return [i for i, name in enumerate(names) if _plain(name) in _LABEL_NAMES]


def _plain(name: str) -> str:
    return name.strip(" \t#").casefold()  # numpy.savetxt begins its header with "# "
