"""The pictures of a run, as PNG."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from numpy_siamese.evaluation import THRESHOLD
from numpy_siamese.history import Metrics

Array = np.ndarray

TRAIN, TEST, WRONG = "#1f6fb4", "#c4501b", "#b3261e"
NAMES = ("different", "same")


def curves(title: str, batches: int, train: Sequence[Metrics], test: Sequence[Metrics]) -> bytes:
    """Draw loss and accuracy over the epochs, of training windows and of the test pairs.

    Parameters
    ----------
    title : str
    batches : int
        In an epoch.
    train, test : sequences of Metrics
    """
    figure = _figure(9, 3.8)
    figure.suptitle(title, parse_math=False)
    for place, (name, unit) in enumerate((("loss", " (nats)"), ("accuracy", "")), start=1):
        axes = figure.add_subplot(1, 2, place)
        for rows, label, style in (
            (train, "training windows", {"color": TRAIN, "marker": ".", "markersize": 4}),
            (test, "test pairs", {"color": TEST, "marker": "o"}),
        ):
            epochs = [row.epoch - 1 + row.batch / batches for row in rows]
            axes.plot(epochs, [getattr(row, name) for row in rows], label=label, **style)
        axes.set(title=name.capitalize(), xlabel="epochs", ylabel=f"{name}{unit}")
        axes.set_xlim(left=0)
        axes.grid(alpha=0.3)
        axes.legend()
    return _png(figure)


def pair_grid(
    title: str,
    left: Array,
    right: Array,
    targets: Array,
    probs: Array | None = None,
    columns: int = 5,
) -> bytes:
    """Draw pairs side by side, each with its truth and, if given, prediction and probability.

    Parameters
    ----------
    title : str
    left, right : (N, 28, 28) uint8
    targets : (N,)
        1 for same, 0 for different.
    probs : (N,), optional
        The network's probability of *same*. Wrong verdicts are red and say "wrong".
    """
    rows = -(-len(targets) // columns)
    figure = _figure(2.1 * columns, 1.55 * rows + 0.6)
    figure.suptitle(title, parse_math=False)
    gap = np.full((left.shape[1], 2), 255, np.uint8)
    for n, target in enumerate(targets):
        axes = figure.add_subplot(rows, columns, n + 1)
        axes.imshow(np.hstack([left[n], gap, right[n]]), cmap="gray", vmin=0, vmax=255)
        axes.set_axis_off()
        truth, color = NAMES[int(target)], "black"
        text = truth
        if probs is not None:
            verdict = NAMES[int(probs[n] > THRESHOLD)]
            text = f"{verdict}, p(same) = {probs[n]:.3f}\ntruth: {truth}"
            if verdict != truth:
                text, color = f"{text} (wrong)", WRONG
        axes.set_title(text, fontsize=9, color=color)
    return _png(figure)


def _figure(width: float, height: float) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", dpi=120)
    FigureCanvasAgg(figure)
    return figure


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
