"""Tests of the tables: what they show, digit by digit."""

from dataclasses import replace

import pytest

from benchmarks import tables
from benchmarks.results import Cell, Memory, Results

STEP = Cell("step", "step of 2 pairs", 2, "numpy", 2, [0.04, 0.02, 0.01, 0.03], flops=3e9, images=4)
CONV = Cell("operations", "conv1 forward", 100, "numpy", 1, [2e-5], flops=1e6, images=100)

MARKDOWN = r"""# Benchmarks

one of \*a\* kind, today.

## Step

| work | threads | backend | median | quartiles | GFLOP/s | of GEMM | of copy | images/s |
|---|---|---|---|---|---|---|---|---|
| step of 2 pairs | 2 | numpy | 25 ms ± | 17.5 ms to 32.5 ms | 120.0 | 80% |  | 160 |
| step of 2 pairs | 2 | cuda-eager | 5 ms | 5 ms to 5 ms | 600.0 |  |  | 800 |
| step of 2 pairs | 2 | matrix product | 20 ms | 20 ms to 20 ms | 150.0 | 100% |  |  |

- jax: not run: \<no\|jax>

## Operations

| work | threads | backend | median | quartiles | GFLOP/s | of GEMM | of copy | images/s |
|---|---|---|---|---|---|---|---|---|
| conv1 forward | 1 | numpy | 20 µs | 20 µs to 20 µs | 50.0 | 50% | 50% | 5,000,000 |
| conv1 forward | 1 | torch-eager | 10 µs | 10 µs to 10 µs | 100.0 | 100% | 100% | 10,000,000 |

## NumPy's time over the others'

| workload | work | threads | against | NumPy takes |
|---|---|---|---|---|
| step | step of 2 pairs | 2 | cuda-eager | 5.00× |
| step | step of 2 pairs | 2 | matrix product | 1.25× |

## Host memory of a training process

| backend | pairs | peak before training | peak |
|---|---|---|---|
| numpy | 2 | 1 MiB | 2 MiB |

- torch-eager: not run: a\|b

## Energy and device memory

| work | threads | backend | energy | device memory |
|---|---|---|---|---|
| step of 2 pairs | 2 | numpy | 0.5 J |  |
| step of 2 pairs | 2 | cuda-eager |  | 3 MiB |

- energy not told: cuda-eager

## Limits of the machine, measured

| threads | matrix product | copy |
|---|---|---|
| 1 | 100 GFLOP/s | 40.0 GB/s |
| 2 | 220 GFLOP/s | 55.5 GB/s |

## Environment

| what | value |
|---|---|
| processor | one of \*a\* kind |
| date | today |

"""


def test_markdown() -> None:
    """Every kind of line, calculated by hand."""
    cells = [
        replace(STEP, joules=0.5),
        replace(STEP, backend="cuda-eager", samples=[0.005], device_bytes=3 * 2**20),
        replace(STEP, backend="matrix product", samples=[0.02], images=0),
        replace(STEP, backend="jax", samples=[], missing="not run: <no|jax>"),
        replace(CONV, traffic=4e5),
        replace(CONV, backend="torch-eager", samples=[1e-5], traffic=4e5),
    ]
    limits = {
        1: {"gemm_flops": 1e11, "copy_bytes": 4e10},
        2: {"gemm_flops": 2.2e11, "copy_bytes": 5.55e10},
    }
    memory = [
        Memory("numpy", 2, 2**20, 2**21),
        Memory("torch-eager", 2, missing="not run: a|b"),
    ]
    found = Results({"processor": "one of *a* kind", "date": "today"}, limits, cells, memory)
    assert tables.as_markdown(found) == MARKDOWN + tables.NOTE + "\n"


def test_a_reason_is_said_once() -> None:
    """With the backends that it holds for, and with the work where it holds for some alone."""
    ran = Cell("scaling", "step of 1 pair", 1, "torch", 2, [0.1])
    large = replace(ran, label="step of 9 pairs", samples=[], missing="too large")
    absent = replace(ran, samples=[], missing="not installed")
    cells = [ran, large, *(replace(absent, backend=name) for name in ("jax", "cuda"))]
    cells += [replace(large, backend=name, missing="not installed") for name in ("jax", "cuda")]
    assert tables.not_measured(Results({}, {}, cells), "scaling") == [
        "torch (step of 9 pairs, threads: 2): too large",
        "jax, cuda: not installed",
    ]
    assert tables.not_measured(Results({}, {}, cells), "step") == []


def test_no_title_stands_over_nothing() -> None:
    """Where one backend alone was measured there is nothing to compare, and no memory was asked."""
    facts = {"processor": "p", "date": "d"}
    for text in (tables.as_text, tables.as_markdown):
        shown = text(Results(facts, {}, [replace(STEP, joules=1.0)]))
        assert "tep of 2 pairs" in shown
        for title in (
            "over the others",
            "memory of a training",
            "limits of the machine",
            "not told",
        ):
            assert title not in shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.2e-6, "3.2 µs"),
        (9.994e-4, "999 µs"),
        (9.996e-4, "1 ms"),
        (0.01234, "12.3 ms"),
        (0.9996, "1 s"),
        (999.4, "999 s"),
        (1234.5, "1,234 s"),
    ],
)
def test_seconds(value: float, text: str) -> None:
    """Three digits, and the unit that fits them."""
    assert tables.seconds(value) == text
