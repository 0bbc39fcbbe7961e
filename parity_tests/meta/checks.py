"""Checks of the suite, by name, for planted faults to turn red; `test_faults` looks them up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from parity_tests.machinery.devices import CPU
from parity_tests.machinery.strategies import SEEDS, SGD_CASES, TORCH_SEEDS
from parity_tests.operations import BY_NAME


@dataclass(frozen=True)
class Check:
    """One test with its arguments, and what a property draws besides.

    Parameters
    ----------
    test : str
        PATH::NAME, as pytest calls it.
    arguments : names and values
    drawn : names and strategies
        The examples are then the same every time. Without it the test is called as it stands.
    """

    test: str
    arguments: tuple[tuple[str, Any], ...] = ()
    drawn: tuple[tuple[str, st.SearchStrategy[Any]], ...] = ()


def check(
    test: str, /, *, drawn: Mapping[str, st.SearchStrategy[Any]] | None = None, **arguments: Any
) -> Check:
    """Return a check from keywords."""
    return Check(test, tuple(arguments.items()), tuple((drawn or {}).items()))


DATA = {"data": st.data()}


def on_integers(name: str) -> Check:
    """Return the check of an operation on integers."""
    return check(
        "parity_tests/test_operations.py::test_exact_on_integers",
        drawn=DATA,
        operation=BY_NAME[name],
        dtype=np.float32,
        device=CPU,
    )


def on_floats(name: str, dtype: type = np.float32) -> Check:
    """Return the check of an operation on floats."""
    return check(
        "parity_tests/test_operations.py::test_on_floats",
        drawn=DATA,
        operation=BY_NAME[name],
        dtype=dtype,
        device=CPU,
    )


def repeating(name: str) -> Check:
    """Return the check that an operation changes nothing and its pullback repeats."""
    return check(
        "parity_tests/test_operations.py::test_nothing_is_changed_and_pullback_repeats",
        drawn=DATA,
        operation=BY_NAME[name],
    )


def convolution_row(row: str) -> Check:
    """Return one row of the convolution table of edge cases."""
    return check("parity_tests/test_edges.py::test_conv2d", row=row, dtype=np.float32)


def pooling_row(row: str) -> Check:
    """Return one row of the max-pool table of edge cases."""
    return check("parity_tests/test_edges.py::test_max_pool2d", row=row, dtype=np.float32)


def elementwise_row(name: str, value: float) -> Check:
    """Return one row of the ReLU and abs table of edge cases."""
    return check(
        "parity_tests/test_edges.py::test_relu_and_abs", name=name, value=value, dtype=np.float32
    )


def weights(dtype: type) -> Check:
    """Return the check of the weights of a seed."""
    return check(
        "parity_tests/test_initialization.py::test_weights_of_a_seed",
        drawn={"seed": TORCH_SEEDS},
        dtype=dtype,
    )


def multiply_add(dtype: type) -> Check:
    """Return the check of the fused multiply-add against rational numbers."""
    return check(
        "numpy_siamese/tests/test_fma.py::test_fma_rounds_once",
        drawn={"seed": SEEDS, "kind": st.integers(0, 3)},
        dtype=dtype,
    )


TOWER = check(
    "parity_tests/test_network.py::test_twin_tower_is_exact_on_integers",
    dtype=np.float32,
    fused=True,
)
TEXTBOOK_TOWER = check(TOWER.test, dtype=np.float32, fused=False)
EXPLAINED = check(
    "parity_tests/test_network.py::test_every_difference_on_digits_is_explained",
    steps=0,
    device=CPU,
    fused=True,
)
SGD = check("parity_tests/test_optim.py::test_sgd", drawn=SGD_CASES, dtype=np.float32)
HALVES = check(
    "numpy_siamese/tests/data/test_pairs.py::test_first_half_is_different_and_second_half_is_same"
)
