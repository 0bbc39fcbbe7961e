"""The results as tables, for a terminal and as a Markdown document."""

import re
from collections import Counter
from dataclasses import dataclass, field

from benchmarks import remarks
from benchmarks.ratios import Ratio, paired, unpaired
from benchmarks.results import Cell, Results, share_of_gemm
from benchmarks.timing import quartiles


@dataclass(frozen=True)
class Section:
    """A titled table, its header first, with remarks below; a header alone is not shown."""

    title: str
    table: list[list[str]]
    remarks: list[str] = field(default_factory=list)

    @property
    def shown(self) -> list[list[str]]:
        """The table if it has a line beside its header."""
        return self.table if len(self.table) > 1 else []


HEADER = ["work", "threads", "backend", "median", "quartiles", "cores", "waited", "GFLOP/s"]
HEADER += ["of GEMM", "of copy", "images/s"]


def rows(results: Results, workload: str) -> list[list[str]]:
    """Return the lines of what was measured of a workload.

    Marked are a spread above 10 % by ±, threads that waited for cores and a rate above the
    machine's by an exclamation mark.
    """
    return [
        _row(results, cell)
        for cell in results.cells
        if cell.workload == workload and not cell.missing
    ]


def _row(results: Results, cell: Cell) -> list[str]:
    low, median, high = quartiles(cell.samples)
    of_gemm = share_of_gemm(results, cell)
    copied = results.limits.get(cell.threads, {}).get("copy_bytes") if cell.on_cpu else None
    return [
        cell.label,
        str(cell.threads),
        cell.backend,
        seconds(median) + (" ±" if cell.noisy else ""),
        f"{seconds(low)} to {seconds(high)}",
        "" if cell.cpu is None else f"{cell.cpu / median:.2f}",
        "" if cell.waited is None else f"{cell.waited:.0%}" + (" !" if cell.kept_waiting else ""),
        f"{cell.flops / median / 1e9:.1f}" if cell.flops else "",
        "" if of_gemm is None else f"{of_gemm:.0%}" + (" !" if of_gemm > 1 else ""),
        f"{cell.traffic / median / copied:.0%}" if copied and cell.traffic else "",
        f"{cell.images / median:,.0f}" if cell.images else "",
    ]


def not_measured(results: Results, workload: str) -> list[str]:
    """Return a line for each reason why cells of a workload are empty: which ones, and the reason.

    A backend that has the same reason throughout is named alone, otherwise with the work.
    """
    cells = [cell for cell in results.cells if cell.workload == workload]
    wanted = Counter(cell.backend for cell in cells)
    lines = []
    for reason in dict.fromkeys(cell.missing for cell in cells if cell.missing):
        concerned = [cell for cell in cells if cell.missing == reason]
        found = Counter(cell.backend for cell in concerned)
        names = dict.fromkeys(
            cell.backend
            if found[cell.backend] == wanted[cell.backend]
            else f"{cell.backend} ({cell.label}, threads: {cell.threads})"
            for cell in concerned
        )
        lines.append(f"{', '.join(names)}: {reason}")
    return lines


def seconds(value: float) -> str:
    """Return a time with a fitting unit and three digits, more for a thousand seconds and above."""
    rounded = float(f"{value:.3g}")
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if rounded * factor >= 1:
            return f"{rounded * factor:.3g} {unit}" if rounded < 1000 else f"{value:,.0f} s"
    return f"{rounded * 1e6:.3g} µs"


def mib(value: float) -> str:
    """Return bytes in MiB."""
    return f"{value / 2**20:,.0f} MiB"


