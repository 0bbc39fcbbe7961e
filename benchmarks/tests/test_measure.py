"""What `measure` has backends do, in which order, and what it makes of it: told by fakes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from benchmarks import contention, limits, measure, timing
from benchmarks.backends.numpy_backend import NumpyBackend
from benchmarks.contention import Cores
from benchmarks.limits import MATRIX_PRODUCT
from benchmarks.measure import REFERENCE
from benchmarks.tests.fakes import Clock, Fake, found, steps
from benchmarks.timing import Timed

WAIT = 0.125

CLOCK_ERROR = 2.0**-40
"""Of a difference: a clock that starts at 100 is rounded by 2⁻⁴⁶ at most at each advance."""
"""Of the fakes' device."""


pytestmark = pytest.mark.usefixtures("reference")


@pytest.fixture
def a(clock: Clock) -> Fake:
    """Return a backend whose pairs take a millisecond each."""
    return Fake("a", [], clock)


def test_a_step_from_beginning_to_end(a: Fake) -> None:
    """Threads, switches, a checked run, then a cold run and three rounds, each waited for."""
    cell = found(steps(10), a)["a"]
    run = "run 10 on 2"
    sample = ["enter", "wait", run, "wait"]
    expected = ["threads 2", "enter", "prepare 10", "watch", run, "watched"]
    expected += sample + 3 * (sample + sample)
    expected += ["peak", run, "threads back"]
    assert a.log == [f"a {line}" for line in expected]
    assert cell.samples == pytest.approx([0.01 + WAIT] * 3, abs=CLOCK_ERROR)
    assert not cell.missing


def test_what_is_checked_is_what_is_timed(a: Fake, reference: Fake) -> None:
    """At 100 pairs and below: the job that was seen to agree, not another one."""
    found(steps(100), a)
    assert a.log.count("a prepare 100") == 1
    assert reference.log == ["reference prepare 100", "reference run 100 on 1"]


def test_a_large_batch_is_checked_small_and_timed_large(a: Fake, reference: Fake) -> None:
    """10,000 pairs are not timed as 100; every counted run is of the size that the table says."""
    cell = found(steps(10_000), a)["a"]
    assert reference.log == ["reference prepare 100", "reference run 100 on 1"]
    checked, timed = a.log.index("a watched"), a.log.index("a prepare 10000")
    assert "a run 100 on 2" in a.log[:checked]
    assert timed > checked
    runs = [line for line in a.log[timed:] if line.startswith("a run")]
    assert set(runs) == {"a run 10000 on 2"}
    assert cell.samples == pytest.approx([10.0 + WAIT] * 3, abs=CLOCK_ERROR)
    assert cell.size == 10_000


def test_an_epoch_is_checked_by_a_few_batches(a: Fake, reference: Fake) -> None:
    """As many as the work says."""
    found(steps(40, "epoch", most_checked=2), a)
    assert reference.log == ["reference prepare 2", "reference run 2 on 1"]
    assert a.log.index("a run 2 on 2") < a.log.index("a prepare 40") < a.log.index("a run 40 on 2")


def test_what_the_cell_says_of_the_work(a: Fake, reference: Fake) -> None:
    """All of it is the work's own; nothing is told that was not measured."""
    work = replace(steps(10), label="ten", flops=7.0, images=5, traffic=3.0)
    reference.gradient = 1.0 + 2.0**-20
    cell = found(work, a, threads=3)["a"]
    assert (cell.workload, cell.label, cell.size, cell.threads) == ("step", "ten", 10, 3)
    assert (cell.flops, cell.images, cell.traffic) == (7.0, 5, 3.0)
    assert cell.error == pytest.approx(2.0**-20 / (1 + 2.0**-20), rel=2**-50)
    assert (cell.others, cell.stolen) == (None, None)


def test_backends_take_turns_each_under_its_name(clock: Clock) -> None:
    """Times, and memory on the device, are of the backend whose name they bear."""
    log: list[str] = []
    quick = Fake("quick", log, clock, lambda pairs: 0.25)
    slow = Fake("very slow", log, clock, lambda pairs: 0.75)
    cells = found(steps(10), quick, slow)
    assert cells["quick"].samples == [0.25 + WAIT] * 3
    assert cells["very slow"].samples == [0.75 + WAIT] * 3
    assert (cells["quick"].device_bytes, cells["very slow"].device_bytes) == (1005, 1009)
    runs = [line.rsplit(" ", 4)[0] for line in log if " run " in line]
    assert runs[:4] == ["quick", "very slow", "quick", "very slow"]
    rounds = [set(runs[k : k + 4]) for k in range(4, 16, 4)]
    assert rounds == [{"quick", "very slow"}] * 3


def test_memory_on_the_device_is_asked_of_steps_alone(a: Fake) -> None:
    """Of the job that was timed; other work has none."""
    assert found(steps(10), a)["a"].device_bytes == 1001
    a.log.clear()
    assert found(steps(10, "learn"), a)["a"].device_bytes is None
    assert "a peak" not in a.log


