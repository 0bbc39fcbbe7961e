"""Pictures of all pairs of two batches: their logits, and the loss of their choices."""

import numpy as np

from drawing.canvas import Canvas, Cell
from numpy_siamese import functional as F

LEFT = np.array([[3.0, 1], [0, 2]])
RIGHT = np.array([[1.0, 1], [0, 4], [2, 2]])
WEIGHT, BIAS = np.array([[-1.0, -2]]), np.array([4.0])
DY = np.array([[1.0, 2, -1], [0, 3, 1]])

LOGITS = np.log(np.array([[6.0, 2, 1, 1], [1, 1, 2, 4], [2, 4, 8, 2]]))
TARGET = np.array([[1.0, 0, 0, 0], [0, 1, 0, 1], [0, 0, 1, 0]])


def pairwise_l1_logits() -> Canvas:
    """Draw the logits of all pairs between the two batches, and the gradients of both."""
    y, pullback = F.pairwise_l1_logits(LEFT, RIGHT, WEIGHT, BIAS)
    dleft, dright, _, _ = pullback(DY)
    canvas = Canvas(
        "pairwise_l1_logits: every left image with every right one",
        "On the left a matrix of logits, with the left embeddings beside it and the right ones "
        "above, so that a logit lies where its two embeddings cross. On the right a gradient of "
        "the logits, with the gradients of the embeddings in the same places. A row of the "
        "gradient makes a left embedding's, a column makes a right one's.",
        660,
        320,
    )
    parts = ((40, "", LEFT, RIGHT, y), (360, "d", dleft, dright, DY))
    for x0, d, left, right, logits in parts:
        x, top = x0 + 80, 170
        canvas.grid(f"{d}x", x0, top, left, tint=_by_row, chosen=[(0, 0), (0, 1)])
        canvas.grid(f"{d}x′", x, top - 80, right.T, chosen=[(0, 1), (1, 1)])
        canvas.grid(f"{d}y", x, top, logits, tint=_by_row, chosen=[(0, 1)])
        canvas.text(x0 - 8, top + 35, f"{d}x", "ink", "end")
        canvas.text(x + 102, top - 45, f"{d}x′", "ink", "start")
        canvas.text(x + 102, top + 35, f"{d}y", "ink", "start")
    words = "The weights are −1 and −2, the bias is 4. A red frame marks one pair."
    canvas.text(40, 280, words, "ink small", "start")
    return canvas


def _by_row(at: Cell) -> str:
    return ("blue", "orange")[at[0]]


def n_pair_loss() -> Canvas:
    """Draw logits with their partners, and the gradient that pulls these and pushes the rest."""
    _, pullback = F.n_pair_loss(LOGITS, TARGET)
    (dlogits,) = pullback(1.0)
    canvas = Canvas(
        "n_pair_loss: partners are pulled, all others are pushed",
        "Two tables of three rows and four columns. The first has the logits. Frames mark the "
        "partners, one in the first and in the third row and two in the second. The second table "
        "has their gradients, which are negative for partners and positive for all others.",
        660,
        310,
    )
    partners = [(int(row), int(column)) for row, column in np.argwhere(TARGET == 1)]
    for x, name, values in ((60, "x", LOGITS), (380, "dx", dlogits)):
        tint = (lambda at: "blue" if at in partners else "orange") if name == "dx" else "plain"
        canvas.grid(name, x, 90, values, name, tint=tint, chosen=partners, size=56, digits=2)
    words = "Red frames: partners. Blue: a step raises the logit. Orange: it lowers it."
    canvas.text(60, 288, words, "ink small", "start")
    return canvas
