"""The bar at the bottom of the terminal: its figures, and that it is never in the way."""

import errno
import itertools
import os
import sys

import pytest

from numpy_siamese.runs.history import Metrics
from numpy_siamese.runs.progress import Progress, clock
from numpy_siamese.runs.trainer import Trainer
from numpy_siamese.terminal import bar, console
from numpy_siamese.tests.support.terminal import Terminal
from numpy_siamese.tests.support.tiny import FakeLearner, config, dataset, replace_pictures


@pytest.fixture
def drawn(terminal, now, monkeypatch):
    """Return a function from columns to what can be seen of the bar after 2,173 batches of 5,000.

    Every step is drawn, and the last one is the sitting's only one.
    """
    monkeypatch.setattr(bar, "PAUSE", 0)

    def draw(columns, done=2173, loss=0.2513, rate=3362, **sizes):
        screen = terminal(columns)
        sizes = {"epochs": 5, "batches": 1000, "batch_size": 100} | sizes
        progress = Progress(**sizes, done=done - 1)
        now[0] += sizes["batch_size"] / rate
        progress.batch(loss, 0.913)
        assert "\n" not in screen.getvalue()
        (line,) = screen.seen()
        return line

    return draw


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            120,
            " 43% ██████████████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ "
            "2173/5000  loss 0.251, accuracy 0.91, 3,362 pairs/s, 1:24 left",
        ),
        (80, " 43% ████░░░░░░░ 2173/5000  loss 0.251, accuracy 0.91, 3,362 pairs/s, 1:24 left"),
        (70, " 43% 2173/5000  loss 0.251, accuracy 0.91, 3,362 pairs/s, 1:24 left"),
        (60, " 43% loss 0.251, accuracy 0.91, 3,362 pairs/s, 1:24 left"),
        (40, "loss 0.251 acc 0.91 3,362/s 1:24 left"),
        (36, "loss 0.251 acc 0.91 3,362/s 1:24"),
        (30, " 43% 0.251 0.91 3,362/s 1:24"),
        (10, " 43% 1:24"),
        (5, "1:24"),
        (4, "1:2"),
        (1, ""),
        (0, " 43% ████░░░░░░░ 2173/5000  loss 0.251, accuracy 0.91, 3,362 pairs/s, 1:24 left"),
    ],
)
def test_the_bar_has_the_figures_for_which_there_is_room(drawn, columns, expected):
    """Broken otherwise: in a narrow terminal the bar has no figures, or wraps at every step.

    100 pairs in 100/3362 s; 2,827 batches of that are 84.09 s. A terminal that says 0 does not
    know.
    """
    assert drawn(columns) == expected


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("rate", [10, 3_362, 99_999])
@pytest.mark.parametrize("loss", [0.0, 0.6931, 12.3456])
def test_at_40_columns_all_figures_are_there(drawn, columns, rate, loss):
    """Broken otherwise: the bar's graphic eats its figures."""
    line = drawn(columns, loss=loss, rate=rate)
    assert len(line) < columns
    left = clock((5000 - 2173) * 100 / rate)
    for figure in (f"{loss:.3f}", "0.91", f"{rate:,}", left):
        assert figure in line


@pytest.mark.parametrize("columns", range(1, 140))
def test_the_bar_never_reaches_the_last_column(drawn, columns):
    """Broken otherwise: some terminals begin a new line, and every step leaves one behind."""
    line = drawn(columns, epochs=1000, batches=10**6, rate=123_456_789)
    assert len(line) < columns


@pytest.mark.parametrize(
    ("done", "share"), [(1, "  0%"), (49, "  0%"), (50, "  1%"), (5000, "100%")]
)
def test_the_percentage_is_of_all_batches(drawn, done, share):
    """Broken otherwise: an epoch's share passes for the run's, or 99.9 % for all."""
    assert drawn(80, done=done).startswith(share)


def test_the_bar_is_full_at_the_end_and_empty_at_the_start(drawn):
    """Broken otherwise: the graphic says something else than the percentage."""
    assert "█" not in drawn(80, done=1)
    assert "░" not in drawn(80, done=5000)


def test_before_the_first_batch_the_bar_says_where_the_run_is(terminal):
    """Broken otherwise: a pause before the first batch looks like a program that hangs."""
    screen = terminal(30)
    Progress(2, 10, 50, done=7)
    assert screen.seen() == [" 35% ██████░░░░░░░░░░░░░ 7/20"]


def test_the_bar_is_drawn_ten_times_a_second(terminal, now):
    """Broken otherwise: drawing takes a small network's time, or the bar stands still."""
    screen = terminal(80)
    progress = Progress(1, 100_000, 2)
    for _ in range(1000):
        now[0] += 1 / 128  # exact in binary
        progress.batch(0.5, 0.5)
    drawings = screen.getvalue().count("\r")
    assert drawings == 1 + 1000 // 13  # the first step after each tenth of a second is the 13th


