"""What is said of a busy machine, of threads that do not help, and of limits that are none."""

from dataclasses import replace

import pytest

from benchmarks import remarks
from benchmarks.limits import MATRIX_PRODUCT
from benchmarks.results import Cell, Results

CELL = Cell("step", "step of 2 pairs", 2, "numpy", 1, [1.0] * 9, flops=1e9)
LIMITS = {1: {"gemm_flops": 2e9, "copy_bytes": 1.0}, 2: {"gemm_flops": 4e9, "copy_bytes": 1.0}}


def of(*cells: Cell, workload: str = "step") -> list[str]:
    """Return the remarks on the cells of a workload."""
    return remarks.about(Results({}, LIMITS, list(cells)), workload)


def test_a_calm_machine_is_not_talked_about() -> None:
    """Shares of a twentieth and below are noise; what was not told is none."""
    assert of(CELL, replace(CELL, backend="a", waited=0.05, others=0.05, stolen=0.05)) == []
    assert of() == of(replace(CELL, samples=[], missing="no")) == []
    assert not CELL.disturbed
    assert not replace(CELL, waited=0.05, others=0.05, stolen=0.05).disturbed


def test_threads_that_waited() -> None:
    """How many times are concerned, of those that were measured, and by how much."""
    cells = [
        replace(CELL, waited=0.25),
        replace(CELL, backend="a", waited=0.0625),
        replace(CELL, backend="b", waited=0.04),
        replace(CELL, backend="c", waited=0.9, samples=[], missing="no"),
        replace(CELL, workload="learn", waited=0.9),
    ]
    assert of(*cells) == [
        "the machine was busy: in 2 of 3 times threads waited for more than 5% of the CPU time "
        "they asked for, up to 25%"
    ]
    assert [cell.kept_waiting for cell in cells[:3]] == [True, True, False]
    assert cells[0].disturbed


@pytest.mark.parametrize(
    ("taken", "who"), [("others", "other processes"), ("stolen", "other machines of the host")]
)
def test_who_had_the_cores(taken: str, who: str) -> None:
    """The most that went elsewhere while the work was measured."""
    cells = [replace(CELL, **{taken: 0.1}), replace(CELL, backend="a", **{taken: 0.375})]
    assert of(*cells) == [f"the machine was busy: {who} took up to 38% of its cores"]
    assert cells[0].disturbed
    assert not cells[0].kept_waiting


def test_above_the_limit() -> None:
    """Faster than matrix products: these were measured on a busier machine, or work is left out."""
    fast = replace(CELL, samples=[0.4] * 9)
    said = of(fast, replace(fast, backend="cuda-eager"))
    assert said == [
        "numpy, step of 2 pairs, on 1 thread: 125% of the machine's rate of matrix products, "
        "which was measured while it was busier, or work is left out"
    ]
    assert of(replace(CELL, samples=[0.5] * 9)) == []
    assert of(replace(fast, backend=MATRIX_PRODUCT)) == []
    assert of(replace(fast, flops=0.0)) == []


def test_threads_that_do_not_help() -> None:
    """Two are not faster than one beyond the noise, nor four than two."""
    noisy = [0.8, 0.9, 0.95, 0.98, 1.0, 1.02, 1.05, 1.1, 1.2]
    one = replace(CELL, samples=noisy)
    two = replace(one, threads=2, samples=[0.98 * s for s in noisy])
    (said,) = of(two, one)
    assert said.startswith(
        "numpy, step of 2 pairs, on 2 threads: no faster than on 1 beyond the noise, 0.98× ("
    )
    assert of(one, replace(two, samples=[s / 2 for s in noisy])) == []
    assert of(one, replace(two, backend="a")) == []
    assert of(one, replace(two, label="another step")) == []
    (said,) = of(CELL, replace(CELL, threads=2))
    assert said.endswith("beyond the noise, 1.00× (1.00 to 1.00)")
    on_device = [replace(c, backend="cuda-eager") for c in (one, two)]
    assert of(*on_device) == []
    four = replace(two, threads=4, samples=[s * 2 for s in noisy])
    assert [line[:64] for line in of(one, replace(two, samples=[s / 2 for s in noisy]), four)] == [
        "numpy, step of 2 pairs, on 4 threads: no faster than on 2 beyond"
    ]


def test_limits_that_do_not_grow() -> None:
    """The rate on two threads is not above that on one."""
    assert remarks.of_limits(Results({}, LIMITS)) == []
    swapped = {2: LIMITS[1], 1: LIMITS[2]}
    assert remarks.of_limits(Results({}, swapped)) == [
        "matrix products on 2 threads reach 0.50× the rate on 1"
    ]
    assert len(remarks.of_limits(Results({}, {1: LIMITS[1], 2: LIMITS[1]}))) == 1


def test_what_is_weaker_than_the_processor() -> None:
    """Every fact of that kind, and no other."""
    facts = {"a": "1", "weaker than the processor: BLAS": "x", "b": "2"}
    facts["weaker than the processor: PyTorch"] = "y"
    assert remarks.of_environment(Results(facts)) == ["x", "y"]
