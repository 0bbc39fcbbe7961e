"""What a cell says of itself, and what it does not say."""

from dataclasses import FrozenInstanceError, replace

import pytest

from benchmarks.results import Cell, Memory, Results, gemm_flops, share_of_gemm

CELL = Cell("step", "s", 3, "numpy", 2)


def test_what_was_not_measured_is_not_told() -> None:
    """No samples, no operations, no error, and nothing about the CPU."""
    assert (CELL.samples, CELL.missing, CELL.flops, CELL.images) == ([], "", 0.0, 0)
    assert (CELL.traffic, CELL.error) == (0.0, 0.0)
    told = (CELL.device_bytes, CELL.cpu, CELL.waited, CELL.others, CELL.stolen)
    assert told == (None,) * 5
    assert not CELL.kept_waiting
    assert Memory("numpy", 3) == Memory("numpy", 3, 0, 0, "")
    first, second = Results({}), Results({})
    first.cells.append(CELL)
    first.limits[1] = {}
    first.memory.append(Memory("numpy", 3))
    assert (second.cells, second.limits, second.memory) == ([], {}, [])


def test_a_cell_stays_as_it_was_measured() -> None:
    """Nobody changes it afterwards."""
    with pytest.raises(FrozenInstanceError):
        CELL.samples = [1.0]


def test_what_a_cell_is() -> None:
    """Its key, its median, and whether the quartiles are more than a tenth of it apart."""
    cell = replace(CELL, samples=[1.0, 2.0, 4.0])
    assert cell.key == ("step", "s", "numpy", 2)
    assert cell.median == 2.0
    assert cell.noisy
    assert not replace(CELL, samples=[0.5, 0.46875, 0.53125, 0.5, 0.5]).noisy
    assert replace(CELL, backend="cuda-eager").on_cpu is False
    assert CELL.on_cpu is True


def test_the_rate_of_matrix_products() -> None:
    """Of the same rounds, or the best; none where none was measured."""
    product = replace(CELL, backend="matrix product", samples=[0.5], flops=8.0)
    cell = replace(CELL, samples=[0.25], flops=2.0)
    limits = {2: {"gemm_flops": 4.0}}
    assert gemm_flops(Results({}, limits, [cell, product]), cell) == 16.0
    assert share_of_gemm(Results({}, limits, [cell, product]), cell) == 0.5
    assert gemm_flops(Results({}, limits, [cell]), cell) == 4.0
    assert share_of_gemm(Results({}, limits, [cell]), cell) == 2.0
    assert gemm_flops(Results({}), cell) is None
    assert share_of_gemm(Results({}), cell) is None
