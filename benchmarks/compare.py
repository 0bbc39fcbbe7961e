"""What changed between two results, beyond the noise."""

import numpy as np

from benchmarks.results import Cell, Results
from benchmarks.tables import aligned, seconds

RESAMPLES, CONFIDENCE = 2000, 0.99
"""Of the bootstrap of a ratio of medians."""


def ratio_interval(old: list[float], new: list[float]) -> tuple[float, float, float]:
    """Return the ratio of medians, new over old, with its bootstrap confidence interval.

    Rounds of one run share the machine's pace, which the interval does not know of: of two runs at
    different times it tells that the medians differ, not why.
    """
    rng = np.random.default_rng(0)
    medians = [
        np.median(rng.choice(samples, (RESAMPLES, len(samples))), axis=1) for samples in (old, new)
    ]
    low, high = np.quantile(medians[1] / medians[0], [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(np.median(new) / np.median(old)), float(low), float(high)


def verdict(old: Cell, new: Cell) -> tuple[str, str]:
    """Return the ratio with its interval, and what it says."""
    ratio, low, high = ratio_interval(old.samples, new.samples)
    words = "faster" if high < 1 else "slower" if low > 1 else "no change beyond the noise"
    return f"{ratio:.2f}× ({low:.2f} to {high:.2f})", words


def table(old: Results, new: Results) -> list[list[str]]:
    """Return the lines of the comparison, header first; cells in one alone are named too."""
    before = {cell.key: cell for cell in old.cells if not cell.missing}
    after = {cell.key: cell for cell in new.cells if not cell.missing}
    lines = [["workload", "work", "threads", "backend", "old", "new", "new / old", "verdict"]]
    for key in [*before, *(key for key in after if key not in before)]:
        workload, label, backend, threads = key
        a, b = before.get(key), after.get(key)
        times = [seconds(cell.median) if cell else "not measured" for cell in (a, b)]
        said = verdict(a, b) if a and b else ("", "in one of the two alone")
        lines.append([workload, label, str(threads), backend, *times, *said])
    return lines


def as_text(old: Results, new: Results) -> str:
    """Return the comparison for a terminal, with the facts of the environment that differ."""
    lines = aligned(table(old, new))
    for name in sorted(old.environment.keys() | new.environment.keys()):
        a, b = (r.environment.get(name, "not recorded") for r in (old, new))
        if a != b and name not in ("date", "load before"):
            lines.append(f"another {name}: {a} → {b}")
    return "\n".join(lines)
