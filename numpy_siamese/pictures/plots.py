"""The pictures of a run."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_siamese.evaluation.verification import THRESHOLD
from numpy_siamese.pictures import canvas
from numpy_siamese.pictures.examples import Examples, checked

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from numpy_siamese.runs.history import Metrics, Validation

TRAIN, TEST, ONE_SHOT, WRONG = "#1f6fb4", "#c4501b", "#3a7d44", "#b3261e"
NAMES = ("different", "same")

LABEL_HEIGHT = 0.07
"""Of a line of text at the end of a curve, as a part of the panel's height."""

COLUMNS = 5
ZOOM = 4  # screen pixels of an image's pixel
INSIDE, BETWEEN = 8, 32  # pixels between the images of a pair, between pairs
MARGIN, TITLE, HEADING, LINE = 24, 56, 40, 20


def curves_figure(
    title: str,
    batches: int,
    train: "Sequence[Metrics]",
    test: "Sequence[Metrics]",
    validation: "Sequence[Validation]" = (),
    loss: str = "bce",
) -> "Figure":
    """Draw loss and accuracy over the epochs, of training windows and of the test pairs.

    Beside the accuracy of pairs stands that of one-shot trials, where there are any.

    Parameters
    ----------
    title : str
    batches : int
        In an epoch.
    train, test : sequences of Metrics
    validation : sequence of Validation
    loss : str
        What training minimises. The test has the cross-entropy (bce) in any case.
    """
    from matplotlib.ticker import MaxNLocator

    figure = canvas.new_figure(1280, 520, layout="constrained")
    canvas.add_title(figure, title)
    last = max((row.epoch - 1 + row.batch / batches for row in [*train, *test]), default=1)
    for place, (name, unit) in enumerate(
        (("loss", "nats"), ("accuracy", "share of pairs")), start=1
    ):
        axes = figure.add_subplot(1, 2, place)
        which = (f", {loss}", ", bce") if name == "loss" and loss != "bce" else ("", "")
        for rows, label, style in (
            (train, f"training{which[0]}", {"color": TRAIN, "marker": ".", "markersize": 4}),
            (test, f"test{which[1]}", {"color": TEST, "marker": "o", "linestyle": "--"}),
        ):
            epochs = [row.epoch - 1 + row.batch / batches for row in rows]
            values = [getattr(row, name) for row in rows]
            # dots on the edge are whole, and leave the layout alone, which those at nan would upset
            axes.plot(epochs, values, label=label, clip_on=False, in_layout=False, **style)
        if name == "accuracy" and validation:
            axes.plot(
                [row.epoch for row in validation],
                [row.accuracy for row in validation],
                label="one-shot",
                clip_on=False,
                in_layout=False,
                color=ONE_SHOT,
                marker="s",
                linestyle=":",
            )
            unit = "share of pairs or trials"
        axes.set(
            title=name.capitalize(),
            xlabel=f"epochs of {batches:,} batches",
            ylabel=f"{name} ({unit})",
            xlim=(0, math.ceil(last)),
        )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
        _write_last_values(axes)
    return figure


def _write_last_values(axes: "Axes") -> None:
    """Write at the end of each curve what it is and its last value, without overlap."""
    bottom, top = axes.get_ylim()
    ends = []
    for line in axes.lines:
        values = np.asarray(line.get_ydata())
        if np.isfinite(values).any():
            value = values[np.isfinite(values)][-1]
            ends.append((value, line))
    ends.sort(key=lambda end: end[0])
    heights = _apart([(value - bottom) / (top - bottom) for value, _ in ends])
    for height, (value, line) in zip(heights, ends, strict=True):
        axes.text(
            1.03,
            height,
            f"{line.get_label()} {value:.4f}",
            color=line.get_color(),
            transform=axes.transAxes,
            verticalalignment="center",
        )


def _apart(heights: list[float]) -> list[float]:
    """Return the heights of labels, sorted, moved apart until all can be read.

    Labels that would touch become a stack around their mean.
    """
    stacks: list[list[float]] = []
    for height in heights:
        stack = [height]
        while stacks and _ends(stack)[0] - _ends(stacks[-1])[1] < LABEL_HEIGHT:
            stack = stacks.pop() + stack
        stacks.append(stack)
    return [_ends(stack)[0] + i * LABEL_HEIGHT for stack in stacks for i in range(len(stack))]


