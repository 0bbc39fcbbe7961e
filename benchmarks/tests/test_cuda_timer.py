"""Time by CUDA events, on a device that only counts."""

from typing import Any

import pytest

from benchmarks.cuda_timer import FALLBACK_L2, FLUSHED, SPIN, CudaTimer, Flush
from benchmarks.timing import Timed, once


class Device:
    """Events pass at once, at a time that work advances; in milliseconds."""

    def __init__(self) -> None:
        self.now, self.log = 5.0, []

    def say(self, what: str, milliseconds: float = 0.0) -> Any:
        """Return what logs itself and takes so long."""
        return lambda *_: (self.log.append(what), setattr(self, "now", self.now + milliseconds))

    def Event(self, enable_timing: bool) -> "Event":  # noqa: N802 - PyTorch's name
        """Return an event that can be asked for its time."""
        assert enable_timing
        return Event(self)


class Event:
    """What the device passes."""

    def __init__(self, device: Device) -> None:
        self.device, self.time = device, None

    def record(self) -> None:
        """Pass it now."""
        self.device.log.append("event")
        self.time = self.device.now

    def elapsed_time(self, end: "Event") -> float:
        """Return the milliseconds up to another one."""
        self.device.log.append("read")
        return end.time - self.time


def test_one_pair_of_events_around_all_runs() -> None:
    """The device is waited for on both sides, and read when it has passed the last event."""
    device = Device()
    timer = CudaTimer(device)
    seconds = timer.seconds(device.say("run", 2.0), 3, device.say("wait", 100.0))
    assert device.log == ["wait", "event", "run", "run", "run", "event", "wait", "read"]
    assert seconds == pytest.approx(0.006)


def test_what_comes_before_a_run_is_not_counted() -> None:
    """Each run then has its own events; the device is not waited for between them."""
    device = Device()
    timer = CudaTimer(device, device.say("flush", 50.0))
    seconds = timer.seconds(device.say("run", 2.0), 2, device.say("wait"))
    of_run = ["flush", "event", "run", "event"]
    assert device.log == ["wait", *of_run, *of_run, "wait", "read", "read"]
    assert seconds == pytest.approx(0.004)


def test_a_sample_takes_its_time_from_the_timer() -> None:
    """Of one piece of work, where a run does it many times."""
    device = Device()
    job = Timed(device.say("run", 80.0), timer=CudaTimer(device), count=40)
    sample = once(job, repeats=2)
    assert sample.seconds == pytest.approx(0.002)
    assert device.log.count("run") == 2


@pytest.mark.parametrize(("told", "size"), [(50 * 2**20, 100 * 2**20), (0, FLUSHED * FALLBACK_L2)])
def test_a_flush_writes_more_than_the_cache_holds(told: int, size: int) -> None:
    """The device's own size of L2, or more than any has; then the device spins."""
    log: list[Any] = []

    class Buffer:
        def zero_(self) -> None:
            log.append("written")

    class Torch:
        uint8 = "uint8"

        class cuda:  # noqa: N801 - PyTorch's name
            current_device = staticmethod(lambda: 3)
            _sleep = staticmethod(lambda ticks: log.append(ticks))

            @staticmethod
            def get_device_properties(device: int) -> Any:
                assert device == 3
                return type("Properties", (), {"L2_cache_size": told})

        @staticmethod
        def empty(count: int, dtype: str, device: str) -> Buffer:
            log.append((count, dtype, device))
            return Buffer()

    flush = Flush(Torch)
    flush()
    assert log == [(size, "uint8", "cuda"), "written", SPIN]
    assert flush.bytes == size > told
