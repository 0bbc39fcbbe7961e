"""The timer of a device, and the best time of some runs by it."""

import time
from collections.abc import Callable

import torch

from benchmarks.cuda_timer import CudaTimer, Flush
from benchmarks.timing import Timer, WallTimer

WARM_UP, FEWEST, MOST = 2, 3, 50


def timer_of(device: str) -> Timer:
    """Return what times single operations on a device: on CUDA events, with nothing in cache."""
    if device == "cpu":
        return WallTimer()
    return CudaTimer(torch.cuda, Flush(torch))


def best(run: Callable[[], object], device: str, timer: Timer, seconds: float) -> float:
    """Return the shortest time of some runs that go on for about so many seconds.

    A roof is what was reached once, and so is what is held against it.
    """
    wait = torch.cuda.synchronize if device == "cuda" else (lambda: None)
    for _ in range(WARM_UP):
        run()
    found: list[float] = []
    start = time.perf_counter()
    while len(found) < FEWEST or (time.perf_counter() - start < seconds and len(found) < MOST):
        found.append(timer.seconds(run, 1, wait))
    return min(found)
