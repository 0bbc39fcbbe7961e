"""What is written to a terminal or a file: escaped, folded, at once, or not at all."""

import errno
import io
import os
import sys

import pytest

from numpy_siamese.terminal import console
from numpy_siamese.tests.support.streams import Failing, Minimal, closed, detached, encoded


@pytest.mark.parametrize(
    ("encoding", "text", "expected"),
    [
        ("utf-8", "数字 ü", "数字 ü".encode()),
        ("ascii", "数字 ü", b"\\u6570\\u5b57 \\xfc"),
        ("cp1252", "数字 ü", b"\\u6570\\u5b57 \xfc"),
        ("utf-8", "caf\udce9", b"caf\\udce9"),
        ("latin-1", "a\nb\x1b[31m\t", b"a\\nb\\x1b[31m\\t"),
    ],
)
@pytest.mark.parametrize(
    ("stream", "tell"), [("stdout", console.say), ("stderr", console.complain)]
)
def test_what_a_stream_lacks_is_escaped(monkeypatch, encoding, text, expected, stream, tell):
    """Broken otherwise: a name ends a run when it is printed, or speaks to the terminal."""
    file = encoded(encoding)
    monkeypatch.setattr(sys, stream, file)
    tell(text)
    assert file.buffer.getvalue() == expected + b"\n"


@pytest.mark.parametrize("make", [lambda: None, closed, detached], ids=["none", "closed", "gone"])
def test_where_there_is_no_stream_nothing_is_said(monkeypatch, make):
    """Broken otherwise: a program without a console cannot train."""
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, make())
    console.say("a line")
    console.complain("a line")


def test_a_stream_that_only_writes_is_enough(monkeypatch):
    """Broken otherwise: a window that shows what is printed ends the run."""
    out, err = Minimal(), Minimal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    console.say("数")
    console.complain("数")
    assert (out.text, err.text) == ("数\n", "数\n")


def test_a_stream_of_text_in_memory_takes_everything(monkeypatch, tmp_path):
    """Broken otherwise: what a test or a notebook captures is full of escapes."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    console.say("数")
    assert out.getvalue() == "数\n"


def test_lines_are_written_at_once(monkeypatch):
    """Broken otherwise: a log file says nothing for hours, and nothing at all after a crash."""
    for name, tell in (("stdout", console.say), ("stderr", console.complain)):
        raw = io.BytesIO()
        stream = io.TextIOWrapper(io.BufferedWriter(raw), newline="\n")
        monkeypatch.setattr(sys, name, stream)
        tell("epoch 1")
        assert raw.getvalue() == b"epoch 1\n"


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC])
def test_an_output_that_cannot_be_written_is_told(monkeypatch, number):
    """Broken otherwise: a log that is cut off looks like a run that has stopped."""
    monkeypatch.setattr(sys, "stdout", Failing(number))
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        console.say("a line")
    assert caught.value.errno == number
    assert caught.value.filename == "standard output"


def test_a_terminal_that_is_gone_is_no_output(monkeypatch):
    """Broken otherwise: a run that shall go on without its terminal ends with it."""
    monkeypatch.setattr(sys, "stdout", Failing(errno.EIO))
    console.say("a line")


def test_width_is_that_of_the_terminal(monkeypatch):
    """Broken otherwise: lines are folded for another width than the terminal has."""

    class Terminal(Minimal):
        def isatty(self):
            return True

        def fileno(self):
            return 7

    monkeypatch.setenv("TERM", "xterm")
    sizes = {7: 132}
    monkeypatch.setattr(os, "get_terminal_size", lambda fd: os.terminal_size((sizes[fd], 24)))
    assert console.columns(Terminal()) == 132
    sizes[7] = 0
    assert console.columns(Terminal()) == 80
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((0, 0)) and 1 / 0)
    for stream in (None, closed(), detached(), Minimal()):
        assert console.columns(stream) == 80

    def unknown(_):
        raise OSError(errno.ENOTTY, "")

    monkeypatch.setattr(os, "get_terminal_size", unknown)
    assert console.columns(Terminal()) == 80


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (15, ["one", "  two and three", "  four"]),
        (20, ["one  two and three", "  four"]),
        (24, ["one  two and three  four"]),
        (1, ["one", "  two and three", "  four"]),
    ],
)
def test_what_does_not_fit_goes_on_in_the_next_line(terminal, columns, expected):
    """Broken otherwise: a narrow terminal breaks a line within a number."""
    screen = terminal(columns)
    console.say("one", "two and three", "four")
    assert screen.getvalue().splitlines() == expected


def test_a_line_for_a_file_is_for_80_columns(monkeypatch, tmp_path):
    """Broken otherwise: a log depends on the terminal that the run was started from."""
    monkeypatch.setenv("COLUMNS", "20")
    with open(tmp_path / "log", "w") as log:
        monkeypatch.setattr(sys, "stdout", log)
        console.say("x" * 39, "y" * 39)
        console.say("x" * 39, "y" * 40)
    lines = (tmp_path / "log").read_text().splitlines()
    assert [len(line) for line in lines] == [80, 39, 42]
