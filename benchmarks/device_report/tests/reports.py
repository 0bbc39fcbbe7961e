"""Findings of a device that was never there."""

from typing import Any

import pytest

from benchmarks.device_report.findings import Findings
from benchmarks.device_report.recipe import PLAIN
from benchmarks.device_report.tasks import Outcome
from benchmarks.layers import step_bytes, step_flops


def recipe(mode: str, precision: str, seconds: float, accuracy: float = 0.95) -> Outcome:
    """Return a training of the whole recipe."""
    found = {
        "seconds": seconds,
        "drawing": 0.25,
        "first batches": 2.0,
        "learner": 0.5,
        "pairs": 500_000,
        "loss": 0.125,
        "test accuracy": accuracy,
        "test pairs": 20_000,
    }
    arguments = {"mode": mode, "precision": precision}
    return Outcome("recipe", f"{mode}, {precision}", arguments, found)


def scaling(pairs: int, precision: str, seconds: float) -> Outcome:
    """Return the steps of a batch size."""
    found = {
        "seconds": seconds,
        "flops": step_flops(pairs),
        "bytes": step_bytes(pairs),
        "device bytes": 3 * 2**20,
        "mode": "graph",
    }
    arguments = {"pairs": pairs, "precision": precision}
    return Outcome("scaling", f"{pairs:,} pairs, {precision}", arguments, found)


def layer(name: str, precision: str, flops: float, traffic: float, seconds: float) -> Outcome:
    """Return a layer whose backward pass costs twice its forward pass."""
    arguments = {"layer": name, "precision": precision, "images": 16_384}
    found: dict[str, Any] = {
        direction: {"flops": n * flops, "bytes": n * traffic, "seconds": n * seconds}
        for n, direction in ((1, "forward"), (2, "backward"))
    }
    return Outcome("roofline", f"{name}, {precision}", arguments, found)


@pytest.fixture
def findings() -> Findings:
    """Return a whole report: 50 TFLOP/s in fp32, 400 in tf32, 3 TB/s."""
    facts = {"device": "NVIDIA H100 80GB HBM3", "torch": "2.13", "date": "2026-11-28"}
    found = Findings("cuda", 1.0, "mnist-5k", facts, seconds=321.0)
    found.states["at the start"] = {"power": "70 W", "temperature, °C": "30"}
    found.states["after recipe"] = {"power": "300 W", "temperature, °C": "50"}
    parity = {"passed": 700, "failed": 0, "skipped": 2, "whole": True, "failures": []}
    parity |= {"profile": "default", "seconds": 99.0}
    rates = {"copy": {"bytes": 3e12}, "fp32": {"flops": 5e13}, "tf32": {"flops": 4e14}}
    no_memory = Outcome(
        "scaling",
        "16,384 pairs, fp32",
        {"pairs": 16_384, "precision": "fp32"},
        missing="out of memory CUDA out of memory",
        no_memory=True,
    )
    found.outcomes += [
        Outcome("parity", "NumPy against PyTorch", {}, parity),
        recipe("graph", "tf32", 0.75),
        recipe("graph", "fp32", 1.75, 0.9501),
        recipe(PLAIN, "fp32", 30.0),
        Outcome("recipe", "eager, bf16", {"mode": "eager", "precision": "bf16"}, missing="failed"),
        scaling(100, "fp32", 1e-3),
        scaling(8192, "fp32", 8192 * step_flops(100) / 100 / 2.5e13),
        scaling(8192, "tf32", 8192 * step_flops(100) / 100 / 4e13),
        no_memory,
        *(Outcome("limits", n, {"precision": n}, rate) for n, rate in rates.items()),
        layer("conv2", "fp32", 5e10, 3e9, 2e-3),
        layer("relu1", "tf32", 0.0, 3e9, 4e-3),
    ]
    return found
