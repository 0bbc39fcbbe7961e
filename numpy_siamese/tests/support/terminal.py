"""A terminal that remembers what can be seen on it."""

import io
import os

import pytest


class Terminal(io.StringIO):
    """A stream that is a terminal of so many columns; `columns` may change, as in a window.

    It understands line ends, carriage returns and the code that erases all behind the cursor. A
    line that is too long goes on in the next row, from where a carriage return leads to that row's
    beginning.
    """

    encoding = "utf-8"

    def __init__(self, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.columns = columns
        self.lines, self._row, self._column = [""], 0, 0
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((self.columns, 24)))

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return -1

    def write(self, text: str) -> int:
        for part in text.replace("\x1b[J", "\0"):
            self._put(part)
        return super().write(text)

    def _put(self, c: str) -> None:
        line = self.lines[self._row]
        if c == "\0":
            self.lines[self._row :] = [line[: self._column]]
        elif c == "\n":
            self._row, self._column = self._row + 1, 0
            if self._row == len(self.lines):
                self.lines.append("")
        elif c == "\r":
            wide = self.columns or self._column + 1
            self._column = max(self._column - 1, 0) // wide * wide
        else:
            self.lines[self._row] = line[: self._column] + c + line[self._column + 1 :]
            self._column += 1

    def seen(self) -> list[str]:
        """Return the lines that can be seen, without spaces at their ends."""
        return [line.rstrip() for line in self.lines]
