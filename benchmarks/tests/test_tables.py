"""Tests of the tables: what they show, digit by digit."""

from dataclasses import replace

import pytest

from benchmarks import tables
from benchmarks.ratios import CONFIDENCE, ENOUGH
from benchmarks.results import BUSY, NOISY, Cell, Memory, Results

STEP = Cell("step", "step of 2 pairs", 2, "numpy", 2, [0.04, 0.02, 0.01, 0.03], flops=3e9, images=4)
CONV = Cell("operations", "conv1 forward", 100, "numpy", 1, [2e-5], flops=1e6, images=100)

MARKDOWN = r"""# Benchmarks

one of \*a\* kind, its (kernel), today.

**OpenBLAS runs \_its\_ Haswell kernel**

## NumPy's time over the others'

| workload | work | threads | against | NumPy takes |
|---|---|---|---|---|
| step | step of 2 pairs | 2 | cuda-eager | 5.00× (2.00 to 8.00, 1 rounds) |
| step | step of 2 pairs | 2 | matrix product | 1.25× (0.50 to 2.00, 1 rounds) |

## Step

| work | threads | backend | median | quartiles | cores | waited | GFLOP/s | of GEMM | of copy | images/s |
|---|---|---|---|---|---|---|---|---|---|---|
| step of 2 pairs | 2 | numpy | 25 ms ± | 17.5 ms to 32.5 ms | 1.60 | 6% ! | 120.0 | 80% |  | 160 |
| step of 2 pairs | 2 | cuda-eager | 5 ms | 5 ms to 5 ms |  |  | 600.0 |  |  | 800 |
| step of 2 pairs | 2 | matrix product | 20 ms | 20 ms to 20 ms | 1.00 | 0% | 150.0 | 100% |  |  |

- the machine was busy: in 1 of 3 times threads waited for more than 5% of the CPU time they asked for, up to 6%
- jax: not run: \<no\|jax>

## Operations

| work | threads | backend | median | quartiles | cores | waited | GFLOP/s | of GEMM | of copy | images/s |
|---|---|---|---|---|---|---|---|---|---|---|
| conv1 forward | 1 | numpy | 20 µs | 20 µs to 20 µs |  | 5% | 50.0 | 50% | 50% | 5,000,000 |
| conv1 forward | 1 | torch-eager | 8 µs | 8 µs to 8 µs |  |  | 125.0 | 125% ! | 125% | 12,500,000 |

- torch-eager, conv1 forward, on 1 thread: 125% of the machine's rate of matrix products, which was measured while it was busier, or work is left out

## Host memory of a training process

| backend | pairs | peak before training | peak |
|---|---|---|---|
| numpy | 2 | 100 MiB | 2,000 MiB |

- torch-eager: not run: a\|b

## Device memory

| work | threads | backend | device memory |
|---|---|---|---|
| step of 2 pairs | 2 | cuda-eager | 300 MiB |

## Limits of the machine, measured

| threads | matrix product | copy |
|---|---|---|
| 1 | 100 GFLOP/s | 40.0 GB/s |
| 2 | 96 GFLOP/s | 55.5 GB/s |

- matrix products on 2 threads reach 0.96× the rate on 1

## Environment

| what | value |
|---|---|
| processor | one of \*a\* kind |
| BLAS | its (kernel) |
| date | today |
| weaker than the processor: BLAS | OpenBLAS runs \_its\_ Haswell kernel |

"""  # noqa: E501

