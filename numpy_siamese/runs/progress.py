"""What a run shows on the terminal: a bar, and a line for each window of batches."""

import time
from collections.abc import Sequence
from pathlib import Path

from numpy_siamese.runs.early_stopping import best_epoch
from numpy_siamese.runs.history import Metrics, Validation
from numpy_siamese.terminal import console
from numpy_siamese.terminal.bar import Bar


class Progress:
    """A bar on standard error while it is a terminal, and a line on standard output per window.

    Parameters
    ----------
    epochs, batches, batch_size : int
        The run's size, from which the time left follows.
    quiet : bool
        Say nothing.
    done : int
        Batches that an earlier sitting has done.

    Attributes
    ----------
    failure : OSError or None
        Why standard output could not be written. Nothing more is printed then. The trainer decides
        what becomes of the run.
    """

    def __init__(
        self, epochs: int, batches: int, batch_size: int, quiet: bool = False, done: int = 0
    ) -> None:
        self.epochs, self.batches, self.batch_size = epochs, batches, batch_size
        self._start = time.perf_counter()
        self._done = self._done_before = done
        self._bar = None if quiet else Bar()
        self.failure: OSError | None = None
        self._show_bar()

    def say(self, *parts: str) -> None:
        """Print a line made of parts on standard output, above the bar; see `console.say`."""
        if self._bar is None or self.failure is not None:
            return
        self._bar.hide()
        try:
            console.say(*parts)
        except OSError as error:
            self.failure = error
        self._bar.show_again()

    def begin(
        self, data: str, train: int, test: int, place: str, remarks: Sequence[str] = ()
    ) -> None:
        """Print the data, the size of the run, its folder, and how the data were read."""
        self.say(
            f"{data}:",
            f"{train:,} training and {test:,} test images",
            f"{_counted(self.epochs, 'epoch')} of "
            f"{_counted(self.batches, 'batch', 'es')} of {self.batch_size:,} pairs",
            place,
        )
        if remarks:
            self.say(*remarks)

    def batch(self, loss: float, accuracy: float) -> None:
        """Count one batch and show its live figures on the bar."""
        self._done += 1
        rate, left = self._pace()
        self._show_bar(
            f"loss {loss:.3f}, accuracy {accuracy:.2f}, {rate:,.0f} pairs/s, {left} left",
            f"loss {loss:.3f} acc {accuracy:.2f} {rate:,.0f}/s {left} left",
            f"loss {loss:.3f} acc {accuracy:.2f} {rate:,.0f}/s {left}",
            f"{loss:.3f} {accuracy:.2f} {rate:,.0f}/s {left}",
            left,
        )

    def window(self, row: Metrics) -> None:
        """Print the means of a window of batches."""
        rate, left = self._pace()
        self.say(
            f"epoch {row.epoch}/{self.epochs} batch {row.batch:{len(str(self.batches))}d}",
            f"loss {row.loss:.4f} accuracy {row.accuracy:.4f}",
            f"{rate:,.0f} pairs/s, {left} left",
        )

    def left_out(self, epoch: int, batch: int) -> None:
        """Print that a batch was left out. Epoch and batch count from 1."""
        self.say(f"epoch {epoch}, batch {batch} left out: its loss is not finite")

    def test(self, row: Metrics, pairs: int, validation: Validation | None = None) -> None:
        """Print the figures of the test pairs after an epoch, and of the one-shot trials."""
        one_shot = validation and f"one-shot {validation.accuracy:.4f} of {validation.trials:,}"
        self.say(
            f"epoch {row.epoch}/{self.epochs} test pairs {pairs:,}",
            f"loss {row.loss:.4f} accuracy {row.accuracy:.4f}",
            *([one_shot] if one_shot else []),
        )

    def best(self, rows: Sequence[Validation], patience: int, stopped: bool) -> None:
        """Print which epoch was the best, and why the run has stopped, if it has."""
        best = best_epoch(rows)
        (accuracy,) = (row.accuracy for row in rows if row.epoch == best)
        if stopped:
            epochs = _counted(patience, "epoch")
            self.say(
                f"stopped after epoch {rows[-1].epoch}",
                f"no better one-shot validation in {epochs}",
                "a larger --patience goes on",
            )
        self.say(f"best epoch {best}", f"one-shot {accuracy:.4f}", "the weights are from there")

    def end(self, seconds: float, path: Path) -> None:
        """Print how long the run took, and where it is."""
        self.say(f"done in {clock(seconds)}", f"the run is in {path}")

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()

    def _show_bar(self, *figures: str) -> None:
        """Show how far the run is, and its figures, given in several lengths."""
        if self._bar is not None:
            total = self.epochs * self.batches
            longest = "  ".join([f"{self._done}/{total}", *figures[:1]])
            self._bar.show(self._done / total, (longest, *figures))

    def _pace(self) -> tuple[float, str]:
        """Return the pairs per second of this sitting, and the time left at this pace."""
        seconds = max(time.perf_counter() - self._start, 1e-9) / (self._done - self._done_before)
        left = seconds * (self.epochs * self.batches - self._done)
        return self.batch_size / seconds, clock(left)


def _counted(n: int, thing: str, ending: str = "s") -> str:
    return f"{n:,} {thing}{ending if n != 1 else ''}"


def clock(seconds: float) -> str:
    """Return a time as m:ss, or as h:mm:ss from an hour on."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
