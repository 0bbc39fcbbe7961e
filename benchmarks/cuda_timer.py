"""Time on a CUDA device, by events that the device itself passes."""

from collections.abc import Callable
from typing import Any

FLUSHED = 2
"""A buffer of so many times the L2 cache is written to leave nothing of ours in it."""

FALLBACK_L2 = 128 * 2**20
"""Bytes of L2 where the device does not tell: more than any has today."""

SPIN = 2_000_000
"""Clock ticks that the device spins, about a millisecond, while Python hands it the work."""


class CudaTimer:
    """CUDA events before and after the runs; the device is waited for on both sides.

    Parameters
    ----------
    cuda : module
        `torch.cuda`, or what stands for it.
    before : callable, optional
        Comes before every run and is not counted. Then each run has events of its own. Default:
        nothing, and one pair of events is around all runs.
    """

    def __init__(self, cuda: Any, before: Callable[[], object] | None = None) -> None:
        self._cuda, self._before = cuda, before

    def seconds(
        self, run: Callable[[], object], repeats: int, synchronize: Callable[[], object]
    ) -> float:
        """Return the device's time for all runs."""
        synchronize()
        if self._before is None:
            spans = [self._span(run, repeats)]
        else:
            spans = []
            for _ in range(repeats):
                self._before()
                spans.append(self._span(run, 1))
        synchronize()
        return sum(start.elapsed_time(end) for start, end in spans) / 1e3  # ms

    def _span(self, run: Callable[[], object], repeats: int) -> tuple[Any, Any]:
        start, end = (self._cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(repeats):
            run()
        end.record()
        return start, end


class Flush:
    """Writes a buffer larger than the L2 cache, then lets the device spin.

    A single operation then finds nothing in cache. While the device spins, Python hands it the
    whole operation. So the events around it measure the device and not the launches.

    Parameters
    ----------
    torch : module
        PyTorch, or what stands for it.
    """

    def __init__(self, torch: Any) -> None:
        properties = torch.cuda.get_device_properties(torch.cuda.current_device())
        self.bytes = FLUSHED * (getattr(properties, "L2_cache_size", 0) or FALLBACK_L2)
        self._buffer = torch.empty(self.bytes, dtype=torch.uint8, device="cuda")
        self._spin = getattr(torch.cuda, "_sleep", lambda ticks: None)

    def __call__(self) -> None:
        """Flush."""
        self._buffer.zero_()
        self._spin(SPIN)