TEXT = """OpenBLAS runs _its_ Haswell kernel

== NumPy's time over the others'
workload  work             threads  against         NumPy takes
step      step of 2 pairs  2        cuda-eager      5.00× (2.00 to 8.00, 1 rounds)
step      step of 2 pairs  2        matrix product  1.25× (0.50 to 2.00, 1 rounds)

== step
work             threads  backend         median   quartiles           cores  waited  GFLOP/s  of GEMM  of copy  images/s
step of 2 pairs  2        numpy           25 ms ±  17.5 ms to 32.5 ms  1.60   6% !    120.0    80%               160
step of 2 pairs  2        cuda-eager      5 ms     5 ms to 5 ms                       600.0                      800
step of 2 pairs  2        matrix product  20 ms    20 ms to 20 ms      1.00   0%      150.0    100%
the machine was busy: in 1 of 3 times threads waited for more than 5% of the CPU time they asked for, up to 6%
jax: not run: <no|jax>

== operations
work           threads  backend      median  quartiles       cores  waited  GFLOP/s  of GEMM  of copy  images/s
conv1 forward  1        numpy        20 µs   20 µs to 20 µs         5%      50.0     50%      50%      5,000,000
conv1 forward  1        torch-eager  8 µs    8 µs to 8 µs                   125.0    125% !   125%     12,500,000
torch-eager, conv1 forward, on 1 thread: 125% of the machine's rate of matrix products, which was measured while it was busier, or work is left out

== host memory of a training process
backend  pairs  peak before training  peak
numpy    2      100 MiB               2,000 MiB
torch-eager: not run: a|b

== device memory
work             threads  backend     device memory
step of 2 pairs  2        cuda-eager  300 MiB

== limits of the machine, measured
threads  matrix product  copy
1        100 GFLOP/s     40.0 GB/s
2        96 GFLOP/s      55.5 GB/s
matrix products on 2 threads reach 0.96× the rate on 1

== environment
what                             value
processor                        one of *a* kind
BLAS                             its (kernel)
date                             today
weaker than the processor: BLAS  OpenBLAS runs _its_ Haswell kernel

"""  # noqa: E501


@pytest.fixture
def every_kind() -> Results:
    """Return results with every kind of line."""
    cells = [
        replace(STEP, cpu=0.04, waited=0.06),
        replace(STEP, backend="cuda-eager", samples=[0.005], device_bytes=300 * 2**20),
        replace(
            STEP, backend="matrix product", samples=[0.02], images=0, cpu=0.02, waited=0.0, error=1
        ),
        replace(STEP, backend="jax", samples=[], missing="not run: <no|jax>"),
        replace(CONV, traffic=4e5, waited=0.05),
        replace(CONV, backend="torch-eager", samples=[8e-6], traffic=4e5),
    ]
    limits = {
        1: {"gemm_flops": 1e11, "copy_bytes": 4e10},
        2: {"gemm_flops": 9.6e10, "copy_bytes": 5.55e10},
    }
    memory = [
        Memory("numpy", 2, 100 * 2**20, 2000 * 2**20),
        Memory("torch-eager", 2, missing="not run: a|b"),
    ]
    facts = {"processor": "one of *a* kind", "BLAS": "its (kernel)", "date": "today"}
    facts["weaker than the processor: BLAS"] = "OpenBLAS runs _its_ Haswell kernel"
    return Results(facts, limits, cells, memory)


def test_markdown(every_kind: Results) -> None:
    """Every kind of line, calculated by hand."""
    assert tables.as_markdown(every_kind) == MARKDOWN + tables.NOTE + "\n"


def test_text(every_kind: Results) -> None:
    """The same figures in columns, for a terminal."""
    assert tables.as_text(every_kind) == TEXT + tables.NOTE


def test_ratios_pair_the_rounds() -> None:
    """Of the same rounds, whose pace both share: 1.5 in each, however fast the round was."""
    pace = [1.0, 2.0, 1.1, 1.9, 1.2, 1.8, 1.3, 1.7, 1.4]
    ours = replace(STEP, samples=[3.0 * p for p in pace])
    other = replace(STEP, backend="torch", samples=[2.0 * p for p in pace])
    shown = tables.ratios(Results({}, {}, [other, ours]))
    assert shown[1:] == [["step", "step of 2 pairs", "2", "torch", "1.50× (1.50 to 1.50)"]]
    apart = tables.ratios(Results({}, {}, [replace(other, samples=other.samples[:-1]), ours]))
    assert apart[1][-1] not in ("1.50× (1.50 to 1.50)", shown[1][-1])


def test_what_is_compared() -> None:
    """The same work on the same threads, other backends alone; not single operations."""
    cells = [STEP, replace(STEP, backend="a", threads=1), replace(STEP, backend="b", label="x")]
    cells += [replace(STEP, backend="c", workload="learn"), CONV, replace(CONV, backend="d")]
    cells += [replace(STEP, backend="e", samples=[], missing="no")]
    assert tables.ratios(Results({}, {}, cells))[1:] == []


