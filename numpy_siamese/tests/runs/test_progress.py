"""What a run says while it goes on: the figures, and when they are said."""

import pytest

from numpy_siamese.runs.history import Metrics
from numpy_siamese.runs.progress import Progress, clock
from numpy_siamese.runs.trainer import Trainer
from numpy_siamese.terminal import console
from numpy_siamese.tests.support.tiny import FakeLearner, config, dataset, replace_pictures


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0:00"),
        (59.4, "0:59"),
        (59.6, "1:00"),
        (754, "12:34"),
        (3599.4, "59:59"),
        (3599.6, "1:00:00"),
        (3600 + 23 * 60 + 4, "1:23:04"),
        (100 * 3600, "100:00:00"),
    ],
)
def test_a_time_is_minutes_and_seconds_and_from_an_hour_on_hours(seconds, expected):
    """Broken otherwise: ninety minutes pass for an hour and a half of seconds, or 0:60 is shown."""
    assert clock(seconds) == expected


def test_a_line_has_the_windows_means_and_the_pace_so_far(now, capsys):
    """Broken otherwise: a line says another epoch, batch, loss, accuracy, pace or time left.

    7 of 20 batches of 50 pairs in 3.5 s are 100 pairs a second, and 13 more take 6.5 s.
    """
    progress = Progress(epochs=2, batches=10, batch_size=50)
    for _ in range(7):
        now[0] += 0.5
        progress.batch(9.0, 0.0)
    progress.window(Metrics(1, 7, 0.12344, 0.98766, 2.0))
    assert capsys.readouterr().out == (
        "epoch 1/2 batch  7  loss 0.1234 accuracy 0.9877  100 pairs/s, 0:06 left\n"
    )


def test_pace_and_time_left_are_of_this_sitting(now, capsys):
    """Broken otherwise: after a resumption a line promises a time that is far too short.

    1 batch of 4 pairs in 2 s; 9 of 100 batches are left.
    """
    progress = Progress(epochs=1, batches=100, batch_size=4, done=90)
    now[0] += 2
    progress.batch(0.5, 0.5)
    progress.window(Metrics(1, 91, 0.5, 0.5, 0.0))
    assert capsys.readouterr().out.endswith("  2 pairs/s, 0:18 left\n")


def test_a_clock_that_stands_still_is_no_error(now, capsys):
    """Broken otherwise: on a machine with a coarse clock the first batch divides by zero."""
    progress = Progress(epochs=1, batches=2, batch_size=4)
    progress.batch(0.5, 0.5)
    progress.window(Metrics(1, 1, 0.5, 0.5, 0.0))
    assert "pairs/s, 0:00 left" in capsys.readouterr().out


def test_a_test_is_said_with_its_pairs(capsys):
    """Broken otherwise: the figures of the test are those of something else."""
    Progress(5, 10, 2).test(Metrics(3, 10, 0.25, 0.75, 1.0), 20_000)
    assert capsys.readouterr().out == ("epoch 3/5 test pairs 20,000  loss 0.2500 accuracy 0.7500\n")


def test_what_a_run_says(tmp_path, monkeypatch, now, capsys):
    """Broken otherwise: the counts are of the other half, or the run's folder is not told."""
    replace_pictures(monkeypatch)
    digits, out = dataset(), tmp_path / "run"
    Trainer(config(epochs=1, window=2), digits, FakeLearner(digits), out).train()
    size = "48 training and 20 test images  1 epoch of 3 batches of 4 pairs"
    assert capsys.readouterr().out.replace("\n  ", "  ").splitlines() == [
        f"tiny:  {size}  writing {out}",
        "epoch 1/1 batch 2  loss 0.1875 accuracy 0.7500  8,000,000,000 pairs/s, 0:00 left",
        "epoch 1/1 batch 3  loss 0.3750 accuracy 0.3333  12,000,000,000 pairs/s, 0:00 left",
        "epoch 1/1 test pairs 10  loss 0.2877 accuracy 1.0000",
        f"done in 0:00  the run is in {out}",
    ]


@pytest.mark.parametrize("epochs", [5, 50])
@pytest.mark.parametrize("rate", [150, 4_000, 80_000])
def test_lines_of_the_recipe_fit_80_columns(now, capsys, epochs, rate):
    """Broken otherwise: a log is broken in two by every terminal, e-mail and code block."""
    progress = Progress(epochs=epochs, batches=1000, batch_size=100)
    now[0] += 100 / rate
    progress.batch(0.5, 0.5)
    progress.window(Metrics(epochs, 1000, 0.5, 0.5, 0.0))
    progress.test(Metrics(epochs, 1000, 0.5, 0.5, 0.0), 20_000)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert max(map(len, lines)) <= 80


def test_an_output_that_cannot_be_written_is_remembered(monkeypatch):
    """Broken otherwise: the run goes on for hours behind a pipe that nobody reads, or ends before
    its state is saved.
    """
    error = OSError("no reader")

    def fail(*_):
        raise error

    progress = Progress(1, 1, 2, quiet=False)
    monkeypatch.setattr(console, "say", fail)
    progress.say("a line")
    assert progress.failure is error
