"""What is said to the person at the terminal, on streams that may lack characters or be gone."""

import errno
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

from numpy_siamese.errors import printable

WIDTH = 80
"""Columns of what is no terminal, or of one that does not know."""


def say(*parts: str) -> None:
    """Print a line on standard output at once; where there is none, nothing.

    Parameters
    ----------
    *parts : str
        What belongs together. They stand in one line, two spaces apart, where they fit; else the
        next part begins a new one, indented.

    Raises
    ------
    OSError
        Standard output cannot be written: its reader is gone, or the disk is full.
    """
    show(folded(parts, columns(sys.stdout)))


def show(text: str) -> None:
    """Print lines that are laid out already, as `say` prints one; raises the same."""
    try:
        write(sys.stdout, f"{text}\n")
    except OSError as error:
        error.filename = "standard output"
        raise


def complain(line: str) -> None:
    """Print a line on standard error, where that can be written: what is said is lost, no more."""
    with suppress(OSError):
        write(sys.stderr, f"{printable(line)}\n")


def write(stream: TextIO | None, text: str) -> None:
    """Write text at once, characters that the stream's encoding does not have as escapes.

    Without effect where there is no stream (a program without a console has None), where it is
    closed, and where its terminal is gone.

    Raises
    ------
    OSError
        It cannot be written.
    """
    if stream is None:
        return
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            encoding = getattr(stream, "encoding", None) or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        if hasattr(stream, "flush"):
            stream.flush()
    except ValueError:  # closed, or detached
        return
    except OSError as error:
        if error.errno != errno.EIO:  # what a terminal says that has been closed
            raise


def is_terminal(stream: Any) -> bool:
    """Whether a stream is a terminal on which a line can be written over."""
    try:
        return bool(stream.isatty()) and os.environ.get("TERM") != "dumb"
    except (AttributeError, ValueError):  # None, or an object that cannot tell; closed
        return False


def columns(stream: Any) -> int:
    """Return the width of a stream's terminal, `WIDTH` where it has none or does not know it."""
    if not is_terminal(stream):
        return WIDTH
    try:
        return os.get_terminal_size(stream.fileno()).columns or WIDTH
    except (AttributeError, OSError, ValueError):
        return WIDTH


def folded(parts: tuple[str, ...], width: int) -> str:
    """Return the parts as one line, or as several where they do not fit."""
    first, *others = map(printable, parts)
    lines = [first]
    for part in others:
        longer = f"{lines[-1]}  {part}"
        if len(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(f"  {part}")
    return "\n".join(lines)


def can_show(stream: Any, text: str) -> bool:
    """Whether a stream's encoding has the characters of a text."""
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return True
