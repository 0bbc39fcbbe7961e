"""When a checkpoint is due, and which are kept."""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager

EVERY, SHARE_OF_TIME = 100, 0.01
"""The default batches between checkpoints, and the share of time that writing may take."""


def next_kept(batches: int, batches_of_epoch: int) -> int:
    """Return when a run keeps its next checkpoint, given how many batches are done.

    That is after 1, 3, 10, 30, 100, … batches of the first epoch, as a network changes most at
    first, and at the end of each epoch. It does not depend on the number of epochs. So a run that
    goes on with more of them keeps the same.
    """
    end = (batches // batches_of_epoch + 1) * batches_of_epoch
    if batches >= batches_of_epoch:
        return end
    steps = (digit * 10**power for power in itertools.count() for digit in (1, 3))
    return min(end, next(step for step in steps if step > batches))


class Schedule:
    """Say when a checkpoint is due, from the batches and the time since the last one.

    Parameters
    ----------
    every : int or None
        Batches between checkpoints. None means `EVERY`, or more if writing takes a larger share of
        the time than `SHARE_OF_TIME`.
    """

    def __init__(self, every: int | None) -> None:
        self.every = every
        self._written_at, self._cost = time.perf_counter(), 0.0
        self._pace = 0.0  # batches in a second

    def is_due(self, batches: int) -> bool:
        """Return whether a checkpoint is due this many batches after the last one."""
        if self.every is not None:
            return batches >= self.every
        since = time.perf_counter() - self._written_at
        return batches >= EVERY and self._cost <= SHARE_OF_TIME * since

    def until_due(self, batches: int) -> int:
        """Return after how many more batches to ask, given those since the last checkpoint.

        If writing is dear, that is about when it takes its share of the time again. The pace of the
        batches since the last checkpoint says when, or else the pace before it.
        """
        every = self.every or EVERY
        until = every - batches % every
        if self.every is not None:
            return until
        since = time.perf_counter() - self._written_at
        if batches and since > 0:
            self._pace = batches / since
        return max(until, round(self._pace * (self._cost / SHARE_OF_TIME - since)))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Time the writing of a checkpoint."""
        start = time.perf_counter()
        yield
        self._written_at = time.perf_counter()
        self._cost = self._written_at - start
