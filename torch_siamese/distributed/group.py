"""The processes that train together, and what they say to each other."""

import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NoReturn, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from numpy_siamese.errors import InputError, in_one_line, reason
from numpy_siamese.runs.learner import Pairs
from torch_siamese.distributed.launch import TIMEOUT, Launch
from torch_siamese.distributed.share import share

Array = np.ndarray
Result = TypeVar("Result")

CLOSED = re.compile(r"connection closed|connection reset|broken pipe", re.IGNORECASE)
LATE = re.compile(r"timed? ?out", re.IGNORECASE)
COMMUNICATION = re.compile(
    rf"gloo|nccl|connect|\bpeer|{LATE.pattern}|socket|\bstore\b", re.IGNORECASE
)
"""Words of an error that is about another process, not about this one's arithmetic."""

MOST_SENT = 16
"""Messages that are kept after they are sent."""

PATIENCE = 3.0
"""Seconds in which those that are left say that they are, after one is lost."""


class RankLostError(ConnectionError):
    """Another rank has ended, or does not answer."""


class Group:
    """The ranks of a job, as one of them sees them.

    All ranks call the same methods in the same order. What they exchange goes through the CPU and
    holds text and numbers, no pickle. The gradients are `averaging`'s.

    Parameters
    ----------
    launch : Launch
    store : torch.distributed.Store
        Where a rank leaves a word for those that lose it.

    Attributes
    ----------
    rank, size : int
    speaks : bool
        Whether this rank writes to the terminal. It is rank 0, or another once rank 0 is lost.
    """

    def __init__(self, launch: Launch, store: dist.Store) -> None:
        self.launch, self._store = launch, store
        self.rank, self.size = launch.rank, launch.size
        self.speaks = self.rank == 0
        self._sent: deque[list[Tensor]] = deque(maxlen=MOST_SENT)

    def share(self, pairs: Pairs) -> Pairs:
        """Return this rank's part of a batch; see `share.share`."""
        return share(pairs, self.rank, self.size)

    def mean(self, values: Array) -> Array:
        """Return the mean over all ranks of arrays of one shape, float64.

        A NaN of one rank is a NaN for all.
        """
        total = torch.from_numpy(np.array(values, np.float64))
        with self.in_touch(total):
            dist.all_reduce(total)
        return total.numpy() / self.size

    def largest(self, numbers: Sequence[int]) -> list[int]:
        """Return the largest of each number over all ranks."""
        found = torch.tensor(numbers)
        with self.in_touch(found):
            dist.all_reduce(found, dist.ReduceOp.MAX)
        return found.tolist()

    def of_first(self, number: int) -> int:
        """Return the number that rank 0 gives."""
        found = torch.tensor([number])
        with self.in_touch(found):
            dist.broadcast(found, 0)
        return int(found)

    def content_of_first(self, content: bytes) -> bytes:
        """Return the bytes that rank 0 gives."""
        size = self.of_first(len(content))
        found = torch.zeros(size, dtype=torch.uint8)
        if self.rank == 0:
            found.numpy()[:] = np.frombuffer(content, np.uint8)
        with self.in_touch(found):
            dist.broadcast(found, 0)
        return found.numpy().tobytes()

    def texts(self, text: str) -> list[str]:
        """Return the text of each rank."""
        content = text.encode()
        (longest,) = self.largest([len(content)])
        mine = torch.zeros(longest + 8, dtype=torch.uint8)
        mine.numpy()[: len(content) + 8] = np.frombuffer(
            len(content).to_bytes(8, "big") + content, np.uint8
        )
        everyones = [torch.empty_like(mine) for _ in range(self.size)]
        with self.in_touch(mine, *everyones):
            dist.all_gather(everyones, mine)
        rows = [row.numpy().tobytes() for row in everyones]
        return [row[8 : 8 + int.from_bytes(row[:8], "big")].decode() for row in rows]

    def meet(self) -> None:
        """Wait until all ranks are here."""
        self.largest([0])

    def together(self, action: Callable[[], Result]) -> Result:
        """Do something that may fail on some ranks; then it has failed for all.

        Raises
        ------
        InputError
            What the user can mend has failed on a rank. The message is the first such rank's.
        """
        failure, result = "", None
        try:
            result = action()
        except InputError as error:
            failure = str(error)
        except OSError as error:
            failure = in_one_line(error)
        failures = self.texts(failure)
        if not any(failures):
            return result  # type: ignore[return-value]
        rank = next(rank for rank, text in enumerate(failures) if text)
        where = f"rank {rank}: " if failures[0] != failures[rank] else ""
        raise InputError(where + failures[rank])

    @contextmanager
    def in_touch(self, *sent: Tensor) -> Iterator[None]:
        """Raise RankLostError if PyTorch cannot reach another rank.

        Views of what is sent are kept for a while, as they hold it without Python. A thread
        of PyTorch lets go of it a moment later. If Python alone were left to hold it, it
        would have to wait for Python, and a process that is about to end would be aborted.

        Raises
        ------
        RankLostError
            On the first of the ranks that are left.
        SystemExit
            On the others of them, and on all if the one that is lost has said why (status 2).
        """
        self._sent.append([tensor.view(-1) for tensor in sent])
        try:
            yield
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError) or not COMMUNICATION.search(str(error)):
                raise
            self._lost(error)

    def tells(self) -> bool:
        """Return whether this rank tells an error that it has found.

        Rank 0 does. If it says nothing for a while, it knows nothing of the error, and the first of
        the others does.
        """
        with suppress(RuntimeError):  # the store is lost: then rank 0 is
            if self.speaks:
                self._store.set("told", "")
                return True
            end = time.monotonic() + PATIENCE
            while time.monotonic() < end:
                if self._store.check(["told"]):
                    return False
                time.sleep(0.05)
            self.speaks = self._store.add("tellers", 1) == 1
        return self.speaks

    def leave(self) -> None:
        """Leave the word that this rank says itself why it ends."""
        with suppress(RuntimeError):  # the store is lost too
            self._store.set(f"left {self.rank}", "")

    def _lost(self, error: RuntimeError) -> NoReturn:
        """Find out who is left. The first of them speaks."""
        ranks = range(self.size)
        try:
            if any(self._store.check([f"left {rank}"]) for rank in ranks):
                raise SystemExit(2) from error
            self._store.set(f"here {self.rank}", "")
            end = time.monotonic() + PATIENCE
            here = [self.rank]
            while len(here) < self.size - 1 and time.monotonic() < end:
                time.sleep(0.05)
                here = [rank for rank in ranks if self._store.check([f"here {rank}"])]
            gone = [rank for rank in ranks if rank not in here]
        except RuntimeError:  # the store was rank 0's
            gone, here = [0], [rank for rank in ranks if rank]
        if self.rank != here[0]:
            raise SystemExit(2) from error
        self.speaks = True
        names = ", ".join(map(str, gone)) or "another"
        raise RankLostError(f"rank {names} of {self.size} {self._fate(str(error))}") from error

    def _fate(self, message: str) -> str:
        """Return what has become of a rank, from PyTorch's message."""
        if CLOSED.search(message):
            return "has ended"
        if LATE.search(message):
            return f"has not answered within {self.launch.timeout:g} s ({TIMEOUT})"
        return f"cannot be reached ({reason(message)[:160]})"