def sections(results: Results) -> list[Section]:
    """Return all tables that hold anything."""
    found = [Section("NumPy's time over the others'", ratios(results))]
    found += [
        Section(
            workload,
            [HEADER, *rows(results, workload)],
            [*remarks.about(results, workload), *not_measured(results, workload)],
        )
        for workload in dict.fromkeys(cell.workload for cell in results.cells)
    ]
    found.append(
        Section(
            "host memory of a training process",
            [
                ["backend", "pairs", "peak before training", "peak"],
                *[
                    [m.backend, str(m.pairs), mib(m.before), mib(m.peak)]
                    for m in results.memory
                    if not m.missing
                ],
            ],
            [f"{m.backend}: {m.missing}" for m in results.memory if m.missing],
        )
    )
    found.append(Section("device memory", device_memory(results)))
    limits = [["threads", "matrix product", "copy"]]
    for threads, limit in results.limits.items():
        rate, copied = limit["gemm_flops"] / 1e9, limit["copy_bytes"] / 1e9
        limits.append([str(threads), f"{rate:.0f} GFLOP/s", f"{copied:.1f} GB/s"])
    found.append(Section("limits of the machine, measured", limits, remarks.of_limits(results)))
    facts = [["what", "value"], *map(list, results.environment.items())]
    found.append(Section("environment", facts))
    return [section for section in found if section.shown or section.remarks]


def ratios(results: Results) -> list[list[str]]:
    """Return NumPy's time over each other backend's, for the same work on the same threads."""
    table = [["workload", "work", "threads", "against", "NumPy takes"]]
    measured = {cell.key: cell for cell in results.cells if not cell.missing}
    for (workload, label, backend, threads), cell in measured.items():
        ours = measured.get((workload, label, "numpy", threads))
        if ours is not None and backend != "numpy" and workload != "operations":
            ratio = str(_of_the_same_rounds(ours, cell))
            table.append([workload, label, str(threads), backend, ratio])
    return table


def _of_the_same_rounds(ours: Cell, other: Cell) -> Ratio:
    """Return the ratio of two cells that were measured in turns."""
    same = len(ours.samples) == len(other.samples)
    return (paired if same else unpaired)(ours.samples, other.samples)


def device_memory(results: Results) -> list[list[str]]:
    """Return the most memory that steps took on a device."""
    table = [["work", "threads", "backend", "device memory"]]
    table += [
        [cell.label, str(cell.threads), cell.backend, mib(cell.device_bytes)]
        for cell in results.cells
        if not cell.missing and cell.device_bytes is not None
    ]
    return table


def aligned(table: list[list[str]]) -> list[str]:
    """Return the lines of a table for a terminal."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in table]


def as_text(results: Results) -> str:
    """Return the tables for a terminal."""
    blocks = ["\n".join(remarks.of_environment(results))]
    for section in sections(results):
        blocks.append("\n".join([f"== {section.title}", *aligned(section.shown), *section.remarks]))
    return "\n\n".join(filter(None, [*blocks, NOTE]))


def as_markdown(results: Results) -> str:
    """Return the tables as a Markdown document."""
    facts = results.environment
    made_on = ", ".join(_escaped(facts[name]) for name in ("processor", "BLAS", "date"))
    blocks = [f"# Benchmarks\n\n{made_on}."]
    blocks += [f"**{_escaped(remark)}**" for remark in remarks.of_environment(results)]
    for section in sections(results):
        block = [f"## {section.title[0].upper()}{section.title[1:]}"]
        if section.shown:
            header, *body = [f"| {' | '.join(map(_escaped, row))} |" for row in section.shown]
            block += ["", header, "|" + "---|" * len(section.table[0]), *body]
        if section.remarks:
            block += ["", *(f"- {_escaped(remark)}" for remark in section.remarks)]
        blocks.append("\n".join(block))
    return "\n\n".join([*blocks, NOTE]) + "\n"


def _escaped(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return re.sub(r"([\\`*_|<])", r"\\\1", text)


NOTE = (
    "Medians of interleaved rounds. ± marks quartiles more than 10 % apart. Cores are CPU time "
    "over time; waited is the share of the CPU time asked for that was not given, with ! above "
    "5 %. GFLOP/s count the network as it is defined, whatever a backend leaves out; GEMM is the "
    "machine's own rate of matrix products on as many threads, for a step that of the same rounds, "
    "else its best. Copy is its rate of copying, by one thread, what no cache holds, against what "
    "an operation must read and write: above 100 % it came from cache. Ratios are of medians, with "
    "99 % bootstrap intervals over whole rounds; of fewer than 8 rounds they are about the range."
)
