"""What a run tells the person who watches it."""

import sys
import time
from typing import Any

from numpy_siamese.history import Metrics


class Progress:
    """A bar on standard error while it is a terminal, and a line on standard output per window.

    Parameters
    ----------
    epochs, batches, batch_size : int
        The run's size, from which the time left is reckoned.
    quiet : bool
        Say nothing.
    done : int
        Batches that an earlier sitting has done.
    """

    def __init__(
        self, epochs: int, batches: int, batch_size: int, quiet: bool = False, done: int = 0
    ) -> None:
        self.epochs, self.batches, self.batch_size = epochs, batches, batch_size
        self.quiet = quiet
        self._start = time.perf_counter()
        self._done = self._done_before = done
        self._bar: Any = None
        if not quiet and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(
                total=epochs * batches,
                initial=done,
                unit="batch",
                bar_format="{percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt}{postfix}",
                leave=False,
                dynamic_ncols=True,
            )

    def say(self, line: str) -> None:
        """Print a line on standard output, above the bar."""
        if self.quiet:
            return
        if self._bar is None:
            print(line, flush=True)
        else:
            self._bar.write(line, file=sys.stdout)

    def batch(self, loss: float, accuracy: float) -> None:
        """Count one batch and show its live figures on the bar."""
        self._done += 1
        if self._bar is not None:
            self._bar.set_postfix_str(
                f"loss {loss:.3f}, accuracy {accuracy:.2f}, {self._pace()}", refresh=False
            )
            self._bar.update()

    def window(self, row: Metrics) -> None:
        """Print the means of a window of batches."""
        self.say(
            f"epoch {row.epoch}/{self.epochs}  batch {row.batch:4d}/{self.batches}  "
            f"loss {row.loss:.4f}  accuracy {row.accuracy:.4f}  {self._pace()}"
        )

    def test(self, row: Metrics, pairs: int) -> None:
        """Print the figures of the test pairs after an epoch."""
        self.say(
            f"epoch {row.epoch}/{self.epochs}  test pairs {pairs:,}  "
            f"loss {row.loss:.4f}  accuracy {row.accuracy:.4f}"
        )

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def _pace(self) -> str:
        here = self._done - self._done_before
        seconds = (time.perf_counter() - self._start) / here  # a batch
        left = seconds * (self.epochs * self.batches - self._done)
        minutes, seconds_left = divmod(round(left), 60)
        return f"{self.batch_size / seconds:,.0f} pairs/s, {minutes}:{seconds_left:02d} left"
