"""What the machine can do at most: that what is counted is what is done."""

from typing import Any

import numpy as np
import pytest

from benchmarks import limits
from benchmarks.tests.fakes import Clock
from benchmarks.timing import Timed


def test_limits_count_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """A multiplication and an addition for each term; bytes read and bytes written."""
    monkeypatch.setattr(limits, "_best", lambda job, seconds: 2.0)
    found = limits.measure(1)
    assert found == {"gemm_flops": limits.SIZE**3, "copy_bytes": 4.0 * limits.COPIED}


def test_limits_are_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two positive numbers; how large they are is the machine's affair."""
    monkeypatch.setattr(limits, "SIZE", 64)
    monkeypatch.setattr(limits, "COPIED", 1024)
    found = limits.measure(1, seconds=0)
    assert found.keys() == {"gemm_flops", "copy_bytes"}
    assert all(value > 0 for value in found.values())


def test_the_rate_of_matrix_products(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the very matrices that are counted, on the threads that are asked for; so for the copy."""
    shapes, counts, copied, long = set(), [], [], []
    multiply, limit, copy = np.matmul, limits.threadpool_limits, np.copyto

    def spy(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> np.ndarray:
        shapes.add((a.shape, b.shape, a.dtype, b.dtype))
        return multiply(a, b, out=out)

    def copying(to: np.ndarray, source: np.ndarray) -> None:
        copied.append((to.nbytes, source.nbytes, to is source))
        copy(to, source)

    def counting(threads: int, user_api: str) -> Any:
        counts.append((threads, user_api))
        return limit(threads, user_api=user_api)

    def run_once(job: Timed, seconds: float) -> float:
        long.append(seconds)
        job.run()
        return 0.5

    monkeypatch.setattr(limits, "SIZE", 24)
    monkeypatch.setattr(limits, "COPIED", 16)
    monkeypatch.setattr(limits, "threadpool_limits", counting)
    monkeypatch.setattr(limits, "_best", run_once)
    monkeypatch.setattr(np, "matmul", spy)
    monkeypatch.setattr(np, "copyto", copying)
    assert limits.measure(3) == {"gemm_flops": 2 * 24**3 / 0.5, "copy_bytes": 2 * 64 / 0.5}
    assert shapes == {((24, 24), (24, 24), np.dtype("f4"), np.dtype("f4"))}
    assert counts == [(3, "blas")]
    assert copied == [(64, 64, False)]
    assert long == [1.0, 1.0]


def test_the_matrix_product_takes_as_many_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Square matrices whose side is the cube root of half of the operations, rounded."""
    flops = 3.07e9
    timed, shapes = limits.matrix_product(flops), []
    monkeypatch.setattr(limits.np, "matmul", lambda a, b, out: shapes.append(a.shape + b.shape))
    timed.run()
    ((rows, inner, _, columns),) = shapes
    assert rows == inner == columns
    assert timed.leave is limits.settle
    assert (rows - 0.5) ** 3 <= flops / 2 <= (rows + 0.5) ** 3


def test_the_best_is_the_shortest(clock: Clock) -> None:
    """A limit is what was reached once, within the time that is asked for."""
    left = [0.5, 0.25, 0.125, 0.5, 0.0625]
    job = Timed(lambda: clock.go(left.pop(0)))
    assert limits._best(job, seconds=1.0) == 0.125
    assert left == [0.0625]
    left[:] = [0.5, 0.25, 0.125]
    assert limits._best(job, seconds=0.75) == 0.25  # when time is up, it is


def test_settling_is_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of a second, in which OpenBLAS's threads stop spinning."""
    naps: list[float] = []
    monkeypatch.setattr(limits.time, "sleep", naps.append)
    limits.settle()
    assert naps == [0.1]
