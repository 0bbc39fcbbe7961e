"""Checks of the suite, by name, for planted faults to turn red; none leaves it to chance."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from numpy_siamese.tests import test_fma
from numpy_siamese.tests.data import test_pairs
from parity_tests import test_edges, test_initialization, test_network, test_operations, test_optim
from parity_tests.machinery.devices import CPU
from parity_tests.machinery.harness import FLOATS, compare
from parity_tests.operations import BY_NAME, Case

Check = Callable[[], Any]

THE_SAME_EVERY_TIME = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # to be red is enough: no smallest example is looked for
)


def without_chance(test: Any, **strategies: st.SearchStrategy[Any]) -> Callable[..., None]:
    """Return a property that draws the same examples every time, so that luck notices no fault.

    A property keeps the settings that were in force where `given` made it, so it is made anew from
    what it tests.
    """
    return THE_SAME_EVERY_TIME(given(**strategies)(test.hypothesis.inner_test))


@cache
def on_integers(name: str) -> Check:
    """Return the check of an operation on integers."""
    operation = BY_NAME[name]
    check = without_chance(test_operations.test_exact_on_integers, data=st.data())
    return lambda: check(operation=operation, dtype=np.float32, device=CPU)


@cache
def on_floats(name: str, dtype: type = np.float32) -> Check:
    """Return the check of an operation on floats."""
    operation = BY_NAME[name]
    check = without_chance(test_operations.test_on_floats, data=st.data())
    return lambda: check(operation=operation, dtype=dtype, device=CPU)


@cache
def repeating(name: str) -> Check:
    """Return the check that an operation changes nothing and its pullback repeats."""
    operation = BY_NAME[name]
    check = without_chance(
        test_operations.test_nothing_is_changed_and_pullback_repeats, data=st.data()
    )
    return lambda: check(operation=operation)


def convolving(row: str) -> Check:
    """Return one row of the convolution table of edge cases."""
    return lambda: test_edges.test_conv2d(row, np.float32)


def pooling(row: str) -> Check:
    """Return one row of the max-pool table of edge cases."""
    return lambda: test_edges.test_max_pool2d(row, np.float32)


def overlapping_windows() -> None:
    """Check a pooling whose windows overlap ninefold: sums of many winners, all of them rounded."""
    case = Case({"x": (2, 3, 12, 12)}, {"kernel_size": 3, "stride": 1}, seed=0)
    compare(BY_NAME["max_pool2d"], case, np.float32, FLOATS)


def elementwise(name: str, value: float) -> Check:
    """Return one row of the ReLU and abs table of edge cases."""
    return lambda: test_edges.test_relu_and_abs(name, value, np.float32)


def tower() -> None:
    """Check the twin tower on integers."""
    test_network.test_twin_tower_is_exact_on_integers(np.float32)


def explained() -> None:
    """Check the whole network on digits."""
    test_network.test_every_difference_on_digits_is_explained(0, CPU)


_weights_of_a_seed = without_chance(
    test_initialization.test_weights_of_a_seed, seed=test_initialization.SEEDS
)
_sgd = without_chance(test_optim.test_sgd, **test_optim.SGD_CASES)
_fma = without_chance(test_fma.test_fma_rounds_once, **test_fma.FMA_CASES)


def weights() -> None:
    """Check the weights of a seed."""
    _weights_of_a_seed(dtype=np.float32)


def weights64() -> None:
    """Check the weights of a seed in float64."""
    _weights_of_a_seed(dtype=np.float64)


def sgd() -> None:
    """Check SGD in float32."""
    _sgd(dtype=np.float32)


def multiply_add() -> None:
    """Check the fused multiply-add in float32 against rational numbers."""
    _fma(dtype=np.float32)


def multiply_add64() -> None:
    """Check the fused multiply-add in float64 against rational numbers."""
    _fma(dtype=np.float64)


def halves() -> None:
    """Check the halves of a batch and their targets."""
    test_pairs.test_first_half_is_different_and_second_half_is_same()
