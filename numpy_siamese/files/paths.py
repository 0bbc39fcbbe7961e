"""Paths as people type them."""

import os
import shlex
import sys
from pathlib import Path

from numpy_siamese.errors import InputError
from numpy_siamese.terminal import console


def expanded(text: str) -> str:
    """Return a path with a home folder for ``~`` or ``~user`` at its beginning.

    A shell expands them only where a word begins, not in ``--out=~/x``. A folder that is really
    called so is written ``./~``.

    Raises
    ------
    InputError
        An empty path; one that no system has; a home folder that is not known.
    """
    if not text:
        raise InputError("found an empty path, expected one")
    if "\0" in text:
        raise InputError(f"found {text!r:.80}, expected a path without the character NUL")
    if not text.startswith("~"):
        return text
    found = os.path.expanduser(text)
    if found.startswith("~"):
        raise InputError(
            f"found no home folder for {text!r:.80}, expected one, or ./~ for a folder of that name"
        )
    return found


def shell_word(path: Path) -> str:
    """Return a path as a word that can be pasted into a shell, and read as a path by a flag."""
    text = f"./{path}" if str(path).startswith(("-", "~")) else str(path)
    if text.isprintable() and console.can_show(sys.stderr, text):
        return shlex.quote(text)
    return f"$'{''.join(map(_in_quotes, os.fsencode(text)))}'"


def _in_quotes(byte: int) -> str:
    """Return a byte as it stands between $' and ': itself, or its three octal digits."""
    c = chr(byte)
    return c if " " <= c <= "~" and c not in "\\'" else f"\\{byte:03o}"
