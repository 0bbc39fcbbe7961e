"""A clock that goes when told, and a backend that says what it was asked to do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from benchmarks import contention, limits, measure, timing
from benchmarks.backends.base import Backend, Job
from benchmarks.results import Cell
from benchmarks.workloads import Work

LR = 0.25


class Clock:
    """Time, CPU time and the delay of a thread, as the modules read them; in seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.cpu, self.delay = 100.0, 10.0, 1.0
        for module in (timing, contention, limits):
            monkeypatch.setattr(module, "time", self)
        monkeypatch.setattr(contention, "delays", lambda: {"7": self.delay})
        monkeypatch.setattr(contention, "cores", lambda: None)

    def perf_counter(self) -> float:
        """Return the time on the wall."""
        return self.now

    def process_time(self) -> float:
        """Return the CPU time."""
        return self.cpu

    def go(self, seconds: float, cpu: float | None = None, delay: float = 0.0) -> None:
        """Let time go by, all of it CPU time unless said."""
        self.now += seconds
        self.cpu += seconds if cpu is None else cpu
        self.delay += delay


class Fake(Backend):
    """Learns w ← w − LR·g with g = 1, from pairs or whatever is counted, and logs everything.

    Parameters
    ----------
    name : str
    log : shared with others; lines ``name what …``
    clock : what a run, a wait and a change of switches advance
    seconds : of a run of so many pairs
    gradient, step : of the result and of the update, for the right one 1 and 1
    """

    def __init__(
        self,
        name: str,
        log: list[str],
        clock: Clock,
        seconds: Callable[[int], float] = lambda pairs: 0.001 * pairs,
        gradient: float = 1.0,
        step: float = 1.0,
    ) -> None:
        super().__init__(name)
        self.log, self.clock, self.seconds = log, clock, seconds
        self.gradient, self.size_of_step = gradient, step
        self.threads_now = 1

    def say(self, *what: object) -> None:
        """Log a line."""
        self.log.append(" ".join(map(str, (self.name, *what))))

    @contextmanager
    def threads(self, count: int) -> Iterator[None]:
        """Take so many threads."""
        self.say("threads", count)
        self.threads_now = count
        yield
        self.say("threads back")
        self.threads_now = 1

    def threads_in_force(self) -> int:
        """Return them."""
        return self.threads_now

    @contextmanager
    def verified(self) -> Iterator[None]:
        """Log when it begins and ends."""
        self.say("watch")
        yield
        self.say("watched")

    def enter(self) -> None:
        """Take a while, which nobody may count."""
        self.say("enter")
        self.clock.go(1000.0)

    def synchronize(self) -> None:
        """Take as long as what was given to the device."""
        self.say("wait")
        self.clock.go(0.125)

    def peak_bytes(self, run: Callable[[], Any]) -> int | None:
        """Run once, and tell a number of its own."""
        self.say("peak")
        run()
        return 1000 + len(self.name)

    def step(self, pairs: int) -> Job:
        """Prepare a step that is counted."""
        self.say("prepare", pairs)
        weights = {"w": np.zeros(2)}

        def run() -> float:
            self.say("run", pairs, "on", self.threads_now)
            self.clock.go(self.seconds(pairs))
            weights["w"] -= LR * self.gradient * self.size_of_step
            return self.gradient

        return Job(
            run,
            lambda gradient: {"gradient": np.full(2, gradient), "pairs": np.array(pairs)},
            lambda: {name: w.copy() for name, w in weights.items()},
        )

    learn = embed = pairs = epoch = step

    def operation(self, name: str, images: int, direction: str) -> Job:
        """Prepare an operation, which is a step."""
        return self.step(images)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the clock that timing goes by."""
    return Clock(monkeypatch)


@pytest.fixture
def reference(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Return what stands for NumPy in float64; and let the matrix product take no time."""
    fake = Fake("reference", [], clock)
    monkeypatch.setattr(measure, "REFERENCE", fake)
    monkeypatch.setattr(limits, "matrix_product", lambda flops: timing.Timed(lambda: None))
    return fake


def steps(size: int, workload: str = "step", **more: Any) -> Work:
    """Return the work of learning from so many pairs."""
    return Work(
        workload, f"{workload} of {size}", size, lambda b, n: b.step(n), 8.0, 2 * size, **more
    )


def found(work: Work, *backends: Fake, threads: int = 2, **more: Any) -> dict[str, Cell]:
    """Return the cells by backend."""
    cells = list(measure.measure(work, backends, threads, **{"seconds": 0, **more}))
    assert [cell.backend for cell in cells if cell.backend != limits.MATRIX_PRODUCT] == [
        backend.name for backend in backends
    ]
    return {cell.backend: cell for cell in cells}
