"""Several names as they are typed in one argument."""

import argparse
import csv
import io

from numpy_siamese.errors import InputError


def split_names(text: str) -> list[str]:
    """Split names at commas and drop the spaces around each, as in ``7, 8,9``.

    A name with a comma in it is quoted as in CSV: ``"a, b",c``.

    Raises
    ------
    InputError
        What CSV cannot read: a line end, or a name of more than 131,072 letters.
    """
    try:
        rows = [*csv.reader([text], skipinitialspace=True)]
    except csv.Error as error:
        raise InputError(f"found {text!r:.80}, expected names with commas between") from error
    return [name.strip() for row in rows for name in row] or [""]


def names_in_one(text: str) -> str:
    """Return names in the one form that all their spellings have.

    Raises
    ------
    argparse.ArgumentTypeError
        As `split_names`.
    """
    try:
        names = split_names(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(names)
    return line.getvalue()
