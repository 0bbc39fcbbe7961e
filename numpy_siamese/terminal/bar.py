"""The line at the bottom of the terminal that says how far the work is."""

import os
import sys
import time
from collections.abc import Sequence

from numpy_siamese.terminal import console

PAUSE = 0.1
"""Seconds from one drawing to the next."""

LEAST_GRAPHIC = 5
"""Columns below which a graphic bar shows nothing."""

ERASE = "\x1b[J" if os.name == "posix" else ""
"""Erases all behind the cursor, and so what is left of a line that was wider than the terminal now
is. Elsewhere terminals may not know it; there spaces write over the line."""


class Bar:
    """A line on standard error that is written over; true where that is a terminal, else nothing.

    The cursor waits at its beginning. So whatever is written next, by whomever, takes its place. A
    terminal that is made narrower has nothing before the cursor to keep.
    """

    def __init__(self) -> None:
        self._stream = sys.stderr if console.is_terminal(sys.stderr) else None
        self._next = -float("inf")
        self._line = ""

    def __bool__(self) -> bool:
        return self._stream is not None

    def show(self, share: float, texts: Sequence[str]) -> None:
        """Show a share of the work and a text, at most ten times a second.

        Parameters
        ----------
        share : float
            Of the work that is done, 0..1.
        texts : sequence of str
            The same at different lengths, the longest first: the first is taken that fits.
        """
        if self._stream is None:
            return
        now = time.perf_counter()
        if now >= self._next:
            self._next = now + PAUSE
            full, empty = "█░" if console.can_show(self._stream, "█░") else "#."
            self._line = composed(share, texts, console.columns(self._stream) - 1, full, empty)
            self._write(self._line)

    def hide(self) -> None:
        """Take the line away."""
        self._write("")

    def close(self) -> None:
        """Take the line away for good."""
        self.hide()
        self._stream = None

    def show_again(self) -> None:
        """Show what `hide` took away."""
        self._write(self._line)

    def _write(self, line: str) -> None:
        rest = ERASE or " " * max(console.columns(self._stream) - 1 - len(line), 0)
        try:
            console.write(self._stream, f"{line}{rest}\r")
        except OSError:  # nobody watches any more
            self._stream = None


def composed(share: float, texts: Sequence[str], room: int, full: str, empty: str) -> str:
    """Return a line of at most `room` columns: a text, and before it what else has room.

    That is a graphic bar with its percentage, else the percentage.
    """
    text = next((text for text in texts if len(text) <= room), texts[-1][: max(room, 0)])
    percent = f"{int(100 * share):3d}%"  # rounded down: 100 % is all
    graphic = room - len(text) - len(percent) - 2
    if graphic >= LEAST_GRAPHIC:
        done = int(graphic * share)
        return f"{percent} {full * done}{empty * (graphic - done)} {text}"
    if graphic >= -1:
        return f"{percent} {text}"
    return text