def test_the_limit_of_a_step_is_of_the_same_rounds() -> None:
    """A step's share is of the product beside it; other work's is of the best, on its threads."""
    best = {2: {"gemm_flops": 1e12, "copy_bytes": 1.0}, 1: {"gemm_flops": 1e9, "copy_bytes": 1.0}}
    product = replace(STEP, backend="matrix product", samples=[0.0125])
    scaling = replace(STEP, workload="scaling")
    found = Results({}, best, [STEP, product, scaling])
    assert [row[8] for row in tables.rows(found, "step")] == ["50%", "100%"]
    assert [row[8] for row in tables.rows(found, "scaling")] == ["12%"]
    found.cells[1] = replace(product, samples=[], missing="failed")
    assert [row[8] for row in tables.rows(found, "step")] == ["12%"]
    found.cells[1] = replace(product, threads=1)
    assert tables.rows(found, "step")[0][8] == "12%"
    found.limits.clear()
    found.cells[2] = replace(scaling, traffic=1e9)
    assert [row[8:10] for row in tables.rows(found, "scaling")] == [["", ""]]


@pytest.mark.parametrize(
    ("samples", "marked"), [([0.95, 1.0, 1.05], False), ([0.89, 1.0, 1.1], True)]
)
def test_noise_is_marked(samples: list[float], marked: bool) -> None:
    """Quartiles more than a tenth of the median apart."""
    (row,) = tables.rows(Results({}, {}, [replace(STEP, samples=samples)]), "step")
    assert row[3] == ("1 s ±" if marked else "1 s")


def test_what_is_weaker_stands_on_top() -> None:
    """Each remark on a line of its own, or in a paragraph."""
    facts = {"processor": "p", "BLAS": "b", "date": "d"}
    facts |= {f"weaker than the processor: {name}": f"{name} is weak" for name in ("A", "B")}
    assert tables.as_text(Results(facts)).startswith("A is weak\nB is weak\n\n== environment\n")
    assert "\n\n**A is weak**\n\n**B is weak**\n\n## " in tables.as_markdown(Results(facts))


def test_the_note_tells_the_bounds_that_hold() -> None:
    """Of noise, waiting, confidence and rounds."""
    assert tables.NOTE.startswith("Medians of interleaved rounds. ")
    for bound in (f"{NOISY:.0%} apart", f"above {BUSY:.0%}", f"{CONFIDENCE:.0%} bootstrap"):
        assert bound.replace("%", " %") in tables.NOTE
    assert f"fewer than {ENOUGH} rounds" in tables.NOTE


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
    facts = {"processor": "p", "BLAS": "b", "date": "d"}
    for text in (tables.as_text, tables.as_markdown):
        shown = text(Results(facts, {}, [STEP]))
        assert "tep of 2 pairs" in shown
        for title in (
            "over the others",
            "memory of a training",
            "limits of the machine",
            "evice memory",
        ):
            assert title not in shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.2e-6, "3.2 µs"),
        (9.994e-4, "999 µs"),
        (9.996e-4, "1 ms"),
        (0.01234, "12.3 ms"),
        (0.998, "998 ms"),
        (0.9996, "1 s"),
        (999.4, "999 s"),
        (999.6, "1,000 s"),
        (1234.5, "1,234 s"),
    ],
)
def test_seconds(value: float, text: str) -> None:
    """Three digits, and the unit that fits them."""
    assert tables.seconds(value) == text


def test_rates_are_in_billions() -> None:
    """Halves that are rounded to even show a unit that is wrong in the ninth digit."""
    limits = {1: {"gemm_flops": 1.5e9, "copy_bytes": 0.75e9}}
    results = Results({}, limits, [replace(STEP, flops=0.75e9, samples=[1.0])])
    shown = {section.title: section.table[1] for section in tables.sections(results)}
    assert shown["limits of the machine, measured"] == ["1", "2 GFLOP/s", "0.8 GB/s"]
    assert shown["step"][tables.HEADER.index("GFLOP/s")] == "0.8"


def test_a_row_that_lacks_a_cell_is_refused() -> None:
    """No column of the others is dropped."""
    with pytest.raises(ValueError, match="shorter"):
        tables.aligned([["work", "median"], ["step"]])


def test_a_row_leaves_out_what_there_is_not() -> None:
    """No rate of work that has no operations, no share of the host's copying for a device."""
    limits = {1: {"gemm_flops": 1e11, "copy_bytes": 4e10}}
    results = Results({}, limits)
    columns = {name: k for k, name in enumerate(tables.HEADER)}
    pairs = replace(STEP, threads=1, flops=0.0, traffic=4e8, samples=[0.01])
    row = tables._row(results, pairs)
    assert row[columns["of copy"]] == "100%"
    assert row[columns["GFLOP/s"]] == ""
    row = tables._row(results, replace(pairs, backend="cuda-eager", flops=1e9))
    assert row[columns["of copy"]] == ""
    assert row[columns["GFLOP/s"]] == "100.0"
