"""The faults outside the mathematics are about the code as it stands; a command plants them."""

import re

import pytest

from parity_tests.meta.planted import ROOT, PlantedFault, faults
from parity_tests.meta.planted.__main__ import _is_noticed

FAULTS = faults()


def test_there_are_many_and_each_is_another() -> None:
    """At least sixty, none twice."""
    assert len({(f.module, f.old, f.new) for f in FAULTS}) == len(FAULTS) >= 60


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_can_be_planted_and_its_test_is_there(fault: PlantedFault) -> None:
    """A fault whose place has been rewritten, or whose test is gone, would be noticed by nobody."""
    assert fault.planted() != (ROOT / fault.module).read_text("utf-8")
    file, name = fault.test.split("::")[0], fault.test.split("::")[-1].split("[")[0]
    assert re.search(rf"def {name}\b", (ROOT / file).read_text("utf-8")), fault.test


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fault_is_noticed_only_by_a_test_that_turns_red(tmp_path) -> None:
    """The command would otherwise count a missing test, or one that always fails, as a success."""
    (tmp_path / "module.py").write_text("LIMIT = 3\n")
    (tmp_path / "test_it.py").write_text(
        "from module import LIMIT\n\ndef test_limit():\n    assert LIMIT == 3\n\n"
        "def test_nothing():\n    pass\n"
    )
    for test, noticed in (("test_limit", True), ("test_nothing", False), ("test_gone", False)):
        fault = PlantedFault("another limit", "module.py", "= 3", "= 4", f"test_it.py::{test}")
        assert _is_noticed(tmp_path, fault) == noticed
    assert (tmp_path / "module.py").read_text() == "LIMIT = 3\n"
