"""The row of NumPy's source on CuPy, computed on arrays in CuPy's place."""

import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import limits
from benchmarks.backends.base import NotRun
from benchmarks.backends.catalogue import BY_NAME
from benchmarks.layers import LAYERS
from benchmarks.measure import measure
from benchmarks.workloads import WORKLOADS, Work
from numpy_siamese.tests.support import strict_array
from numpy_siamese.tests.support.traffic import Traffic, counted

pytestmark = pytest.mark.slow

CUPY = BY_NAME["cuda-cupy"]


class NoDriver(Exception):  # noqa: N818 - as CuPy's
    """What CuPy raises without a driver."""


@pytest.fixture
def in_its_place(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Put a module in CuPy's place that has one device."""
    device = SimpleNamespace(synchronize=lambda: stand_in.waited.append(True))
    pool = SimpleNamespace(free_all_blocks=lambda: None, total_bytes=lambda: 7)
    stand_in = SimpleNamespace(
        asarray=strict_array.asarray,
        asnumpy=strict_array.asnumpy,
        cuda=SimpleNamespace(
            Device=lambda: device,
            runtime=SimpleNamespace(getDeviceCount=lambda: 1, CUDARuntimeError=NoDriver),
        ),
        get_default_memory_pool=lambda: pool,
        waited=[],
    )
    monkeypatch.setitem(sys.modules, "cupy", stand_in)
    monkeypatch.setattr(limits, "PAUSE", 0)
    return stand_in


def row(work: Work) -> Any:
    """Measure as shortly as it goes."""
    (cell, *_) = measure(work, [CUPY], 1, seconds=0)
    return cell


@pytest.mark.parametrize("workload", ["step", "embed", "scaling"])
def test_it_does_the_work(workload: str, in_its_place: Any) -> None:
    """Results agree with float64, weights change as they should, and the device is waited for."""
    (work,) = WORKLOADS[workload]([2])
    cell = row(replace(work, size=2, flops=1e3))
    assert not cell.missing, cell
    assert 0 <= cell.error <= 256 * 2.0**-24
    assert in_its_place.waited
    assert cell.device_bytes == (7 if workload == "step" else None)


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("name", LAYERS)
def test_every_operation_runs(name: str, direction: str, in_its_place: Any) -> None:
    """Forward and backward, at the network's shapes for two images."""
    work = Work("operations", name, 2, lambda b, n: b.operation(name, n, direction), 0.0, 2)
    cell = row(work)
    assert not cell.missing, cell


def test_a_step_is_one_micro_batch(in_its_place: Any) -> None:
    """A device is asked for the four values of one, however many pairs there are."""

    def traffic_of(pairs: int) -> Traffic:
        job = CUPY.step(pairs)
        with counted() as traffic:
            job.run()
        return traffic

    assert traffic_of(2).reads == traffic_of(130).reads == 4


def test_why_it_cannot_run(in_its_place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without CuPy, a driver or a device."""

    def no_driver() -> int:
        raise NoDriver

    assert CUPY.missing is None
    for count in (no_driver, lambda: 0):
        in_its_place.cuda.runtime.getDeviceCount = count
        assert CUPY.missing == "no CUDA device"
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert CUPY.missing == "CuPy is not installed"


def test_other_work_is_not_written() -> None:
    """And says so."""
    assert set(CUPY.leaves_out) == {"learn", "pairs", "epoch"}
    for work in CUPY.leaves_out:
        with pytest.raises(NotRun, match="only step, embed and operations are written for CuPy"):
            getattr(CUPY, work)(100)
