"""How many cores this process may use, and how many threads it takes if nobody says."""

import math
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path


def available_cores() -> int:
    """Return the number of cores that this process may use, at least 1.

    It is the smaller of what its affinity allows (taskset, ``os.sched_setaffinity``) and what
    control groups do. A container's CPU quota of 150 % of a core counts as 2.
    """
    return math.ceil(min(_allowed(), _quota()))


def default_threads() -> int:
    """Return the number of threads to take if nobody says: of the cores, as OMP_NUM_THREADS limits.

    Of its list form, ``4,2``, the first number counts. What is no number is ignored.
    """
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    limit = int(first) if first.isascii() and first.isdigit() else 0
    cores = available_cores()
    return min(cores, limit) if limit else cores


def _allowed() -> int:
    """Return the number of cores that the operating system gives the process."""
    if hasattr(os, "process_cpu_count"):  # from Python 3.13 on; it heeds PYTHON_CPU_COUNT
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _quota(root: Path = Path("/")) -> float:
    """Return how many cores' time the control groups allow, infinity if they do not limit it.

    Each group up to the root has a limit of its own. Within a container the process may be told the
    path of the host, and only the root is there.

    References
    ----------
    Linux, ``Documentation/admin-guide/cgroup-v2.rst`` (cpu.max) and ``scheduler/sched-bwc.rst``.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return math.inf
    quotas = [math.inf]
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "cpu") or "cpu" in controllers.split(","):
            for mount in (controllers or "unified", "cpu" if controllers else ""):
                top = root / "sys/fs/cgroup" / mount
                group = top / path.lstrip("/")
                for folder in (group, *(p for p in group.parents if p.is_relative_to(top))):
                    quotas.extend(_quotas_of(folder))
    return min(quotas)


def _quotas_of(group: Path) -> Iterator[float]:
    """Yield what a control group of either version allows: time in a period, over the period."""
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        try:
            numbers = b" ".join((group / name).read_bytes() for name in names).split()
            quota, period = map(int, numbers)  # "max" and −1 mean no limit
        except (OSError, ValueError):
            continue
        if quota > 0 and period > 0:
            yield quota / period
