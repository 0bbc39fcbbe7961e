"""Tests of the tests: every planted fault must turn its check of the suite red."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from parity_tests.machinery.ledger import LEDGER
from parity_tests.meta.checks import Check
from parity_tests.meta.faults import FAULTS
from parity_tests.meta.planting import Fault, planted
from parity_tests.operations import BY_NAME

THE_SAME_EVERY_TIME = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # to be red is enough: no smallest example is looked for
)


def called(check: Check) -> Callable[[], Any]:
    """Return the test of a check, to be called without arguments.

    A property keeps the settings that were in force where `given` made it, so it is made anew from
    what it tests: luck then notices no fault.
    """
    path, name = check.test.split("::")
    test = getattr(import_module(path.removesuffix(".py").replace("/", ".")), name)
    if check.drawn:
        test = THE_SAME_EVERY_TIME(given(**dict(check.drawn))(test.hypothesis.inner_test))
    return partial(test, **dict(check.arguments))


def test_there_are_many_faults() -> None:
    """At least forty different faults are planted."""
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 40


@pytest.mark.parametrize("name", BY_NAME)
def test_every_operation_has_a_fault(name: str) -> None:
    """Its tests would otherwise not have shown that they can fail."""
    arguments = [dict(fault.check.arguments) for fault in FAULTS]
    assert any(BY_NAME[name] is of.get("operation") or name == of.get("name") for of in arguments)


@pytest.mark.parametrize(
    "fault", {fault.check: fault for fault in FAULTS}.values(), ids=lambda fault: fault.name
)
def test_a_check_holds_without_its_fault(fault: Fault) -> None:
    """What turns red is green before; one fault for each check."""
    with LEDGER.untouched():
        called(fault.check)()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_noticed(fault: Fault) -> None:
    """The check fails with the fault."""
    red = (AssertionError, ValueError, RuntimeWarning, ExceptionGroup)
    check = called(fault.check)
    with LEDGER.untouched(), planted(fault), pytest.raises(red):
        check()