def _ends(stack: list[float]) -> tuple[float, float]:
    """Return the lowest and the highest place of labels in a stack."""
    half = (len(stack) - 1) * LABEL_HEIGHT / 2
    middle = sum(stack) / len(stack)
    return middle - half, middle + half


def pair_grid_figure(title: str, *sections: Examples, least_columns: int = 1) -> "Figure":
    """Draw pairs side by side, each with its truth and, if given, prediction and probability.

    Wrong verdicts are red and say "wrong". The name of a class, where there are names, stands over
    each image. Every pixel of an image becomes `ZOOM` × `ZOOM`.

    Parameters
    ----------
    title : str
    *sections : Examples
        One under the other; headings where there is more than one.
    least_columns : int
        The page has room for so many pairs side by side, and so for the headings.
    """
    sections = tuple(checked(section) for section in sections)
    high, wide = (ZOOM * pixels for pixels in sections[0].left.shape[1:])
    lines = _lines(sections[0])
    step = 2 * wide + INSIDE + BETWEEN, high + lines * LINE + BETWEEN
    columns = min(COLUMNS, max(1, *(len(section.targets) for section in sections)))
    width = 2 * MARGIN + max(columns, least_columns) * step[0] - BETWEEN
    heading = HEADING if len(sections) > 1 else 0
    rows = sum(-(-len(section.targets) // columns) for section in sections)
    height = TITLE + len(sections) * heading + rows * step[1]

    figure, axes = canvas.new_page(width, height, title, above=12)
    top = TITLE
    for section in sections:
        if heading:
            artist = axes.text(MARGIN, top, "", va="top", fontsize=10.5)
            canvas.write(artist, [section.heading], width - 2 * MARGIN)
        top += heading
        for n in range(len(section.targets)):
            row, column = divmod(n, columns)
            _draw_pair(axes, section, n, MARGIN + column * step[0], top + row * step[1])
        top += -(-len(section.targets) // columns) * step[1]
    return figure


def _lines(section: Examples) -> int:
    """Return how many lines of text stand over a pair."""
    return 1 + (section.probs is not None) + (section.names is not None)


def _draw_pair(axes: "Axes", section: Examples, n: int, x: float, y: float) -> None:
    """Draw a pair and, over it, what is said about it."""
    wide = ZOOM * section.left.shape[2]
    text, is_wrong = _caption(section, n)
    color = WRONG if is_wrong else "black"
    y_images = y + LINE * _lines(section)
    options: Any = {"ha": "center", "va": "bottom", "fontsize": 8.5}
    y_text = y_images - 3
    if section.names is not None:
        for name, x_image in zip(section.names[n], (x, x + wide + INSIDE), strict=True):
            canvas.write(axes.text(x_image + wide / 2, y_text, "", **options), [name], wide)
        y_text -= LINE
    axes.text(x + wide + INSIDE / 2, y_text, text, color=color, **options)
    for image, x_image in ((section.left[n], x), (section.right[n], x + wide + INSIDE)):
        canvas.draw_image(axes, image, x_image, y_images, ZOOM)


def _caption(section: Examples, n: int) -> tuple[str, bool]:
    """Return what is said about a pair, and whether the network was wrong."""
    truth = NAMES[int(section.targets[n])]
    if section.probs is None:
        return truth, False
    p: Any = section.probs[n]
    verdict = NAMES[int(p > THRESHOLD)]
    wrong = " (wrong)" if verdict != truth else ""
    return f"{verdict}, p(same) {probability_words(p)}\ntruth: {truth}{wrong}", bool(wrong)


def probability_words(p: float) -> str:
    """Return a probability with its sign of relation, as text: = 0.250, > 0.999."""
    return "< 0.001" if p < 0.001 else "> 0.999" if p > 0.999 else f"= {p:.3f}"


curves = canvas.as_png(curves_figure)
pair_grid = canvas.as_png(pair_grid_figure)
