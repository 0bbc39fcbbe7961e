"""What changed between two results, beyond the noise."""

from benchmarks import remarks
from benchmarks.ratios import Ratio, unpaired
from benchmarks.results import Cell, Results
from benchmarks.tables import aligned, seconds

OF_THE_MOMENT = ("date", "load before")
"""Facts of the environment that differ from run to run and explain nothing."""


def verdict(ratio: Ratio) -> str:
    """Return what a ratio of new over old says."""
    few = ", in few rounds" if ratio.of_few else ""
    if ratio.high < 1:
        return f"faster{few}"
    if ratio.low > 1:
        return f"slower{few}"
    return "no change beyond the noise"


def table(old: Results, new: Results) -> list[list[str]]:
    """Return the lines of the comparison, header first; cells in one alone are named too."""
    before = {cell.key: cell for cell in old.cells if not cell.missing}
    after = {cell.key: cell for cell in new.cells if not cell.missing}
    lines = [["workload", "work", "threads", "backend", "old", "new", "new / old", "verdict"]]
    for key in [*before, *(key for key in after if key not in before)]:
        workload, label, backend, threads = key
        a, b = before.get(key), after.get(key)
        times = [seconds(cell.median) if cell else "not measured" for cell in (a, b)]
        lines.append([workload, label, str(threads), backend, *times, *_said(a, b)])
    return lines


def _said(old: Cell | None, new: Cell | None) -> tuple[str, str]:
    if old is None or new is None:
        return "", "in one of the two alone"
    ratio = unpaired(new.samples, old.samples)
    return str(ratio), verdict(ratio)


def as_text(old: Results, new: Results) -> str:
    """Return the comparison for a terminal, with what differs or spoils it."""
    lines = aligned(table(old, new))
    for which, results in (("old", old), ("new", new)):
        workloads = dict.fromkeys(cell.workload for cell in results.cells)
        lines += [
            f"{which}, {workload}: {remark}"
            for workload in workloads
            for remark in remarks.busy(results, workload)
        ]
    for name in sorted(old.environment.keys() | new.environment.keys()):
        a, b = (r.environment.get(name, "not recorded") for r in (old, new))
        if a != b and name not in OF_THE_MOMENT:
            lines.append(f"another {name}: {a} → {b}")
    return "\n".join(lines)