def test_a_terminal_that_becomes_narrower_keeps_one_bar(terminal, now):
    """Broken otherwise: whoever resizes a window finds it full of bars."""
    screen = terminal(80)
    progress = Progress(5, 1000, 100)
    for columns in (80, 40, 100, 20):
        screen.columns = columns
        now[0] += 1
        progress.batch(0.5, 0.5)
        assert len(screen.seen()) == 1
        assert len(screen.seen()[0]) < columns
        assert screen.getvalue().endswith("\x1b[J\r")


def test_lines_stand_above_the_bar(terminal, now):
    """Broken otherwise: a line is written into the bar, or the bar is drawn twice."""
    screen = terminal(60)
    progress = Progress(1, 4, 2)
    for batch in (1, 2):
        now[0] += 1
        progress.batch(0.5, 0.5)
        progress.say(f"line {batch}")
    bar_line = " 50% 2/4  loss 0.500, accuracy 0.50, 2 pairs/s, 0:02 left"
    assert screen.seen() == ["line 1", "line 2", bar_line]
    progress.close()
    assert screen.seen() == ["line 1", "line 2", ""]
    progress.say("the last line")
    assert screen.seen() == ["line 1", "line 2", "the last line", ""]


def test_the_bar_is_gone_before_an_error_is_told(terminal, tmp_path, monkeypatch):
    """Broken otherwise: the message stands behind the bar's remains, or is overwritten."""
    replace_pictures(monkeypatch)
    screen, digits = terminal(80), dataset()
    run = Trainer(config(), digits, FakeLearner(digits, KeyboardInterrupt(), 2), tmp_path / "run")
    assert "0/6" in screen.seen()[-1]
    with pytest.raises(KeyboardInterrupt):
        run.train()
    console.complain("interrupted")
    assert screen.seen()[-2:] == ["interrupted", ""]
    assert not any("/6" in line for line in screen.seen())


def test_quiet_is_quiet(terminal):
    """Broken otherwise: a script that trains many networks is noisy."""
    screen = terminal(80)
    progress = Progress(1, 2, 2, quiet=True)
    progress.batch(0.5, 0.5)
    progress.window(Metrics(1, 1, 0.5, 0.5, 0.0))
    progress.say("a line")
    progress.close()
    assert screen.getvalue() == ""


@pytest.mark.parametrize("kind", ["none", "no terminal", "dumb"])
def test_without_a_terminal_there_is_no_bar(monkeypatch, capsys, kind):
    """Broken otherwise: a log file is full of a bar's fragments; without a console a run ends."""
    screen = Terminal(80, monkeypatch)
    monkeypatch.setattr(sys, "stderr", None if kind == "none" else screen)
    if kind == "no terminal":
        monkeypatch.setattr(Terminal, "isatty", lambda _: False)
    if kind == "dumb":
        monkeypatch.setenv("TERM", "dumb")
    progress = Progress(1, 2, 2)
    progress.batch(0.5, 0.5)
    progress.say("a line")
    progress.close()
    assert screen.getvalue() == ""
    assert capsys.readouterr().out == "a line\n"


def test_a_terminal_without_these_characters_has_a_bar_of_others(drawn, monkeypatch):
    """Broken otherwise: in a terminal of ASCII the bar ends the run, or is all escapes."""
    monkeypatch.setattr(Terminal, "encoding", "ascii")
    assert drawn(80).startswith(" 43% ####....... 2173/5000  loss")


def test_where_the_code_is_not_known_spaces_write_over_the_bar(terminal, monkeypatch, now):
    """Broken otherwise: on Windows the end of a longer bar stays behind a shorter one."""
    monkeypatch.setattr(bar, "ERASE", "")
    screen = terminal(80)
    progress = Progress(1, 2, 2)
    progress.say("a line")
    progress.close()
    assert screen.seen()[0] == "a line"
    assert screen.seen()[1:] in ([""], [])
    assert "\x1b" not in screen.getvalue()


def test_a_terminal_that_goes_away_does_not_end_the_run(terminal, monkeypatch, now, capsys):
    """Broken otherwise: closing a window costs the run."""
    screen = terminal(80)
    monkeypatch.setattr(sys, "stdout", sys.__stdout__)
    progress = Progress(1, 9, 2)

    def fail(_):
        raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))

    monkeypatch.setattr(screen, "write", fail)
    for _ in itertools.repeat(None, 3):
        now[0] += 1
        progress.batch(0.5, 0.5)
        progress.say("on we go")
    progress.close()
