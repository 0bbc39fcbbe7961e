"""The picture of `linear`: a matrix product and its three pullbacks."""

from typing import NamedTuple

import numpy as np

from drawing.canvas import Array, Canvas, Cell, Tint, factor, number
from numpy_siamese import functional as F

X = np.array([[1.0, 2, 0], [0, 1, -1]])
WEIGHT = np.array([[1.0, 0, 2], [-1, 1, 0]])
BIAS = np.array([1.0, 0])
DY = np.array([[1.0, 0], [2, -1]])

SIZE, GAP = 30.0, 14.0
"""Of a cell, and between the factors and their product."""


class Matrix(NamedTuple):
    """A matrix of a product: its name, its numbers, the tint of each cell."""

    name: str
    values: Array
    tint: Tint | str = "plain"


def linear() -> Canvas:
    """Draw y = x wᵀ + 1bᵀ, and the three products that are its pullback."""
    y, pullback = F.linear(X, WEIGHT, BIAS)
    dx, dweight, dbias = pullback(DY)
    canvas = Canvas(
        "linear: one product forward, three back",
        "Each matrix product is drawn with the right factor above the result and the left factor "
        "beside it, so that an entry lies where its row and its column cross. A red frame marks "
        "one entry of each result with the row and the column that make it.",
        620,
        580,
    )
    inputs, grads = Matrix("x", X, _by_row), Matrix("dyᵀ", DY.T, _by_column)
    weight, ones = Matrix("w", WEIGHT), Matrix("1", np.ones((2, 1)), _by_row)
    transposed, output = Matrix("wᵀ", WEIGHT.T), Matrix("y", y, _by_row)
    _falk(canvas, (40, 100), "y = x wᵀ + 1bᵀ", inputs, transposed, output, (1, 0), BIAS[0])
    output_grads, input_grads = Matrix("dy", DY, _by_row), Matrix("dx", dx, _by_row)
    _falk(canvas, (370, 100), "dx = dy w", output_grads, weight, input_grads, (1, 0))
    _falk(canvas, (40, 350), "dw = dyᵀ x", grads, inputs, Matrix("dw", dweight), (0, 1))
    _falk(canvas, (370, 350), "db = dyᵀ 1", grads, ones, Matrix("db", dbias[:, None]), (0, 0))
    words = "Blue is the first sample, orange the second. The sums of dw and db run over both."
    canvas.text(40, 556, words, "ink small", "start")
    return canvas


def _by_row(at: Cell) -> str:
    """Return the tint of a sample."""
    return ("blue", "orange")[at[0]]


def _by_column(at: Cell) -> str:
    return _by_row(at[::-1])


def _falk(
    canvas: Canvas,
    corner: tuple[float, float],
    formula: str,
    left: Matrix,
    above: Matrix,
    result: Matrix,
    chosen: Cell,
    bias: float | None = None,
) -> None:
    """Draw a product: the left factor beside the result, the right one above it."""
    (x0, y0), (row, column), inner = corner, chosen, len(above.values)
    x, y = x0 + inner * SIZE + GAP, y0 + inner * SIZE + GAP
    canvas.text(x0, y0 - 34, formula, "ink bold", "start")
    framed = [(k, column) for k in range(inner)]
    canvas.grid(f"{result.name}-above", x, y0, *above[1::-1], tint=above.tint, chosen=framed)
    framed = [(row, k) for k in range(inner)]
    canvas.grid(f"{result.name}-left", x0, y, *left[1::-1], tint=left.tint, chosen=framed)
    canvas.grid(result.name, x, y, result.values, tint=result.tint, chosen=[chosen])
    canvas.text(x + result.values.shape[1] * SIZE + 12, y + 20, result.name, "ink", "start")
    pairs = zip(left.values[row], above.values[:, column], strict=True)
    terms = [f"{factor(a)}·{factor(b)}" for a, b in pairs]
    terms += [] if bias is None else [factor(bias)]
    words = f"{' + '.join(terms)} = {number(result.values[chosen])}"
    canvas.text(x0, y + len(left.values) * SIZE + 22, words, "ink small", "start")
