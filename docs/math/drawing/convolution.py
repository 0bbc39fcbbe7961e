"""Pictures of the convolution: im2col, the matrix product, col2im."""

import numpy as np

from drawing.canvas import SIZE, WINDOWS, Array, Canvas, Cell, Tint, factor, number
from drawing.examples import LEFT
from numpy_siamese import functional as F

WEIGHT = np.array([[[[1.0, 2], [0, -1]]]])
BIAS = np.array([1.0])
DY = np.array([[[[1.0, 2, 0], [0, -1, 0], [0, 0, 1]]]])

COLORED = [at for at in np.ndindex(3, 3) if DY[0, 0][at]]
"""The windows that have a colour: those whose output matters to the loss."""

PIXEL = (1, 1)
"""The pixel whose gradient is followed."""

SMALL = 24.0
"""Width of a cell in the images with one window."""


def columns() -> Array:
    """Return im2col of the image as `conv2d` gives it.

    A kernel that is 1 at one offset and 0 elsewhere copies one row of the matrix.
    """
    y, _ = F.conv2d(LEFT, np.eye(4).reshape(4, 1, 2, 2))
    return y.reshape(4, 9)


def im2col() -> Canvas:
    """Draw which pixels go to which column, and the product with the kernel."""
    y, _ = F.conv2d(LEFT, WEIGHT, BIAS)
    kernel, matrix = WEIGHT.reshape(1, 4), columns()
    canvas = Canvas(
        "im2col: each window becomes a column",
        "A 4 by 4 image has nine windows of 2 by 2 pixels. Four of them are drawn in colour. The "
        "four pixels of a window are one column of the matrix X, which has its colour. The kernel "
        "as a row, times X, plus the bias, is the output: one number for each window.",
        750,
        400,
    )
    for place, at in _windows(40, 88):
        canvas.grid(
            _name("window", at), *place, LEFT[0, 0], f"p, q = {at[0]}, {at[1]}",
            tint=_of_window(at), faint=_outside(at), size=SMALL,
        )  # fmt: skip
    left, top = 444, 118
    for k in range(9):
        p, q = divmod(k, 3)
        canvas.text(left + (k + 0.5) * SIZE, top - 9, f"{p},{q}", "faint small")
    canvas.text(left - 12, top - 9, "window p,q", "faint small", "end")
    canvas.text(left + 4.5 * SIZE, top - 32, "X")
    canvas.grid("X", left, top, matrix, tint=_of_column)
    for k in range(4):
        canvas.text(
            left - 12, top + k * SIZE + 20, f"offset {k // 2},{k % 2}", "faint small", "end"
        )
    canvas.arrow((278, 178), (358, 178))
    below = top + 4 * SIZE + 14
    canvas.text(left - 134 - 10, below + 20, "w", anchor="end")
    canvas.grid("w", left - 134, below, kernel)
    canvas.grid("Y", left, below, y.reshape(1, 9), tint=_of_column)
    canvas.text(
        left + 9 * SIZE, below + 54, f"Y = w X + b 1ᵀ,  b = {number(BIAS[0])}", anchor="end"
    )
    terms = zip(kernel[0], matrix[:, 0], strict=True)
    total = " + ".join(f"{factor(a)}·{factor(b)}" for a, b in terms)
    words = f"The blue column: {total} + {factor(BIAS[0])} = {number(y.flat[0])}."
    canvas.text(40, 366, words, "ink small", "start")
    return canvas


def col2im() -> Canvas:
    """Draw how the entries of dX add up in the pixels that they were copied from."""
    _, pullback = F.conv2d(LEFT, WEIGHT, BIAS)
    dx, _, _ = pullback(DY)
    _, product = F.linear(columns().T, WEIGHT.reshape(1, 4))
    dmatrix = product(DY.reshape(9, 1))[0].T
    canvas = Canvas(
        "col2im: each entry of dX is added to the pixel that it was copied from",
        "The matrix dX is the transposed kernel times dY. Each of its columns is laid back onto "
        "its window. Where windows overlap, the entries are added. Red frames mark the entries "
        "that meet in one pixel, and that pixel of the gradient dx.",
        750,
        490,
    )
    left, top = 104, 82
    canvas.text(left - 14, top + 20, "dY", anchor="end")
    canvas.grid("dY", left, top, DY.reshape(1, 9), tint=_of_column)
    below = top + SIZE + 14
    offsets = {(p, q): 2 * (PIXEL[0] - p) + PIXEL[1] - q for p in (0, 1) for q in (0, 1)}
    framed = [(offset, 3 * p + q) for (p, q), offset in offsets.items()]
    canvas.text(left - 54, below + 65, "wᵀ", anchor="end")
    canvas.grid("w", left - 44, below, WEIGHT.reshape(4, 1))
    canvas.grid("dX", left, below, dmatrix, tint=_of_column, chosen=framed)
    canvas.text(left + 9 * SIZE + 14, below + 65, "dX = wᵀ dY", anchor="start")
    x0, y0, middle = 104, 316, 364
    canvas.arrow((x0 + 135, below + 4 * SIZE + 8), (x0 + 135, y0 - 26))
    for n, at in enumerate(COLORED):
        k = 3 * at[0] + at[1]
        laid = np.zeros((4, 4))
        laid[at[0] : at[0] + 2, at[1] : at[1] + 2] = dmatrix[:, k].reshape(2, 2)
        canvas.grid(
            _name("laid", at), x0 - 64 + n * 124, y0, laid, f"p, q = {at[0]}, {at[1]}",
            tint=_of_window(at), blank=_outside(at), chosen={PIXEL} - _outside(at), size=SMALL,
        )  # fmt: skip
        sign = "+" if n < len(COLORED) - 1 else "="
        canvas.text(x0 - 64 + n * 124 + 110, middle + 6, sign, "ink title")
    canvas.grid("dx", 546, middle - 60, dx[0, 0], "dx", chosen=[PIXEL])
    terms = [(at, dmatrix[2 * (PIXEL[0] - at[0]) + PIXEL[1] - at[1], 3 * at[0] + at[1]])
             for at in offsets]  # fmt: skip
    total = " + ".join(factor(value) for at, value in terms if at in COLORED)
    words = (
        f"The framed pixel lies in {len(terms)} windows. Those without a colour have dY = 0: "
        f"{total} = {number(dx[0, 0][PIXEL])}."
    )
    canvas.text(40, 462, words, "ink small", "start")
    return canvas


def _windows(x: float, y: float) -> list[tuple[tuple[float, float], Cell]]:
    """Return where the images with one coloured window stand."""
    step = 4 * SMALL + 32
    return [((x + n % 2 * step, y + n // 2 * step), at) for n, at in enumerate(COLORED)]


def _name(kind: str, at: Cell) -> str:
    return f"{kind}-{at[0]}-{at[1]}"


def _outside(at: Cell) -> set[Cell]:
    """Return the pixels that a window does not read."""
    return set(np.ndindex(4, 4)) - {(at[0] + i, at[1] + j) for i, j in np.ndindex(2, 2)}


def _of_window(at: Cell) -> Tint:
    """Return the tints of an image with one window in colour."""
    return lambda pixel: "plain" if pixel in _outside(at) else WINDOWS[COLORED.index(at)]


def _of_column(entry: Cell) -> str:
    """Return the tint of a column: that of its window."""
    at = divmod(entry[1], 3)
    return WINDOWS[COLORED.index(at)] if at in COLORED else "plain"
