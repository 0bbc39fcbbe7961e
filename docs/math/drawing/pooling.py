"""Pictures of the pooling, alone and fused: the way that gradients take."""

import numpy as np

from drawing.canvas import SIZE, WINDOWS, Canvas, Cell
from drawing.convolution import BIAS, WEIGHT
from drawing.examples import LEFT
from numpy_siamese import functional as F
from numpy_siamese.functional.fused import conv_relu_pool

DY = np.array([[[[10.0, 20], [30, 40]]]])
"""A gradient of the pooled image."""


def _quarter(at: Cell) -> str:
    """Return the tint of the 2×2 window that a pixel is in."""
    return WINDOWS[2 * (at[0] // 2) + at[1] // 2]


def max_pool() -> Canvas:
    """Draw which of four pixels wins, and where its gradient goes."""
    y, pullback = F.max_pool2d(LEFT, 2)
    (dx,) = pullback(DY)
    winners = [at for at in np.ndindex(4, 4) if dx[0, 0][at]]
    others = set(np.ndindex(4, 4)) - set(winners)
    canvas = Canvas(
        "max_pool2d: the gradient goes to the winner",
        "A 4 by 4 image in four windows of 2 by 2 pixels. A red frame marks the largest pixel of "
        "each window, which is the output. Backward, the gradient of each output goes to the "
        "framed pixel of its window. The twelve other pixels get zero.",
        720,
        316,
    )
    x0, x1, x2, x3, top = 40, 226, 380, 560, 92
    middle = top + 2 * SIZE
    canvas.grid("x", x0, top, LEFT[0, 0], "x", tint=_quarter, chosen=winners)
    canvas.arrow((x0 + 4 * SIZE + 12, middle), (x1 - 12, middle))
    canvas.text((x0 + 4 * SIZE + x1) / 2, middle - 10, "max", "ink small")
    canvas.grid("y", x1, middle - SIZE, y[0, 0], "y", tint=lambda at: WINDOWS[2 * at[0] + at[1]])
    canvas.grid("dy", x2, middle - SIZE, DY[0, 0], "dy", tint=lambda at: WINDOWS[2 * at[0] + at[1]])
    canvas.arrow((x2 + 2 * SIZE + 12, middle), (x3 - 12, middle))
    canvas.text((x2 + 2 * SIZE + x3) / 2, middle - 10, "to the winner", "ink small")
    canvas.grid("dx", x3, top, dx[0, 0], "dx", tint=_quarter, chosen=winners, faint=others)
    canvas.line((333, top - 14), (333, top + 4 * SIZE + 14), look="axis")
    canvas.text(190, top + 4 * SIZE + 32, "forward", "faint small")
    canvas.text(530, top + 4 * SIZE + 32, "backward", "faint small")
    canvas.text(
        40, 286, "A small change of another pixel changes no output, so its gradient is 0.",
        "ink small", "start",
    )  # fmt: skip
    return canvas


def phases() -> Canvas:
    """Draw the four phases of a fused layer, and the one that gets the gradient."""
    convolved, _ = F.conv2d(LEFT, WEIGHT)
    y, pullback = conv_relu_pool(LEFT, WEIGHT, BIAS)
    dy = np.ones_like(y)
    dx, _, _ = pullback(dy)
    window = {at for at in np.ndindex(4, 4) if dx[0, 0][at]}
    corner = min(row for row, _ in window), min(column for _, column in window)
    window = {(corner[0] + i, corner[1] + j) for i, j in np.ndindex(2, 2)}
    canvas = Canvas(
        "A layer as one operation: four phases, one winner",
        "The convolution of a 4 by 4 image has 3 by 3 numbers. The pooling keeps the upper left "
        "four, one for each phase. The largest wins, the bias is added, and ReLU passes it. "
        "Backward, the kernel times dy is laid on the window of the winner.",
        720,
        300,
    )
    color = WINDOWS[2 * corner[0] + corner[1]]
    kept = set(np.ndindex(2, 2))

    def tint(at: Cell) -> str:
        return WINDOWS[2 * at[0] + at[1]] if at in kept else "plain"

    def inside(at: Cell) -> str:
        return color if at in window else "plain"

    x0, x1, x2, x3, x4, top = 40, 226, 400, 470, 560, 92
    middle = top + 2 * SIZE
    canvas.grid("x", x0, top, LEFT[0, 0], "x", tint=inside, faint=_others(window))
    canvas.arrow((x0 + 4 * SIZE + 12, middle), (x1 - 12, middle))
    canvas.text((x0 + 4 * SIZE + x1) / 2, middle - 10, "conv", "ink small")
    canvas.grid(
        "convolved", x1, middle - 1.5 * SIZE, convolved[0, 0], "four phases", tint=tint,
        faint=set(np.ndindex(3, 3)) - kept, chosen=[corner],
    )  # fmt: skip
    canvas.arrow((x1 + 3 * SIZE + 12, middle), (x2 - 12, middle))
    canvas.text((x1 + 3 * SIZE + x2) / 2, middle - 10, "max, + b", "ink small")
    canvas.grid("y", x2, middle - SIZE / 2, y[0, 0], "y", tint=color)
    canvas.grid("dy", x3, middle - SIZE / 2, dy[0, 0], "dy", tint=color)
    canvas.arrow((x3 + SIZE + 12, middle), (x4 - 12, middle))
    canvas.grid("dx", x4, top, dx[0, 0], "dx", tint=inside, faint=_others(window))
    canvas.line((450, top - 14), (450, top + 4 * SIZE + 14), look="axis")
    words = (
        f"The bias is {BIAS[0]:g}. Of equals the first wins. The grey row and column are dropped."
    )
    canvas.text(40, 272, words, "ink small", "start")
    return canvas


def _others(window: set[Cell]) -> set[Cell]:
    return set(np.ndindex(4, 4)) - window
