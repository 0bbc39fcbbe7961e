"""The picture of hard trials: what was asked for, the right answer, and what was chosen."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from numpy_siamese import _arguments
from numpy_siamese.data.dataset import checked_images
from numpy_siamese.pictures import canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = np.ndarray

SIDE = 84
"""Pixels of the picture that an image takes, or a little less."""

MARGIN, TITLE, LINE, INSIDE, BETWEEN = 24, 52, 18, 8, 30
COLUMNS = 3
PARTS = ("asked for", "right", "chosen")


def trials_figure(
    query: Array, right: Array, chosen: Array, names: Sequence[str], wrong: int, trials: int
) -> "Figure":
    """Draw wrong trials, the worst first, each under the name of its alphabet.

    Parameters
    ----------
    query, right, chosen : (k, H, W) uint8
        What was asked for, the image of its character, and the image that was taken for it.
    names : k strings
    wrong : int
        How many trials went wrong, of which these are the worst.
    trials : int
        How many there were.

    Raises
    ------
    TypeError, ValueError
        No such images, or not as many names.
    """
    sides = [
        checked_images(images, name)
        for name, images in (("query", query), ("right", right), ("chosen", chosen))
    ]
    _arguments.same_shape(query=sides[0], right=sides[1], chosen=sides[2])
    k = len(sides[0])
    if len(names) != k:
        raise ValueError(f"names must be {k}, got {len(names)}")
    zoom = max(1, SIDE // max(sides[0].shape[1:]))
    high, wide = (zoom * pixels for pixels in sides[0].shape[1:])
    step_x, step_y = 3 * wide + 2 * INSIDE + BETWEEN, high + 2 * LINE + BETWEEN // 2
    width = 2 * MARGIN + COLUMNS * step_x - BETWEEN
    height = TITLE + max(1, -(-k // COLUMNS)) * step_y + MARGIN // 2
    title = f"{wrong:,} of {trials:,} test trials went wrong{', the worst first' if k else ''}"
    figure, axes = canvas.new_page(width, height, title, above=14)
    for n, name in enumerate(names):
        row, column = divmod(n, COLUMNS)
        x, y = MARGIN + column * step_x, TITLE + row * step_y
        artist = axes.text(x, y + LINE - 3, "", va="bottom", fontsize=9.5, fontweight="bold")
        canvas.write(artist, [name], step_x - BETWEEN)
        for part, (images, called) in enumerate(zip(sides, PARTS, strict=True)):
            left = x + part * (wide + INSIDE)
            options = {"ha": "center", "va": "bottom", "fontsize": 8.5}
            artist = axes.text(left + wide / 2, y + 2 * LINE - 3, "", **options)
            canvas.write(artist, [called], wide + INSIDE)
            canvas.draw_image(axes, images[n], left, y + 2 * LINE, zoom)
    return figure


trials_picture = canvas.as_png(trials_figure)
