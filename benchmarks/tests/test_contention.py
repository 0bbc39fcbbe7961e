"""Who had the cores meanwhile, read from files like the system's."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from benchmarks import contention
from benchmarks.contention import Cores, Elsewhere, cores, delay_since, delays, elsewhere
from benchmarks.timing import Timed, once

STAT = """cpu  1000 20 300 5000 400 7 50 60 900 8
cpu0 500 10 150 2500 200 3 25 30 450 4
cpu1 500 10 150 2500 200 4 25 30 450 4
intr 12345 cpu
ctxt 6
"""


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that stands for /proc, with two threads."""
    monkeypatch.setattr(contention, "PROC", tmp_path)
    monkeypatch.setattr(os, "sysconf", {"SC_CLK_TCK": 100}.__getitem__, raising=False)
    for thread, waited in (("11", 2_000_000_000), ("12", 500_000_000)):
        (tmp_path / "self/task" / thread).mkdir(parents=True)
        (tmp_path / "self/task" / thread / "schedstat").write_text(f"7000000000 {waited} 99\n")
    (tmp_path / "stat").write_text(STAT)
    return tmp_path


def test_what_threads_waited(proc: Path) -> None:
    """The second number, nanoseconds, of every thread: also of one that began meanwhile."""
    before = delays()
    assert before == {"11": 2.0, "12": 0.5}
    assert delay_since(before) == 0.0
    (proc / "self/task/12/schedstat").write_text("9 750000000 1\n")
    (proc / "self/task/13").mkdir()
    (proc / "self/task/13/schedstat").write_text("9 125000000 1\n")
    assert delay_since(before) == 0.25 + 0.125
    (proc / "self/task/11/schedstat").unlink()  # it has ended
    assert delay_since(before) == 0.25 + 0.125


def test_where_the_system_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS nothing waits, as far as one knows, and nobody else is seen."""
    monkeypatch.setattr(contention, "PROC", tmp_path / "none")
    assert delays() == {}
    assert delay_since({}) == 0.0
    assert cores() is None
    reading = Cores(1.0, 1.0, 1.0, 1.0, 2)
    assert elsewhere(None, reading) is None
    assert elsewhere(reading, None) is None


def test_a_reading_of_the_cores(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """User, nice, system and both kinds of interrupts are busy, in hundredths; idle is not."""
    monkeypatch.setattr(time, "perf_counter", lambda: 42.0)
    monkeypatch.setattr(time, "process_time", lambda: 3.5)
    found = cores()
    assert found is not None
    assert (found.time, found.own, found.count) == (42.0, 3.5, 2)
    assert found.busy == pytest.approx(13.77, rel=2**-50)
    assert found.stolen == pytest.approx(0.60, rel=2**-50)


def test_what_went_elsewhere() -> None:
    """Of four cores in two seconds: half a second to others, a quarter to other machines."""
    before = Cores(time=10.0, busy=100.0, stolen=5.0, own=50.0, count=4)
    after = Cores(time=12.0, busy=103.5, stolen=5.25, own=53.0, count=4)
    assert elsewhere(before, after) == Elsewhere(others=0.5 / 8, stolen=0.25 / 8)


def test_what_the_clocks_cannot_tell() -> None:
    """Ticks that lag behind the process's own time are nobody's; too short a time tells none."""
    before = Cores(time=8.0, busy=0.0, stolen=0.0, own=0.0, count=1)
    after = Cores(time=8.25, busy=0.0, stolen=0.0, own=0.25, count=1)
    assert elsewhere(before, after) == Elsewhere(0.0, 0.0)
    assert contention.SHORTEST == 0.2
    assert elsewhere(before, Cores(8.201, 1.0, 0.0, 0.0, 1)) is not None
    assert elsewhere(before, Cores(8.199, 1.0, 0.0, 0.0, 1)) is None


def test_the_system_is_read_where_it_is() -> None:
    """This thread is among those that may wait, and there are cores, where Linux tells."""
    if os.path.exists("/proc/self/schedstat"):
        assert str(threading.get_native_id()) in delays()
    if os.path.exists("/proc/stat"):
        found = cores()
        assert found is not None
        assert found.count >= 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs a core to fight for")
def test_a_busy_core_is_seen() -> None:
    """Beside a process that never sleeps on the same core, half of the time is waited."""
    allowed = os.sched_getaffinity(0)
    core = min(allowed)
    spin = f"import os; os.sched_setaffinity(0, {{{core}}}); print(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", spin], stdout=subprocess.PIPE) as busy:
        try:
            assert busy.stdout is not None
            busy.stdout.readline()
            os.sched_setaffinity(0, {core})
            sample = once(Timed(lambda: [None for _ in range(3_000_000)]))
        finally:
            os.sched_setaffinity(0, allowed)
            busy.kill()
    assert sample.waited > 0.05
