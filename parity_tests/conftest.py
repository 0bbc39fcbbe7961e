"""Pin the oracle, choose the Hypothesis profile, write the report."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from parity_tests.machinery import oracle, report
from parity_tests.machinery.ledger import LEDGER
from torch_siamese.tests.rounding import as_torch_rounds

PROFILES = {"quick": 20, "default": 50, "thorough": 500, "intense": 5000}

for name, examples in PROFILES.items():
    chance = name not in ("quick", "default") or not os.environ.get("CI")
    hypothesis.settings.register_profile(
        name, max_examples=examples, deadline=None, derandomize=not chance
    )
hypothesis.settings.register_profile(
    "mutation", max_examples=20, deadline=None, derandomize=True, database=None
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--parity-report`."""
    parser.addoption(
        "--parity-report",
        type=Path,
        metavar="FILE",
        help="write the parity table as Markdown",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Pin the oracle before anything runs."""
    oracle.pin()


@pytest.fixture(autouse=True)
def rounding_of_torch() -> Iterator[None]:
    """Ask for equal bits given the number of roundings of a·x + y."""
    with as_torch_rounds():
        yield


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table of all that was shown."""
    if not LEDGER.lines:
        return
    terminalreporter.section("parity of NumPy and PyTorch; worst is max err/(u·G), 0 for exact")
    terminalreporter.write_line(report.as_text(LEDGER))
    path = config.getoption("--parity-report")
    if path is not None:
        path.write_text(report.as_markdown(LEDGER), "utf-8")
        terminalreporter.write_line(f"wrote {path}")
