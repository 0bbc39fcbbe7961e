"""The results: as data and as tables."""

from dataclasses import dataclass, field

from benchmarks.limits import MATRIX_PRODUCT
from benchmarks.timing import quartiles, spread

NOISY = 0.1
"""A spread above this is marked."""


@dataclass(frozen=True)
class Cell:
    """One piece of work by one backend: samples in seconds, or why there are none."""

    workload: str
    label: str
    size: int
    backend: str
    threads: int
    samples: list[float] = field(default_factory=list)
    missing: str = ""
    flops: float = 0.0
    images: int = 0
    traffic: float = 0.0
    error: float = 0.0
    joules: float | None = None
    device_bytes: int | None = None

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What the cell is about."""
        return self.workload, self.label, self.backend, self.threads

    @property
    def median(self) -> float:
        """Return the median in seconds."""
        return quartiles(self.samples)[1]

    @property
    def noisy(self) -> bool:
        """Whether the quartiles lie far apart."""
        return spread(self.samples) > NOISY


@dataclass(frozen=True)
class Memory:
    """Peak resident memory of a process that trains, in bytes, or why it was not measured."""

    backend: str
    pairs: int
    before: int = 0
    peak: int = 0
    missing: str = ""


@dataclass
class Results:
    """All that one run of the benchmarks found.

    Parameters
    ----------
    environment : facts by name
    limits : threads → `limits.measure`
    cells, memory : what was measured
    """

    environment: dict[str, str]
    limits: dict[int, dict[str, float]] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)


# ------------------------------------------------------------------------------ tables

HEADER = ["work", "threads", "backend", "median", "quartiles", "GFLOP/s", "of GEMM", "of copy"]
HEADER += ["images/s"]


def rows(results: Results, workload: str) -> list[list[str]]:
    """Return a workload's lines of the table; a spread above 10 % is marked by ±."""
    table = []
    for cell in results.cells:
        if cell.workload != workload:
            continue
        start = [cell.label, str(cell.threads), cell.backend]
        if cell.missing:
            table.append([*start, cell.missing, "", "", "", "", ""])
            continue
        low, median, high = quartiles(cell.samples)
        rate = cell.flops / median
        on_cpu = not cell.backend.startswith("cuda")
        limit = results.limits.get(cell.threads, {}) if on_cpu else {}
        of_gemm = rate / gemm_flops(results, cell) if limit and cell.flops else 0.0
        of_copy = cell.traffic / median / limit["copy_bytes"] if limit and cell.traffic else 0.0
        table.append(
            [
                *start,
                seconds(median) + (" ±" if cell.noisy else ""),
                f"{seconds(low)} to {seconds(high)}",
                f"{rate / 1e9:.1f}" if cell.flops else "",
                f"{of_gemm:.0%}" if of_gemm else "",
                f"{of_copy:.0%}" if of_copy else "",
                f"{cell.images / median:,.0f}" if cell.images else "",
            ]
        )
    return table


def gemm_flops(results: Results, cell: Cell) -> float:
    """Return the rate of matrix products: of the same rounds if it was taken, or else the best."""
    beside = cell.workload, cell.label, MATRIX_PRODUCT, cell.threads
    for other in results.cells:
        if other.key == beside and not other.missing:
            return other.flops / other.median
    return results.limits[cell.threads]["gemm_flops"]


def seconds(value: float) -> str:
    """Return a time with a fitting unit and three digits."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if value * factor >= 1 or unit == "µs":
            return f"{value * factor:.3g} {unit}"
    raise AssertionError


def mib(value: float) -> str:
    """Return bytes in MiB."""
    return f"{value / 2**20:,.0f} MiB"


def sections(results: Results) -> list[tuple[str, list[list[str]]]]:
    """Return titles and tables, each with its header."""
    found = []
    for workload in dict.fromkeys(cell.workload for cell in results.cells):
        found.append((workload, [HEADER, *rows(results, workload)]))
    found.append(("ratios of medians to NumPy's", ratios(results)))
    if results.memory:
        table = [["backend", "pairs", "before training", "peak"]]
        for m in results.memory:
            measured = [mib(m.before), mib(m.peak)] if not m.missing else [m.missing, ""]
            table.append([m.backend, str(m.pairs), *measured])
        found.append(("host memory of a training process", table))
    extras = [
        [c.label, c.backend, f"{c.joules:.3g} J" if c.joules else "not told by this machine",
         mib(c.device_bytes) if c.device_bytes else ""]
        for c in results.cells
        if c.workload == "step" and not c.missing and c.backend != MATRIX_PRODUCT
    ]  # fmt: skip
    if extras:
        found.append(
            ("energy and device memory", [["work", "backend", "energy", "device"], *extras])
        )
    limits = [["threads", "matrix product", "copy"]]
    for threads, limit in results.limits.items():
        rate, copied = limit["gemm_flops"] / 1e9, limit["copy_bytes"] / 1e9
        limits.append([str(threads), f"{rate:.0f} GFLOP/s", f"{copied:.1f} GB/s"])
    found.append(("limits of the machine, measured", limits))
    found.append(("environment", [["what", "value"], *map(list, results.environment.items())]))
    return found


def ratios(results: Results) -> list[list[str]]:
    """Return NumPy's time over each other backend's, for the same work on the same threads."""
    table = [["work", "threads", "against", "NumPy takes"]]
    measured = {cell.key: cell for cell in results.cells if not cell.missing}
    for (workload, label, backend, threads), cell in measured.items():
        ours = measured.get((workload, label, "numpy", threads))
        if ours is not None and backend != "numpy" and workload != "operations":
            table.append([label, str(threads), backend, f"{ours.median / cell.median:.2f}×"])
    return table


def aligned(table: list[list[str]]) -> list[str]:
    """Return the lines of a table for a terminal."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in table]


def as_text(results: Results) -> str:
    """Return the tables for a terminal."""
    blocks = []
    for title, table in sections(results):
        blocks.append("\n".join([f"== {title}", *aligned(table)]))
    return "\n\n".join([*blocks, NOTE])


def as_markdown(results: Results) -> str:
    """Return the tables as a Markdown document."""
    blocks = [f"# Benchmarks\n\n{results.environment['processor']}, {results.environment['date']}."]
    for title, table in sections(results):
        header, *body = [f"| {' | '.join(row)} |" for row in table]
        rule = "|" + "---|" * len(table[0])
        blocks.append("\n".join([f"## {title[0].upper()}{title[1:]}\n", header, rule, *body]))
    return "\n\n".join([*blocks, NOTE]) + "\n"


NOTE = (
    "Medians of interleaved rounds. ± marks quartiles more than 10 % apart. GFLOP/s count the "
    "network as it is defined, whatever a backend leaves out; GEMM is the machine's own rate of "
    "matrix products on as many threads, for a step that of the same rounds, else its best. Copy "
    "is its rate of copying, by one thread, what no cache holds, against what an operation must "
    "read and write: above 100 % it came from cache."
)
