"""Pictures of the convolution: im2col, the matrix product, col2im."""

import numpy as np

from drawing.canvas import SIZE, WINDOWS, Array, Canvas, Cell, factor, number
from drawing.examples import BIAS, KERNEL, LEFT
from numpy_siamese import functional as F

DY = np.array([[[[1.0, 2], [3, 4]]]])
"""A gradient of the output, one number for each window."""

PIXEL = (1, 1)
"""The pixel whose gradient is followed. All four windows read it."""


def columns(image: Array, side: int) -> Array:
    """Return im2col of an image as `conv2d` gives it, with stride 1.

    A kernel that is 1 at one offset and 0 elsewhere copies one row of the matrix.
    """
    size = side * side
    kernels = np.eye(size).reshape(size, 1, side, side)
    y, _ = F.conv2d(image, kernels)
    return y.reshape(size, -1)


def im2col() -> Canvas:
    """Draw which pixels go to which column, and the product with the kernel."""
    y, _ = F.conv2d(LEFT, KERNEL, BIAS)
    windows = y.size
    matrix = columns(LEFT, 3)
    canvas = Canvas(
        "im2col: each window becomes a column",
        "A 4 by 4 image is drawn four times, each time with another 3 by 3 window in colour. The "
        "nine pixels of a window are one column of the matrix X. The kernel as a row, times X, "
        "plus the bias, is the output: one number for each window.",
        720,
        500,
    )
    left, top, step = 40, 78, 4 * SIZE + 36
    for k in range(windows):
        p, q = divmod(k, 2)
        x0, y0 = left + q * step, top + p * step

        def tint(at: Cell, p: int = p, q: int = q, k: int = k) -> str:
            inside = p <= at[0] < p + 3 and q <= at[1] < q + 3
            return WINDOWS[k] if inside else "plain"

        outside = [at for at in np.ndindex(4, 4) if tint(at) == "plain"]
        canvas.grid(
            f"window-{k}", x0, y0, LEFT[0, 0], f"p, q = {p}, {q}",
            tint=tint, faint=outside,
        )  # fmt: skip
    x_left = 470
    canvas.grid("X", x_left, top, matrix, "X", tint=lambda at: WINDOWS[at[1]])
    for row in range(len(matrix)):
        i, j = divmod(row, 3)
        canvas.text(x_left - 10, top + row * SIZE + 20, f"{i}, {j}", "faint small", "end")
    canvas.text(x_left - 10, top - 9, "offset i, j", "faint small", "end")
    middle = top + 2 * 4 * SIZE + 36
    canvas.arrow((left + step + 4 * SIZE + 14, top + 138), (x_left - 78, top + 138))
    row_top = middle + 64
    kernel = KERNEL.reshape(1, -1)
    canvas.text(left, row_top - 9, "W, the kernel as a row", "ink", "start")
    canvas.grid("W", left, row_top, kernel)
    after = left + kernel.size * SIZE
    canvas.text(after + 14, row_top + 20, "X", "ink")
    canvas.text(after + 32, row_top + 20, "+ b 1ᵀ  =", "ink", "start")
    canvas.grid(
        "Y", x_left, row_top, y.reshape(1, -1), tint=lambda at: WINDOWS[at[1]],
    )  # fmt: skip
    canvas.text(
        x_left + 4 * SIZE + 10, row_top + 20, f"= Y,  b = {number(BIAS[0])}", "ink", "start"
    )
    first = " + ".join(
        f"{factor(w)}·{number(v)}" for w, v in zip(kernel[0], matrix[:, -1], strict=True) if w
    )
    canvas.text(
        left, row_top + 58,
        f"The last column: {first} + ({number(BIAS[0])}) = {number(y[0, 0, -1, -1])}. "
        "Products with 0 are left out.",
        "ink small", "start",
    )  # fmt: skip
    return canvas


def col2im() -> Canvas:
    """Draw how the entries of dX add up in the pixels that they were copied from."""
    _, pullback = F.conv2d(LEFT, KERNEL)
    dx, _, _ = pullback(DY)
    kernel, dy = KERNEL.reshape(1, -1), DY.reshape(1, -1)
    _, product = F.linear(columns(LEFT, 3).T, kernel)
    dmatrix = product(dy.T)[0].T
    canvas = Canvas(
        "col2im: each entry of dX is added to the pixel that it was copied from",
        "The matrix dX is the transposed kernel times dY. Each of its four columns is laid back "
        "onto the window of its colour. Where windows overlap, the entries are added. A red frame "
        "marks the four entries that meet in one pixel, and that pixel of the gradient dx.",
        720,
        470,
    )
    size, top = 26, 118
    x_kernel, x_matrix = 44, 90
    canvas.text(x_kernel + size / 2, top + 21, "Wᵀ")
    canvas.grid("W", x_kernel, top + size + 8, kernel.T, size=size)
    canvas.grid("dY", x_matrix, top, dy, "dY", tint=lambda at: WINDOWS[at[1]], size=size)
    places = []
    for k in range(dy.size):
        p, q = divmod(k, 2)
        i, j = PIXEL[0] - p, PIXEL[1] - q
        places.append((3 * i + j, k))
    y_matrix = top + size + 8
    canvas.grid(
        "dX", x_matrix, y_matrix, dmatrix,
        tint=lambda at: WINDOWS[at[1]], chosen=places, size=size,
    )  # fmt: skip
    canvas.text(x_matrix + 2 * size, y_matrix + 9 * size + 20, "dX = Wᵀ dY")
    x_windows, y_windows, step = 262, 104, 4 * size + 36
    canvas.arrow((x_matrix + 4 * size + 12, 238), (x_windows - 12, 238))
    for k in range(dy.size):
        p, q = divmod(k, 2)
        laid = np.zeros(LEFT.shape[2:])
        laid[p : p + 3, q : q + 3] = dmatrix[:, k].reshape(3, 3)
        inside = {(p + i, q + j) for i, j in np.ndindex(3, 3)}

        def tint(at: Cell, inside: set[Cell] = inside, k: int = k) -> str:
            return WINDOWS[k] if at in inside else "plain"

        canvas.grid(
            f"laid-{k}", x_windows + q * step, y_windows + p * step, laid, f"column {k}",
            tint=tint, blank=set(np.ndindex(4, 4)) - inside, chosen=[PIXEL], size=size,
        )  # fmt: skip
    x_sum = x_windows + step + 4 * size + 64
    canvas.arrow((x_windows + step + 4 * size + 12, 238), (x_sum - 12, 238))
    canvas.text((x_windows + step + 4 * size + x_sum) / 2, 228, "add", "ink small")
    canvas.grid("dx", x_sum, 238 - 2 * size, dx[0, 0], "dx", chosen=[PIXEL], size=size)
    terms = " + ".join(factor(dmatrix[place]) for place in places)
    canvas.text(
        x_kernel, 436,
        f"The framed pixel, row {PIXEL[0]} and column {PIXEL[1]}, is in all four windows: "
        f"{terms} = {number(dx[0, 0][PIXEL])}.",
        "ink small", "start",
    )  # fmt: skip
    return canvas
