"""The report: the ledger as a table for the terminal and as Markdown."""

from collections.abc import Sequence

from parity_tests.machinery import oracle
from parity_tests.machinery.devices import DEVICES
from parity_tests.machinery.error_bounds import EXACT
from parity_tests.machinery.ledger import Ledger

HEADER = (
    "operation",
    "quantity",
    "dtype",
    "device",
    "grade",
    "cases",
    "worst NumPy",
    "worst torch",
    "verdict",
)


def rows(ledger: Ledger) -> list[tuple[str, ...]]:
    """Return the table's rows as text, those of devices that are not there included."""
    table = []
    for key, line in sorted(ledger.lines.items()):
        worst: tuple[str, ...] = (f"{line.numpy_worst:.2g}", f"{line.torch_worst:.2g}")
        if key.grade == EXACT:
            worst = ("0", "0") if line.held else ("differs", "differs")
        verdict = "held" if line.held else "BROKEN"
        table.append((*key, str(line.cases), *worst, verdict))
    for device in DEVICES:
        if device.missing:
            missing = f"not run: {device.missing}"
            table.append(("all", "all", "all", device.name, "-", "0", "-", "-", missing))
    return table


def notes(ledger: Ledger) -> list[str]:
    """Return what the table cannot say: how many branches hang on a last bit."""
    return [
        f"{data}: {some:,} of {total:,} branches of ReLU, max-pool and |·| {what}"
        for counts, what in (
            (
                ledger.undecided_branches,
                "lie inside their error bound, so that either may be taken",
            ),
            (ledger.different_branches, "were taken differently by the two networks"),
        )
        for data, (some, total) in counts.items()
    ]


def as_text(ledger: Ledger) -> str:
    """Return the report for a terminal."""
    table = [HEADER, *rows(ledger)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
    facts = [f"{name}: {value}" for name, value in oracle.environment().items()]
    return "\n".join([*lines, "", *notes(ledger), "", *facts])


def as_markdown(ledger: Ledger) -> str:
    """Return the report as Markdown."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    lines = ["# Parity of NumPy and PyTorch", "", line(HEADER), "|---" * len(HEADER) + "|"]
    lines += [line(row) for row in rows(ledger)]
    lines += ["", *(f"- {note}" for note in notes(ledger)), "", "## Environment", ""]
    lines += [f"- {name}: {value}" for name, value in oracle.environment().items()]
    return "\n".join(lines) + "\n"
