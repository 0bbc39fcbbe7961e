"""The cases of the verb: every operation and the network, right in float64 and wrong if changed."""

import numpy as np
import pytest

from numpy_siamese import functional, pullbacks
from numpy_siamese.gradients.cases import NETWORK, cases, operations
from numpy_siamese.gradients.check import gradcheck
from numpy_siamese.model import SiameseNet
from numpy_siamese.parallel.blas import single_threaded_blas


def test_every_operation_has_a_case():
    """Broken otherwise: a new operation is left out of the check without a word."""
    assert set(operations()) == {*functional.__all__, NETWORK}


def test_no_case_is_there_twice():
    """Broken otherwise: two lines of the table cannot be told apart."""
    labels = [case.label for case in cases()]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.label)
def test_every_gradient_is_within_its_bound(case):
    """Broken otherwise: a gradient is wrong, or kinks hide it."""
    entries = 3 if case.operation == NETWORK else case.entries
    with single_threaded_blas():
        checks = gradcheck(
            pullbacks.of_case(case),
            *case.arrays.values(),
            names=list(case.arrays),
            entries=entries,
        )
    assert [check.name for check in checks] == list(case.arrays)
    for check in checks:
        assert check.held, str(check)
        assert (check.kinks, check.lost) == ([], [])
        assert check.checked == min(entries, case.arrays[check.name].size)
        assert check.bound <= 1e-5


@pytest.mark.parametrize("case", cases()[-2:], ids=lambda case: case.label)
def test_the_network_is_a_pure_function(case):
    """Broken otherwise: a pullback has the weights of the evaluation after its own."""
    f, arrays = pullbacks.of_case(case), list(case.arrays.values())
    probs, pullback = f(*arrays)
    before = pullback(np.ones_like(probs))
    f(*(2 * array for array in arrays))
    for first, second in zip(before, pullback(np.ones_like(probs)), strict=True):
        np.testing.assert_array_equal(first, second)


def test_the_network_is_that_of_the_package():
    """Broken otherwise: another network than the one that learns is checked."""
    case = cases()[-1]
    left, right, *weights = case.arrays.values()
    net = SiameseNet(1, np.float64)
    assert list(case.arrays)[2:] == list(net.state_dict())
    net.load_state_dict(dict(zip(list(case.arrays)[2:], weights, strict=True)))
    probs, _ = pullbacks.of_case(case)(left, right, *weights)
    np.testing.assert_array_equal(probs, net(left, right)[0])
    assert (abs(probs - 0.5) < 0.49).all()  # not saturated: gradients are more than rounding
