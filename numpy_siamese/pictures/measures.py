"""The pictures of what a network is worth: ROC curves, calibration, N-way accuracy."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_siamese.evaluation.calibration import ReliabilityTable
from numpy_siamese.evaluation.one_shot import METHODS
from numpy_siamese.evaluation.roc import OperatingPoint, RocCurve
from numpy_siamese.pictures import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray

STYLES: tuple[dict[str, Any], ...] = (
    {"color": "#1f6fb4", "linestyle": "-"},
    {"color": "#c4501b", "linestyle": "--"},
)
"""Of one ROC curve after the other. They differ in grey too."""

MARKERS = ("o", "s")
"""Of the threshold on one ROC curve after the other."""

LOWEST_FAR = 1e-4
"""Where the logarithmic axis begins, at the latest."""

BETWEEN = 256
"""Points on a curve along that axis, beside its own."""

METHOD_STYLES: dict[str, dict[str, Any]] = {
    "siamese": {"color": "#1f6fb4", "marker": "o", "linestyle": "-"},
    "nearest_neighbor": {"color": "#c4501b", "marker": "s", "linestyle": "--"},
    "nearest_neighbor_cosine": {"color": "#2e7d32", "marker": "^", "linestyle": "-."},
    "untrained": {"color": "#7b4fa3", "marker": "D", "linestyle": ":"},
}
"""Of the lines of `METHODS`."""

MOST_WAYS = 12
"""Numbers of ways that are written under a panel."""


def roc_figure(curves: Mapping[str, RocCurve], chosen: float) -> "Figure":
    """Draw the share of accepted pairs of both kinds, over all thresholds.

    Parameters
    ----------
    curves : mapping of str to RocCurve
        One or two, by the name of their pairs.
    chosen : float
        A threshold, which is marked on each curve. Where its FAR is too small for the logarithmic
        axis, the mark is an arrow at the edge.

    Raises
    ------
    TypeError, ValueError
        No curve, or more than two. A threshold that is no finite number.
    """
    from matplotlib.ticker import FuncFormatter, NullFormatter

    if not 1 <= len(curves) <= len(STYLES):
        raise ValueError(f"curves must be 1 or {len(STYLES)}, got {len(curves)}")
    rates = np.concatenate([curve.far[curve.far > 0] for curve in curves.values()])
    least = max(LOWEST_FAR, min(0.1, float(rates.min())))
    figure = canvas.new_figure(1280, 660, layout="constrained")
    canvas.add_title(figure, "ROC: same pairs accepted over different pairs accepted")
    whole, low = (figure.add_subplot(1, 2, place) for place in (1, 2))
    for (name, curve), style, marker in zip(curves.items(), STYLES, MARKERS, strict=False):
        label = f"{name}: AUC {curve.auc:.4f}, EER {100 * curve.equal_error_rate:.2f} %"
        point = curve.at(chosen)
        for axes, smallest in ((whole, 0.0), (low, least)):
            axes.plot(*_chords(curve, smallest), label=label, **style)
            axes.plot(
                *([max(smallest, point.far)], [1 - point.frr]),
                color=style["color"],
                marker=marker if point.far >= smallest else "<",
                markersize=7,
                markerfacecolor="white",
                linestyle="none",
                clip_on=False,
                label=f"threshold {chosen:.3f}: {_rates(point)}",
            )
    whole.plot([0, 1], [1, 0], color="grey", linewidth=0.8, linestyle=(0, (5, 3)))
    whole.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle=(0, (1, 2)))
    whole.text(0.73, 0.24, "FAR = FRR", rotation=-45, color="dimgrey", fontsize=8.5, ha="center")
    whole.text(0.25, 0.28, "chance", rotation=45, color="dimgrey", fontsize=8.5, ha="center")
    whole.set(title="All thresholds", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    low.set(title="Few false accepts", xscale="log", xlim=(least, 1), ylim=(0, 1))
    low.xaxis.set_minor_formatter(NullFormatter())
    for axes in (whole, low):
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda rate, _: f"{100 * rate:g} %"))
        axes.set(xlabel="false accept rate (FAR)", ylabel="1 − false reject rate (FRR)")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(
        *whole.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9
    )
    return figure


def _chords(curve: RocCurve, smallest: float) -> tuple[Array, Array]:
    """Return points of a curve, between which its chords look straight on a logarithmic axis.

    On a linear axis, which begins at 0, these are the points of the curve itself.
    """
    if smallest == 0:
        return curve.far, 1 - curve.frr
    between = np.setdiff1d(np.geomspace(smallest, 1, BETWEEN), curve.far)
    far = np.concatenate([curve.far, between])
    accepted = np.concatenate([1 - curve.frr, np.interp(between, curve.far, 1 - curve.frr)])
    order = np.argsort(far, kind="stable")
    return far[order], accepted[order]


def _rates(point: OperatingPoint) -> str:
    return f"FAR {100 * point.far:.2f} %, FRR {100 * point.frr:.2f} %"


def reliability_figure(table: ReliabilityTable) -> "Figure":
    """Draw the share of same pairs over their probability, and how many pairs there are of each.

    Parameters
    ----------
    table : ReliabilityTable
    """
    from matplotlib.ticker import StrMethodFormatter

    figure = canvas.new_figure(760, 800, layout="constrained")
    error = table.expected_calibration_error
    canvas.add_title(figure, f"Calibration: expected calibration error {100 * error:.2f} %")
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (3, 1)})
    filled = table.weights > 0
    upper.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle="--", label="calibrated")
    upper.plot(
        table.mean_prob[filled],
        table.share_same[filled],
        color=STYLES[0]["color"],
        marker="o",
        label="test pairs, mean of each bin",
        clip_on=False,
    )
    upper.set(ylabel="share of pairs of the same class", xlim=(0, 1), ylim=(0, 1))
    upper.legend(loc="lower right", framealpha=1)
    lower.bar(
        table.edges[:-1],
        table.weights,
        np.diff(table.edges),
        align="edge",
        color="#c8d7e6",
        edgecolor="black",
        linewidth=0.6,
    )
    highest = float(table.weights.max())
    for left, width, count in zip(
        table.edges[:-1], np.diff(table.edges), table.weights, strict=True
    ):
        lower.text(
            left + width / 2, count + highest / 40, f"{count:,.0f}", ha="center", fontsize=7.5
        )
    lower.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    lower.set(
        xlabel="probability that a pair is of the same class",
        ylabel="pairs",
        ylim=(0, 1.18 * highest),
    )
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def one_shot_figure(entries: Sequence[Mapping[str, Any]]) -> "Figure":
    """Draw N-way accuracy over N, a panel for each number of shots.

    Parameters
    ----------
    entries : list of dict
        As `one_shot_measures` returns them, at least one.

    Raises
    ------
    ValueError
        No entry.
    """
    if len(entries) == 0:
        raise ValueError("entries must be at least one, got none")
    shots = sorted({entry["shots"] for entry in entries})
    figure = canvas.new_figure(max(760, 640 * len(shots)), 600, layout="constrained")
    episodes = sorted({entry["episodes"] for entry in entries})
    count = " to ".join(f"{n:,}" for n in sorted({episodes[0], episodes[-1]}))
    canvas.add_title(figure, f"N-way accuracy, {count} episodes a point, 95 % intervals")
    for place, number in enumerate(shots, start=1):
        axes = figure.add_subplot(1, len(shots), place)
        of_shots = sorted(
            (entry for entry in entries if entry["shots"] == number),
            key=lambda entry: entry["ways"],
        )
        _draw_ways(axes, of_shots)
        axes.set_title(f"{number} image{'' if number == 1 else 's'} of each class")
    figure.legend(
        *axes.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=5 if len(shots) > 1 else 2,
        handlelength=3.5,  # which has a whole dash and dot
        fontsize=9,
    )
    return figure


def _draw_ways(axes: "Axes", entries: Sequence[Mapping[str, Any]]) -> None:
    """Draw the accuracies of one number of shots, each with its interval."""
    ways = [entry["ways"] for entry in entries]
    places = np.arange(len(ways))
    for step, (method, style) in enumerate(METHOD_STYLES.items()):
        figures = [entry[method] for entry in entries if method in entry]
        if len(figures) < len(ways):
            continue
        values = np.array([figure["value"] for figure in figures])
        ends = np.array([[figure["low"], figure["high"]] for figure in figures]).T
        below, above = np.maximum(values - ends[0], 0), np.maximum(ends[1] - values, 0)
        axes.errorbar(
            places + 0.06 * (step - 1.5),
            values,
            yerr=[below, above],
            label=METHODS[method].name,
            markersize=5,
            capsize=3,
            clip_on=False,
            **style,
        )
    axes.plot(
        *(places, [entry["chance"] for entry in entries]),
        color="black",
        linewidth=0.9,
        label="chance",
        marker="_",
    )
    every = -(-len(ways) // MOST_WAYS)
    axes.set_xticks(places[::every], [str(n) for n in ways[::every]])
    axes.set(xlabel="classes to choose from (ways)", ylabel="share of right choices")
    axes.set(xlim=(-0.5, len(ways) - 0.5), ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


roc_picture = canvas.as_png(roc_figure)
reliability_picture = canvas.as_png(reliability_figure)
one_shot_picture = canvas.as_png(one_shot_figure)
