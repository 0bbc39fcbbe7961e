"""Part: the parity tests, in a pytest of their own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.backends.base import NotRun
from benchmarks.device_report.supervisor import ENDING, ROOT

TESTS = (
    "operations",
    "network",
    "layers",
    "architectures",
    "optim",
    "initialization",
    "edges",
    "trajectory",
)
"""What computes on a device. Command lines, exports and killed runs are left out."""

RAN = (0, 1)
"""Statuses of pytest once tests have run: all passed, or some failed."""

PROGRESS = re.compile(r"[.FEsxX]+(\s+\[\s*[0-9]+%\])?")

COUNTED = re.compile(r"(\d+) (passed|failed|errors?|skipped|deselected)")


def measure(
    report: str, log: str, profile: str, seconds: float, tests: list[str], chosen: str
) -> dict[str, Any]:
    """Run the parity tests.

    Parameters
    ----------
    report, log : files to write: the parity table as Markdown, and what pytest says
    profile : how many examples Hypothesis tries
    seconds : after which pytest is interrupted, and the report says what it has
    tests : names of `parity_tests`, as in `TESTS`
    chosen : which of their tests, as pytest's ``-k``

    Returns
    -------
    dict
        The counts of the last line, whether all of it ran, and what pytest said last.

    Raises
    ------
    NotRun
        pytest is not there, or cannot begin.
    """
    files = [f"parity_tests/test_{name}.py" for name in tests]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files]
    command += [f"--parity-report={report}", *(["-k", chosen] if chosen else [])]
    for path in (report, log):  # what an earlier run has left is not this one's
        Path(path).unlink(missing_ok=True)
    start = time.monotonic()
    with open(log, "w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**os.environ, "HYPOTHESIS_PROFILE": profile, "PYTHONPATH": str(ROOT)},
        )
        whole = _waited_for(process, seconds)
    lines = Path(log).read_text("utf-8", errors="replace").strip().splitlines()
    if whole and process.returncode not in RAN:
        raise NotRun(f"pytest: {lines[-1] if lines else f'status {process.returncode}'}")
    counts = _counts(lines)
    return {
        "status": process.returncode,
        "passed": counts.get("passed", 0),
        "failed": counts.get("failed", 0) + counts.get("error", 0),
        "skipped": counts.get("skipped", 0),
        "whole": whole,
        "last line": lines[-1].strip("= ") if lines else "",
        "failures": [line for line in lines if line.startswith(("FAILED", "ERROR"))][:20],
        "profile": profile,
        "seconds": time.monotonic() - start,
    }


def _counts(lines: Sequence[str]) -> dict[str, int]:
    """Return pytest's counts: of its last line, or of its dots where it came to none."""
    counts = COUNTED.findall(lines[-1] if lines else "")
    if counts:
        return {what.rstrip("s"): int(n) for n, what in counts}
    dots = "".join(line.split()[0] for line in lines if PROGRESS.fullmatch(line))
    names = {".": "passed", "F": "failed", "E": "error", "s": "skipped"}
    return {name: dots.count(letter) for letter, name in names.items()}


def _waited_for(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Return whether a process ended by itself; else interrupt it, which leaves its report."""
    for number, patience in ((None, seconds), (signal.SIGINT, ENDING), (signal.SIGKILL, ENDING)):
        if number is not None:
            process.send_signal(number)
        try:
            process.wait(patience)
            return number is None
        except subprocess.TimeoutExpired:
            continue
    return False
