"""Interleaved rounds: every job of a group once, then every job again, until time is up.

A change of the machine's pace then meets all of them. PyTorch's `Timer` and pyperf time one
statement after the other; the interleaving is all that is added here.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from benchmarks import contention

SHORTEST = 0.002
"""Seconds of a sample: shorter work is repeated within it."""

LONG = 1.0
"""Seconds from which on work fills the caches itself."""

MOST_ROUNDS, FEWEST_ROUNDS = 30, 3

QUICKEST = 1e-7
"""Seconds that work takes at least, as a clock can tell: a sample is of 20,000 runs at most."""


class Timer(Protocol):
    """How the time of some runs is taken."""

    def seconds(
        self, run: Callable[[], object], repeats: int, synchronize: Callable[[], object]
    ) -> float:
        """Return what all runs take together. `synchronize` waits until they are done."""


class WallTimer:
    """The clock on the wall."""

    def seconds(
        self, run: Callable[[], object], repeats: int, synchronize: Callable[[], object]
    ) -> float:
        """Return what all runs take together, waited for."""
        start = time.perf_counter()
        for _ in range(repeats):
            run()
        synchronize()
        return time.perf_counter() - start


@dataclass(frozen=True)
class Timed:
    """A job as the rounds see it.

    Parameters
    ----------
    run : the work
    enter : sets what must be in force while it runs; not timed
    synchronize : waits until the work is done
    leave : waits until its threads no longer disturb what comes next; not timed
    timer : takes the time
    count : how often one run does the work; times are of doing it once
    """

    run: Callable[[], object]
    enter: Callable[[], object] = lambda: None
    synchronize: Callable[[], object] = lambda: None
    leave: Callable[[], object] = lambda: None
    timer: Timer = field(default_factory=WallTimer)
    count: int = 1


@dataclass(frozen=True)
class Sample:
    """What one run took, in seconds, the mean of some repeats.

    Parameters
    ----------
    seconds : by the clock on the wall
    cpu : CPU time of all threads of the process
    delay : how long its threads were ready to run and had no core, added up; 0 where the system
        does not tell
    """

    seconds: float
    cpu: float
    delay: float = 0.0

    @property
    def waited(self) -> float:
        """The share of the CPU time asked for that was not given.

        One thread that is alone asks for CPU time all the while, so what the clock on the wall
        shows beyond the CPU time was not given to it, whatever the system tells.
        """
        withheld = max(self.delay, self.seconds - self.cpu, 0.0)
        return withheld / (self.cpu + withheld) if withheld else 0.0


def once(job: Timed, repeats: int = 1) -> Sample:
    """Return what the work takes, the mean of some repeats, waited for."""
    job.enter()
    job.synchronize()
    delays, cpu = contention.delays(), time.process_time()
    seconds = job.timer.seconds(job.run, repeats, job.synchronize)
    cpu = time.process_time() - cpu
    delay = contention.delay_since(delays)
    job.leave()
    done = repeats * job.count
    return Sample(seconds / done, cpu / done, delay / done)


def rounds(
    jobs: Mapping[str, Timed], seconds: float
) -> tuple[dict[str, list[Sample]], dict[str, Exception]]:
    """Time jobs side by side for about so many seconds.

    Each runs before, which tells how often it is repeated within a sample, and is counted nowhere:
    it may compile. In a round each runs once more before its sample: as in a training, it then
    finds its own data in cache, and most threads of another one that still wait for work have gone
    to sleep. Long work does without. The order changes from round to round, so that none always
    follows the same one.

    Returns
    -------
    samples : name → one for each round
    failures : name → what it raised; the others go on without it
    """
    samples: dict[str, list[Sample]] = {name: [] for name in jobs}
    failures: dict[str, Exception] = {}
    expected: dict[str, float] = {}

    def run(name: str, repeats: int = 1) -> Sample | None:
        try:
            found = once(jobs[name], repeats)
        except (MemoryError, RuntimeError) as error:
            failures[name] = error
            del samples[name]
            return None
        expected[name] = found.seconds * jobs[name].count
        return found

    def sample(name: str) -> None:
        if expected[name] < LONG and run(name) is None:
            return
        found = run(name, repeats_of(expected[name]))
        if found is not None:
            samples[name].append(found)

    for name in jobs:
        run(name)
    rng = np.random.default_rng(0)
    start = time.perf_counter()
    for k in range(MOST_ROUNDS):
        if k >= FEWEST_ROUNDS and time.perf_counter() - start > seconds:
            break
        for name in rng.permutation(list(samples)):
            sample(name)
    return samples, failures


def repeats_of(expected: float) -> int:
    """Return how often work of so many seconds is repeated within a sample."""
    return math.ceil(SHORTEST / max(expected, QUICKEST))


def quartiles(samples: list[float]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile."""
    low, median, high = np.quantile(samples, [0.25, 0.5, 0.75])
    return float(low), float(median), float(high)


def spread(samples: list[float]) -> float:
    """Return the interquartile range over the median."""
    low, median, high = quartiles(samples)
    return (high - low) / median
