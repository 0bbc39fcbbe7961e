"""The pictures of a report, as PNG."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from benchmarks.device_report import recipe
from benchmarks.device_report.findings import Findings
from benchmarks.device_report.limits import COPY
from benchmarks.device_report.roof import COPYING, under_the_roof
from benchmarks.layers import step_flops
from benchmarks.pictures import write_whole_numbers
from numpy_siamese.pictures import canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLORS = {"fp32": "#1f6fb4", "tf32": "#e08a3c", "bf16": "#4f9a94"}
HATCHES = {"fp32": "", "tf32": "//", "bf16": ".."}
MARKERS = {"fp32": "o", "tf32": "s", "bf16": "^"}
EDGE, LIMIT, PLAIN = "#202124", "#3c4043", "#9aa0a6"

PAPER = {"facecolor": "white", "edgecolor": "none", "pad": 0.3}
"""Behind a number that may lie on a line."""

DPI = 130


@canvas.own_settings()
def recipes(findings: Findings) -> "Figure | None":
    """Draw the seconds of training by mode and precision, and start-up beside them."""
    found = sorted(findings.found("recipe"), key=lambda row: row[1]["seconds"])
    if not found:
        return None
    figure, axes = _figure(9.0, 1.9 + 0.4 * len(found))
    places = range(len(found))
    names = [f"{a['mode']}, {a['precision']}" for a, _ in found]
    colors = [PLAIN if a["mode"] == recipe.PLAIN else COLORS[a["precision"]] for a, _ in found]
    hatches = ["" if a["mode"] == recipe.PLAIN else HATCHES[a["precision"]] for a, _ in found]
    training = [f["seconds"] for _, f in found]
    first = [f["first batches"] for _, f in found]
    axes.barh(places, training, color=colors, hatch=hatches, edgecolor=EDGE, label="training")
    axes.barh(
        places, first, left=training, color="white", edgecolor=EDGE, label="first batches, before"
    )
    for place, (taken, (_, f)) in enumerate(zip(training, found, strict=True)):
        words = f" {taken:.3g} s, accuracy {f['test accuracy']:.3f}"
        axes.annotate(words, (taken + f["first batches"], place), va="center")
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.margins(x=0.34)
    axes.set_xlabel("seconds; white: the first batches, which compile or capture")
    pairs = found[0][1]["pairs"]
    figure.suptitle(_title(f"The recipe, {pairs:,} pairs in batches of 100", findings))
    return figure


@canvas.own_settings()
def scaling(findings: Findings) -> "Figure | None":
    """Draw pairs a second against the batch size, with the rates that products would allow."""
    found = list(findings.found("scaling"))
    if not found:
        return None
    figure, axes = _figure(9.0, 5.6)
    rates, per_pair = findings.rates(), step_flops(1000) / 1000
    for precision in dict.fromkeys(a["precision"] for a, _ in found):
        own = sorted((a["pairs"], f["seconds"]) for a, f in found if a["precision"] == precision)
        sizes, values = [n for n, _ in own], [n / s for n, s in own]
        style = {"color": COLORS[precision], "marker": MARKERS[precision]}
        axes.plot(sizes, values, label=precision, **style)
        if precision in rates:
            axes.axhline(
                rates[precision] / per_pair,
                color=COLORS[precision],
                linestyle=":",
                label=f"matrix products alone, {precision}",
            )
    axes.set(xscale="log", yscale="log", xlabel="pairs in a batch", ylabel="pairs a second")
    axes.set_xticks(sorted({a["pairs"] for a, _ in found}))
    axes.tick_params(axis="x", rotation=45)
    write_whole_numbers(axes)
    figure.legend(loc="outside lower center", ncols=3)
    modes = ", ".join(dict.fromkeys(f["mode"] for _, f in found))
    figure.suptitle(_title(f"Training steps by batch size, mode {modes}", findings))
    return figure


@canvas.own_settings()
def roofline(findings: Findings) -> "Figure | None":
    """Draw the share of its roof that each layer reaches, a panel for each precision."""
    found = [under for under in under_the_roof(findings) if under.share is not None]
    if not found:
        return None
    precisions = list(dict.fromkeys(under.precision for under in found))
    labels = list(dict.fromkeys(f"{under.layer} {under.direction}" for under in found))
    height = 1.9 + 0.24 * len(labels)
    figure = canvas.new_figure(
        DPI * (3.0 + 3.2 * len(precisions)), DPI * height, dpi=DPI, layout="constrained"
    )
    panels = figure.subplots(1, len(precisions), sharey=True, squeeze=False)[0]
    for axes, precision in zip(panels, precisions, strict=True):
        own = {f"{u.layer} {u.direction}": u for u in found if u.precision == precision}
        for place, label in enumerate(labels):
            if label not in own:
                continue
            under = own[label]
            share = 100 * (under.share or 0.0)
            hatch = "//" if under.bound == COPYING else ""
            axes.barh(place, share, color=COLORS[precision], hatch=hatch, edgecolor=EDGE)
            axes.annotate(f" {share:.0f}", (share, place), va="center", fontsize=8, bbox=PAPER)
        axes.axvline(100, color=LIMIT, linestyle=":")
        axes.margins(x=0.15, y=0.01)
        axes.set(title=precision, xlabel="% of the roof")
        axes.grid(alpha=0.3, axis="x")
        axes.set_axisbelow(True)
    panels[0].set_yticks(range(len(labels)), labels)
    panels[0].invert_yaxis()
    images = found[0].images
    rates = findings.rates()
    words = f"Share of the roof by layer, {images:,} images; hatched: bound by copying"
    limits = ", ".join(f"{name} {rate(rates[name])}" for name in precisions)
    figure.suptitle(_title(f"{words}\n{limits}, copying {rates[COPY] / 1e9:,.0f} GB/s", findings))
    return figure


PICTURES: dict[str, Callable[[Findings], "Figure | None"]] = {
    "recipe.png": recipes,
    "scaling.png": scaling,
    "roofline.png": roofline,
}


@canvas.own_settings()
def as_png(findings: Findings) -> dict[str, bytes]:
    """Return the pictures for which there is something to draw, by the name of their file."""
    figures = {file: draw(findings) for file, draw in PICTURES.items()}
    return {file: canvas.png(figure) for file, figure in figures.items() if figure is not None}


def rate(flops: float) -> str:
    """Return operations a second with a fitting unit."""
    return f"{flops / 1e12:.3g} TFLOP/s" if flops >= 1e12 else f"{flops / 1e9:.3g} GFLOP/s"


def _figure(width: float, height: float):
    figure = canvas.new_figure(DPI * width, DPI * height, dpi=DPI, layout="constrained")
    return figure, figure.add_subplot()


def _title(what: str, findings: Findings) -> str:
    """Return what is drawn, on what, with which data, and when."""
    facts = findings.environment
    machine = f"{findings.device_name}, PyTorch {facts.get('torch', '')}, {facts.get('date', '')}"
    part = "" if findings.share == 1 else f", {findings.share:g} of the whole"
    return f"{what}\n{machine}\n{findings.data}{part}"