def test_cpu_time_and_waiting_are_medians(clock: Clock) -> None:
    """Of the counted runs: CPU seconds, and the share that threads did not get."""
    a = Fake("a", [], clock, lambda pairs: 0.0)
    left = [(0, 0), (0, 0), (4, 0), (3, 1), (1, 3)]  # checked, cold, the rounds

    def run(pairs: int) -> float:
        cpu, delay = left.pop(0) if left else (0, 0)
        clock.go(4.0, cpu, delay)
        return 0.0

    a.seconds = run
    a.synchronize = lambda: None
    cell = found(steps(10), a)["a"]
    assert cell.samples == [4.0] * 3
    assert cell.cpu == 3.0
    assert cell.waited == 0.25


def test_the_cpu_does_not_tell_of_a_device(clock: Clock) -> None:
    """Its CPU time is spent waiting for the device."""
    cell = found(steps(10), Fake("cuda-eager", [], clock))["cuda-eager"]
    assert cell.samples
    assert (cell.cpu, cell.waited) == (None, None)


def test_what_went_elsewhere_during_the_rounds(a: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read before the first and after the last one; every cell of the group has it."""
    readings = iter([Cores(0.0, 0.0, 0.0, 0.0, 2), Cores(10.0, 9.0, 1.0, 5.0, 2)])
    monkeypatch.setattr(contention, "cores", lambda: a.say("cores") or next(readings))
    cells = found(steps(10), a)
    assert {(cell.others, cell.stolen) for cell in cells.values()} == {(0.2, 0.05)}
    first, last = (k for k, line in enumerate(a.log) if line == "a cores")
    assert a.log[first - 1] == "a watched"
    assert a.log[last + 1] == "a peak"
    assert a.log[first:last].count("a run 10 on 2") == 7


# ------------------------------------------------------------------------------ matrix product


def test_a_step_stands_beside_a_matrix_product_of_as_many_operations(
    a: Fake, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the same rounds, on the same threads; it sees no images."""
    asked: list[float] = []
    blas: set[int] = set()

    def product(flops: float) -> Timed:
        asked.append(flops)

        def run() -> None:
            clock.go(0.5)
            blas.update(p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas")

        return Timed(run)

    monkeypatch.setattr(limits, "matrix_product", product)
    for threads in (1, 2):
        blas.clear()
        cell = found(replace(steps(10), flops=123.0), a, threads=threads)[MATRIX_PRODUCT]
        assert blas <= {threads}
        assert cell.samples == [0.5] * 3
        assert (cell.flops, cell.images, cell.threads) == (123.0, 0, threads)
        assert (cell.workload, cell.label) == ("step", "step of 10")
        assert cell.device_bytes is None
    assert asked == [123.0, 123.0]


def test_only_blas_is_limited_for_the_product(a: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Backends see to their own threads, PyTorch's of OpenMP among them."""
    limited: list[tuple[int, str]] = []

    @contextmanager
    def limit(threads: int, user_api: str) -> Iterator[None]:
        limited.append((threads, user_api))
        yield

    monkeypatch.setattr(measure, "threadpool_limits", limit)
    found(steps(10), a, threads=2)
    assert limited == [(2, "blas")]


def test_the_reference_is_numpy_in_float64() -> None:
    """With as many digits as it takes to judge float32."""
    assert type(REFERENCE) is NumpyBackend
    assert REFERENCE.dtype is np.float64
    assert REFERENCE.name == "numpy in float64"


def test_other_work_stands_beside_none(a: Fake) -> None:
    """What is no step has the machine's best as its limit."""
    assert found(steps(10, "scaling"), a).keys() == {"a"}


# ------------------------------------------------------------------------------ how long


@pytest.mark.parametrize(
    ("workload", "asked", "expected"),
    [
        ("step", None, 4.0),
        ("epoch", None, 4.0),
        ("operations", None, 0.4),
        ("step", 0.0, 0.0),
        ("operations", 7.0, 7.0),
    ],
)
def test_how_long_the_rounds_go_on(
    a: Fake, monkeypatch: pytest.MonkeyPatch, workload: str, asked: float | None, expected: float
) -> None:
    """Four seconds, a tenth of that for an operation, or what is asked for, zero included."""
    seen: list[float] = []

    def rounds(jobs: dict[str, Timed], seconds: float) -> tuple[dict[str, Any], dict[str, Any]]:
        seen.append(seconds)
        return timing.rounds(jobs, 0)

    monkeypatch.setattr(measure, "rounds", rounds)
    found(steps(10, workload), a, seconds=asked)
    assert seen == [expected]


def test_progress_is_told(a: Fake, clock: Clock) -> None:
    """Before each backend is prepared."""
    said: list[str] = []
    say: Callable[[str], None] = said.append
    found(steps(10), a, Fake("b", [], clock), say=say)
    assert said == ["step of 10, 2 threads: a", "step of 10, 2 threads: b"]
