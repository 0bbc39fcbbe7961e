"""The report as a Markdown document."""

from collections.abc import Iterator, Sequence

from benchmarks.device_report import recipe
from benchmarks.device_report.dataset import SYNTHETIC
from benchmarks.device_report.findings import Findings
from benchmarks.device_report.limits import COPY
from benchmarks.device_report.roof import under_the_roof
from benchmarks.device_report.targets import targets
from benchmarks.tables import mib, seconds

Table = list[list[str]]

MOST_NAMES = 6
"""That a line about missing tasks lists."""


def as_markdown(findings: Findings, pictures: Sequence[str]) -> str:
    """Return the document, which names the pictures beside it."""
    lines = [f"# {findings.device_name}: parity, recipe, scaling, roofline", "", *_head(findings)]
    for title, table, remarks in _sections(findings):
        lines += ["", f"## {title}", ""]
        lines += _table(table) if len(table) > 1 else ["Nothing was measured."]
        for remark in remarks:
            lines += ["", remark]
        name = f"{title.split(' ')[0].lower()}.png"
        lines += ["", f"![{title}]({name})"] if name in pictures else []
    return "\n".join(lines) + "\n"


def _head(findings: Findings) -> Iterator[str]:
    whole = "the whole" if findings.share == 1 else f"{findings.share:g} of the whole"
    yield f"`python -m benchmarks cuda` did {whole} in {findings.seconds:.0f} s."
    yield f"Data: {findings.data}."
    if findings.data == SYNTHETIC:
        yield "They are no digits of MNIST, so accuracies here are not MNIST's."
    if findings.device == "cpu":
        yield "There was no CUDA device. All figures are the CPU's, and no target is of a CPU."
    if findings.interrupted:
        yield "It was interrupted. What had been measured is here."


def _sections(findings: Findings) -> Iterator[tuple[str, Table, list[str]]]:
    rows = [[t.words, t.found, t.verdict] for t in targets(findings)]
    yield "Targets", [["target", "found", "verdict"], *rows], []
    yield "Parity", _parity(findings), _missing(findings, "parity")
    yield "Recipe", _recipe(findings), [RECIPE, *_missing(findings, "recipe")]
    yield "Scaling", _scaling(findings), [*_memory(findings), *_missing(findings, "scaling")]
    yield "Limits of the device", _limits(findings), _missing(findings, "limits")
    yield "Roofline", _roofline(findings), [ROOFLINE, *_missing(findings, "roofline")]
    facts = [[name, value] for name, value in findings.environment.items()]
    yield "Environment", [["what", "value"], *facts], []
    yield "State of the device", _states(findings), []


RECIPE = (
    "Training is drawing pairs, learning and reading the losses. First batches choose algorithms, "
    "compile or capture, and are not part of it. The loss is that of the last 100 batches."
)

ROOFLINE = (
    "The roof is the rate of matrix products or of copying, whichever takes longer for the layer. "
    "Bytes are those of arguments, result and gradients, each once."
)


def _parity(findings: Findings) -> Table:
    header = ["tests", "passed", "failed", "skipped", "whole", "took"]
    return [header] + [
        [
            f"{o.name}, Hypothesis profile {o.found['profile']}",
            str(o.found["passed"]),
            str(o.found["failed"]) + ("".join(f"; {line}" for line in o.found["failures"])),
            str(o.found["skipped"]),
            "yes" if o.found["whole"] else "no, interrupted",
            f"{o.found['seconds']:.0f} s",
        ]
        for o in findings.of("parity")
        if not o.missing
    ]


def _recipe(findings: Findings) -> Table:
    header = ["mode", "precision", "training", "of it drawing", "first batches", "start-up"]
    header += ["pairs/s", "over the plain loop", "loss", "test accuracy"]
    found = list(findings.found("recipe"))
    plain = next((f["seconds"] for a, f in found if a["mode"] == recipe.PLAIN), None)
    return [header] + [
        [
            a["mode"],
            a["precision"],
            seconds(f["seconds"]),
            seconds(f["drawing"]),
            seconds(f["first batches"]),
            seconds(f["learner"]),
            f"{f['pairs'] / f['seconds']:,.0f}",
            "" if plain is None else f"{plain / f['seconds']:.2f}×",
            f"{f['loss']:.4f}",
            f"{f['test accuracy']:.4f}",
        ]
        for a, f in found
    ]


def _scaling(findings: Findings) -> Table:
    rates = findings.rates()
    header = ["pairs", "precision", "mode", "a step", "pairs/s", "GFLOP/s"]
    header += ["of products", "of copying", "device memory"]
    return [header] + [
        [
            f"{a['pairs']:,}",
            a["precision"],
            f["mode"],
            seconds(f["seconds"]),
            f"{a['pairs'] / f['seconds']:,.0f}",
            f"{f['flops'] / f['seconds'] / 1e9:,.0f}",
            _share(f["flops"] / f["seconds"], rates.get(a["precision"])),
            _share(f["bytes"] / f["seconds"], rates.get(COPY)),
            "" if f["device bytes"] is None else mib(f["device bytes"]),
        ]
        for a, f in findings.found("scaling")
    ]


def _limits(findings: Findings) -> Table:
    return [["limit", "measured"]] + [
        [
            "copying, read and written" if name == COPY else f"matrix products, {name}",
            f"{rate / 1e9:,.1f} {'GB/s' if name == COPY else 'GFLOP/s'}",
        ]
        for name, rate in findings.rates().items()
    ]


def _roofline(findings: Findings) -> Table:
    header = ["layer", "precision", "direction", "images", "MFLOP", "MB", "took", "at least"]
    return [[*header, "bound by", "of the roof"]] + [
        [
            u.layer,
            u.precision,
            u.direction,
            f"{u.images:,}",
            f"{u.flops / 1e6:,.1f}",
            f"{u.bytes / 1e6:,.1f}",
            seconds(u.seconds),
            "" if u.least is None else seconds(u.least),
            "" if u.least is None else u.bound,
            "" if u.share is None else f"{u.share:.0%}",
        ]
        for u in under_the_roof(findings)
    ]


def _states(findings: Findings) -> Table:
    if not findings.states:
        return []
    names = list(next(iter(findings.states.values())))
    rows = [[name, *(state[name] for state in findings.states.values())] for name in names]
    return [["what", *findings.states], *rows]


def _memory(findings: Findings) -> list[str]:
    """Say the largest batch that fits."""
    lines = []
    for precision, (most, too_many) in findings.largest_batches().items():
        if too_many is not None:
            lines.append(
                f"{precision}: the largest batch that fits has {most:,} pairs; memory did not "
                f"suffice for {too_many:,}."
            )
    return lines


def _missing(findings: Findings, part: str) -> list[str]:
    """Return a line for each reason why something is missing."""
    concerned: dict[str, list[str]] = {}
    for outcome in findings.of(part):
        if outcome.missing:
            concerned.setdefault(outcome.missing, []).append(f"“{outcome.name}”")
    lines = []
    for why, names in concerned.items():
        more = len(names) - MOST_NAMES
        named = ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
        lines.append(f"Missing: {named}: {why}.")
    return lines


def _share(rate: float, limit: float | None) -> str:
    return "" if limit is None else f"{rate / limit:.0%}"


def _table(rows: Table) -> list[str]:
    """Return the lines of a table; a bar within a cell does not end it."""
    head, *body = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = [head, ["---"] * len(head), *body]
    return [f"| {' | '.join(line)} |" for line in lines]
