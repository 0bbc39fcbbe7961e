"""Pin the oracle, choose the Hypothesis profile, print the ledger."""

import os

import hypothesis
import pytest

from parity_tests import oracle
from parity_tests.ledger import LEDGER

hypothesis.settings.register_profile(
    "default", max_examples=50, deadline=None, derandomize=bool(os.environ.get("CI"))
)
hypothesis.settings.register_profile("thorough", max_examples=500, deadline=None)
hypothesis.settings.register_profile("intense", max_examples=5000, deadline=None)
hypothesis.settings.register_profile(
    "faults", max_examples=100, deadline=None, derandomize=True, database=None
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_configure(config: pytest.Config) -> None:
    oracle.pin()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if LEDGER.lines:
        terminalreporter.section("parity of NumPy and PyTorch; worst is max err/(u·G)")
        terminalreporter.write_line(LEDGER.table())
        for dtype, (undecided, total) in LEDGER.branches.items():
            terminalreporter.write_line(
                f"{dtype}: {undecided:,} of {total:,} branches on digits lie inside their error "
                "bound, where either side may be taken"
            )
        for dtype, (different, total) in LEDGER.different_branches.items():
            terminalreporter.write_line(
                f"{dtype}: the two networks took {different:,} of {total:,} branches differently"
            )
        terminalreporter.write_line("")
        for name, value in oracle.environment().items():
            terminalreporter.write_line(f"{name}: {value}")
