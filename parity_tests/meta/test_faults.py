"""Tests of the tests: every planted fault must turn its check of the suite red."""

import pytest

from parity_tests.machinery.ledger import LEDGER
from parity_tests.meta.faults import FAULTS, Fault
from parity_tests.meta.planting import planted


def test_there_are_many_faults() -> None:
    """At least forty different faults are planted."""
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 40


@pytest.mark.parametrize(
    "fault", {fault.check: fault for fault in FAULTS}.values(), ids=lambda fault: fault.name
)
def test_a_check_holds_without_its_fault(fault: Fault) -> None:
    """What turns red is green before; one fault for each check."""
    with LEDGER.untouched():
        fault.check()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_noticed(fault: Fault) -> None:
    """The check fails with the fault."""
    red = (AssertionError, ValueError, RuntimeWarning, ExceptionGroup)
    with (
        LEDGER.untouched(),
        planted(fault.module, fault.old, fault.new),
        pytest.raises(red),
    ):
        fault.check()
