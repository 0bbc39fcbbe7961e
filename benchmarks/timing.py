"""Interleaved rounds: every job of a group once, then every job again, until time is up.

A change of the machine's pace then meets all of them. PyTorch's `Timer` and pyperf time one
statement after the other; the interleaving is all that is added here.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

SHORTEST = 0.002
"""Seconds of a sample: shorter work is repeated within it."""

LONG = 1.0
"""Seconds after which one run has warmed up enough."""

MOST_ROUNDS, FEWEST_ROUNDS = 30, 3


@dataclass(frozen=True)
class Timed:
    """A job as the rounds see it.

    Parameters
    ----------
    run : the work
    enter : sets what must be in force while it runs; not timed
    synchronize : waits until the work is done
    leave : waits until its threads no longer disturb what comes next; not timed
    """

    run: Callable[[], object]
    enter: Callable[[], object] = lambda: None
    synchronize: Callable[[], object] = lambda: None
    leave: Callable[[], object] = lambda: None


def once(job: Timed, repeats: int = 1) -> float:
    """Return the seconds that the work takes, the mean of some repeats, waited for."""
    job.enter()
    job.synchronize()
    start = time.perf_counter()
    for _ in range(repeats):
        job.run()
    job.synchronize()
    seconds = (time.perf_counter() - start) / repeats
    job.leave()
    return seconds


def rounds(
    jobs: Mapping[str, Timed], seconds: float
) -> tuple[dict[str, list[float]], dict[str, Exception]]:
    """Time jobs side by side for about so many seconds.

    Each runs before, which tells how often it is repeated within a sample. In a round each runs
    once more before its sample: as in a training, it then finds its own data in cache, and most
    threads of another one that still wait for work have gone to sleep. The order changes from round
    to round, so that none always follows the same one. Long work needs none of this.

    Returns
    -------
    samples : name → seconds
    failures : name → what it raised; the others go on without it
    """
    samples: dict[str, list[float]] = {name: [] for name in jobs}
    failures: dict[str, Exception] = {}
    expected = dict.fromkeys(jobs, math.inf)

    def run(name: str, repeats: int = 1) -> float:
        try:
            expected[name] = once(jobs[name], repeats)
        except (MemoryError, RuntimeError) as error:
            failures[name] = error
            del samples[name]
        return expected[name]

    def sample(name: str) -> None:
        if expected[name] < LONG:
            run(name)
        if name in samples:
            took = run(name, max(1, math.ceil(SHORTEST / max(expected[name], 1e-7))))
            if name in samples:
                samples[name].append(took)

    for name in jobs:
        if run(name) >= LONG and name in samples:
            samples[name].append(expected[name])
    rng = np.random.default_rng(0)
    start = time.perf_counter()
    for k in range(MOST_ROUNDS):
        waiting = [name for name, taken in samples.items() if len(taken) < FEWEST_ROUNDS]
        if k and not waiting and time.perf_counter() - start > seconds:
            break
        for name in rng.permutation(waiting or list(samples)):
            sample(name)
    return samples, failures


def quartiles(samples: list[float]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile."""
    low, median, high = np.quantile(samples, [0.25, 0.5, 0.75])
    return float(low), float(median), float(high)


def spread(samples: list[float]) -> float:
    """Return the interquartile range over the median."""
    low, median, high = quartiles(samples)
    return (high - low) / median
