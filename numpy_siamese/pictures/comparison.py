"""The pictures of verdicts on a user's own images: what the network saw, and what it said."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_siamese import _arrays
from numpy_siamese.data.dataset import checked_images
from numpy_siamese.pictures import canvas
from numpy_siamese.pictures.plots import probability_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = np.ndarray

LARGE, SMALL = 10, 4
"""Pixels of the picture for a pixel of an image."""

MARGIN, TITLE, LINE, BETWEEN = 28, 56, 24, 28

ABOVE = 14
"""Pixels over the title."""

COLUMNS = 5

LETTERS = 54
"""Letters of a line of text beneath two images."""


def comparison_figure(
    left: Array, right: Array, names: Sequence[str], texts: Sequence[str]
) -> "Figure":
    """Draw two images as the network saw them, with their names over them and texts beneath.

    Parameters
    ----------
    left, right : (28, 28) uint8
    names : two strings
    texts : sequence of str
        A line each, or several for a long one.

    Raises
    ------
    TypeError, ValueError
        No such images, or not two names.
    """
    pair = [_image("left", left), _image("right", right)]
    if len(names) != 2:
        raise ValueError(f"names must be two, got {len(names)}")
    lines = [line for text in texts for line in textwrap.wrap(text, LETTERS)]
    side = LARGE * pair[0].shape[0]
    width = 2 * MARGIN + 2 * side + BETWEEN
    height = TITLE + LINE + side + BETWEEN + LINE * len(lines) + MARGIN // 2
    figure, axes = canvas.new_page(width, height, "What the network saw", ABOVE)
    for n, (image, name) in enumerate(zip(pair, names, strict=True)):
        x = MARGIN + n * (side + BETWEEN)
        _caption(axes, name, x + side / 2, TITLE + LINE - 5, side, 11)
        canvas.draw_image(axes, image, x, TITLE + LINE, LARGE)
    for n, text in enumerate(lines):
        y = TITLE + LINE + side + BETWEEN + LINE * (n + 0.5)
        artist = axes.text(MARGIN, y, "", ha="left", va="center", fontsize=10.5)
        canvas.write(artist, [text], width - 2 * MARGIN)
    return figure


def ranking_figure(
    query: Array,
    references: Array,
    names: Sequence[str],
    probabilities: Array,
    class_names: Sequence[str] | None,
) -> "Figure":
    """Draw a query and references in the order of their likeness, each with its probability.

    Parameters
    ----------
    query : (28, 28) uint8
    references : (k, 28, 28) uint8
        The likest first, at least one.
    names : k strings
    probabilities : (k,) float32 or float64
        Of being of the query's class.
    class_names : k strings, optional

    Raises
    ------
    TypeError, ValueError
        No such arrays, or none of one length.
    """
    query, references = _image("query", query), checked_images(references, "references")
    (probabilities,) = _arrays.floats(probabilities=probabilities)
    k = len(references)
    if k == 0 or probabilities.shape != (k,) or len(names) != k or len(class_names or names) != k:
        raise ValueError(
            f"references, names, probabilities and class_names must be as many, got {k}, "
            f"{len(names)}, {probabilities.shape} and {class_names and len(class_names)}"
        )
    side, lines = SMALL * query.shape[0], 2 if class_names is None else 3
    step_x, step_y = side + 2 * BETWEEN, side + lines * LINE + BETWEEN // 2
    columns, rows = min(COLUMNS, k), -(-k // COLUMNS)
    width = 2 * MARGIN + (columns + 1) * step_x + BETWEEN
    height = TITLE + rows * step_y + MARGIN // 2
    figure, axes = canvas.new_page(width, height, "The likest references", ABOVE)
    _caption(axes, "query", MARGIN + step_x / 2, TITLE + LINE * 0.8, step_x, 10, bold=True)
    canvas.draw_image(axes, query, MARGIN + BETWEEN, TITLE + lines * LINE, SMALL)
    rule = MARGIN + step_x + BETWEEN / 2
    axes.plot([rule, rule], [TITLE, height - MARGIN // 2], color="grey", linewidth=1)
    for n in range(k):
        row, column = divmod(n, COLUMNS)
        x = MARGIN + (column + 1) * step_x + BETWEEN
        y = TITLE + row * step_y
        words = [f"{n + 1}.  p {probability_words(probabilities[n])}", names[n]]
        words[1:1] = [] if class_names is None else [class_names[n]]
        for line, text in enumerate(words):
            place = y + LINE * (line + 0.8)
            _caption(axes, text, x + step_x / 2, place, step_x - 8, 9, bold=line == 0)
        canvas.draw_image(axes, references[n], x + BETWEEN, y + lines * LINE, SMALL)
    return figure


def _image(name: str, value: Any) -> Array:
    """Return an image, if it is (H, W) uint8."""
    (image,) = checked_images(_arrays.array(name, value)[None], name)
    return image


def _caption(
    axes: Any, text: str, x: float, y: float, room: float, size: float, bold: bool = False
) -> None:
    weight = "bold" if bold else "normal"
    artist = axes.text(x, y, "", ha="center", va="bottom", fontsize=size, fontweight=weight)
    canvas.write(artist, [text], room)


comparison_picture = canvas.as_png(comparison_figure)
ranking_picture = canvas.as_png(ranking_figure)
