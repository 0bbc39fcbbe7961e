"""Who had the cores meanwhile: what this process's threads waited for, and what others took."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")

SHORTEST = 0.2
"""Seconds between two readings of the cores' use: the system counts in hundredths."""


def delays() -> dict[str, float]:
    """Return by thread how many seconds it was ready to run and had no core, so far; for Linux.

    References
    ----------
    Linux, ``Documentation/scheduler/sched-stats.rst``: time spent waiting on a runqueue.
    """
    found = {}
    try:
        threads = os.listdir(PROC / "self/task")
    except OSError:
        return {}
    for thread in threads:
        try:
            told = (PROC / "self/task" / thread / "schedstat").read_text()
        except OSError:  # it has ended meanwhile, or the kernel does not tell
            continue
        found[thread] = int(told.split()[1]) * 1e-9
    return found


def delay_since(before: dict[str, float]) -> float:
    """Return the seconds that threads have waited since, added up."""
    return sum(waited - before.get(thread, 0.0) for thread, waited in delays().items())


@dataclass(frozen=True)
class Cores:
    """Readings of the machine's cores, in seconds.

    Parameters
    ----------
    time : by the clock on the wall
    busy : CPU time that anything took on any core
    stolen : CPU time that the hypervisor gave to other machines
    own : CPU time of this process
    count : how many cores there are
    """

    time: float
    busy: float
    stolen: float
    own: float
    count: int


@dataclass(frozen=True)
class Elsewhere:
    """What went elsewhere meanwhile, in shares of all cores: to other processes and machines."""

    others: float
    stolen: float


def cores() -> Cores | None:
    """Return a reading, None where the system does not tell: for Linux.

    References
    ----------
    proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal, in ticks.
    """
    try:
        lines = (PROC / "stat").read_text().splitlines()
    except OSError:
        return None
    kinds = [line.split() for line in lines if line.startswith("cpu")]
    tick = 1 / os.sysconf("SC_CLK_TCK")
    user, nice, system, _, _, irq, softirq, stolen = (int(n) * tick for n in kinds[0][1:9])
    busy = user + nice + system + irq + softirq
    return Cores(time.perf_counter(), busy, stolen, time.process_time(), len(kinds) - 1)


def elsewhere(before: Cores | None, after: Cores | None) -> Elsewhere | None:
    """Return what went elsewhere between two readings, None where too little time went by."""
    if before is None or after is None or after.time - before.time < SHORTEST:
        return None
    there_was = (after.time - before.time) * after.count
    others = (after.busy - before.busy) - (after.own - before.own)
    return Elsewhere(max(others, 0.0) / there_was, (after.stolen - before.stolen) / there_was)
