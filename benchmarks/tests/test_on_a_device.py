"""The rows of a device and the parts of its report, on a simulated CUDA device."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.backends import torch_product
from benchmarks.backends.base import draw
from benchmarks.backends.catalogue import BY_NAME
from benchmarks.cuda_timer import Flush
from benchmarks.device_report import clock, environment, limits, recipe, roofline, scaling
from benchmarks.measure import measure
from benchmarks.results import Cell
from benchmarks.workloads import WORKLOADS, Work
from torch_siamese import cuda_graph
from torch_siamese.tests.support.copies import TO_DEVICE, TO_HOST
from torch_siamese.tests.support.counting_device import CountingDevice

pytestmark = pytest.mark.slow

ROWS = ("cuda-eager", "cuda-tuned", "cuda-graph", "cuda-graph-tf32", "cuda-graph-bf16")

RECIPE = {"data": None, "epochs": 2, "batches": 3, "pairs": 4, "test_pairs": 6}


@pytest.fixture(autouse=True)
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[CountingDevice]:
    """Let `cuda` be a device without hardware, whose events pass a millisecond apart."""
    monkeypatch.setattr(torch_product, "IN_A_CALL", 3)
    monkeypatch.setattr(recipe, "WARM_UP", 5)
    monkeypatch.setattr(cuda_graph, "MANY", 2)
    monkeypatch.setattr("benchmarks.cuda_timer.FALLBACK_L2", 512)
    with CountingDevice() as found:
        yield found


def cell(work: Work, name: str) -> Cell:
    """Measure as shortly as it goes."""
    return next(c for c in measure(work, [BY_NAME[name]], 1, seconds=0) if c.backend == name)


def small(workload: str) -> Work:
    """Return a workload's work made small."""
    (work,) = WORKLOADS[workload]([2])
    return replace(work, size=1 if workload == "epoch" else 2, flops=1e3)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_agrees_with_float64(name: str) -> None:
    """Loss, gradients and the weights after a step; a graph's first steps are eager ones."""
    found = cell(small("step"), name)
    assert not found.missing, found
    assert len(found.samples) == 3
    assert found.device_bytes


@pytest.mark.parametrize("workload", ["learn", "epoch"])
@pytest.mark.parametrize("name", ["cuda-plain", "cuda-graph"])
def test_the_plain_loop_and_the_product_learn(name: str, workload: str) -> None:
    """Both from indices to the loss."""
    assert not cell(small(workload), name).missing


def test_the_plain_loop_waits_and_the_product_does_not(device: CountingDevice) -> None:
    """Three copies to the device and two numbers read at each step, against one copy each way."""
    counts = {}
    for name in ("cuda-plain", "cuda-graph"):
        learner = BY_NAME[name].learner(2)  # type: ignore[attr-defined]
        drawn = [draw(2, k) for k in range(4)]
        learner.learn(drawn)
        device.reset()
        learner.learn(drawn)
        waits = len(device.waits) + len(device.copies_to(TO_HOST))
        counts[name] = len(device.copies_to(TO_DEVICE)), waits
    assert counts["cuda-plain"] == (4 * 3, 4 * 2)
    assert counts["cuda-graph"] == (1, 1)


@pytest.mark.parametrize(("mode", "precision"), [("graph", "tf32"), (recipe.PLAIN, "fp32")])
def test_the_recipe(mode: str, precision: str) -> None:
    """Trained and tested; the graph that was captured before is replayed."""
    found = recipe.measure("cuda", mode, precision, **RECIPE)
    assert found["mode"] == mode
    assert np.isfinite(found["loss"])
    assert 0 <= found["test accuracy"] <= 1


def test_the_recipe_is_the_same_in_a_graph_and_in_the_plain_loop() -> None:
    """What was captured before the weights went back works on the same weights."""
    losses = [
        recipe.measure("cuda", mode, "fp32", **RECIPE)["loss"] for mode in ("graph", recipe.PLAIN)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_scaling(device: CountingDevice) -> None:
    """In the mode that the product takes on a device, with the memory that it took."""
    found = scaling.measure("cuda", "fp32", 3, 0.0, None)
    assert found["mode"] == "graph"
    assert found["device bytes"] > 0


def test_a_batch_too_large_for_the_device() -> None:
    """The largest that fits is said."""
    with CountingDevice(limit=20 * 10**6), pytest.raises(MemoryError, match=r"at most \d+$"):
        scaling.measure("cuda", "fp32", 40, 0.0, None)


def test_limits_and_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by events, the cache flushed before."""
    flushes: list[int] = []
    flush = Flush.__call__
    monkeypatch.setattr(Flush, "__call__", lambda self: flushes.append(1) or flush(self))
    monkeypatch.setattr(clock, "MOST", clock.FEWEST)
    monkeypatch.setattr(torch.cuda, "_sleep", lambda ticks: None)  # not simulated
    times: list[Any] = [
        limits.measure("cuda", "fp32", 8, 0.0),
        limits.measure("cuda", limits.COPY, 64, 0.0),
    ]
    assert len(flushes) == 2 * clock.FEWEST
    for layer in ("conv1", "fc2", "loss"):
        times.append(roofline.measure("cuda", "bf16", layer, 2, 0.0))
    assert len(flushes) == (2 + 3 * 2) * clock.FEWEST


def test_the_environment_of_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device and its versions come first, and its state is asked of the driver."""
    monkeypatch.setattr(environment, "device_state", lambda: {"power": "70 W"})
    facts = environment.describe("cuda")
    assert facts["device"] == torch.cuda.get_device_name()
    assert facts["device memory"] == "80.0 GiB"
    assert (facts["multiprocessors"], facts["compute capability"]) == ("132", "9.0")
    assert facts["L2 cache"] == "1 MiB"
    assert next(iter(facts)) == next(iter(environment.describe("cpu"))) == "device"
    assert environment.state("cuda") == {"power": "70 W"}
    assert environment.state("cpu") == {}
