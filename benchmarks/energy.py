"""Energy, where the processor or the device counts it."""

import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.timing import Timed, once

RAPL = Path("/sys/class/powercap")
"""Counters of the processor's packages in microjoules, often readable by root alone."""

LONG_ENOUGH = 2.0
"""Seconds of work: the counters are read anew every few milliseconds."""


def counter(device: str) -> Callable[[], float] | None:
    """Return a function that reads joules, None if this machine does not tell."""
    if device == "cuda":
        return _nvml()
    packages = [path / "energy_uj" for path in RAPL.glob("intel-rapl:?")]
    try:
        for path in packages:
            int(path.read_text())
    except (OSError, ValueError):
        return None
    return (lambda: sum(int(p.read_text()) for p in packages) / 1e6) if packages else None


def per_run(job: Timed, device: str) -> float | None:
    """Return the joules that one run takes of the whole package or device, None if not told."""
    read = counter(device)
    if read is None:
        return None
    before, count, start = read(), 0, time.perf_counter()
    while time.perf_counter() - start < LONG_ENOUGH:
        once(job)
        count += 1
    used = read() - before
    return used / count if used > 0 else None  # a counter that wrapped around tells nothing


def _nvml() -> Callable[[], float] | None:
    try:
        import pynvml

        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except Exception:  # whatever is missing, the device does not tell
        return None
    return lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3
