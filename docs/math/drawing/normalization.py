"""The picture of batch normalisation: one channel, and the three ways of its gradient."""

import numpy as np

from drawing.canvas import Canvas
from numpy_siamese import functional as F

X = np.array([[0.0], [2], [4], [6]])
DY = np.array([[12.0], [0], [0], [0]])
WEIGHT, BIAS, EPS = np.array([3.0]), np.array([1.0]), 4.0


def batch_norm() -> Canvas:
    """Draw four numbers, what they become, and their gradient with its three parts."""
    normalised, _ = F.batch_norm(X, None, None, training=True, eps=EPS)
    y, pullback = F.batch_norm(X, None, None, WEIGHT, BIAS, training=True, eps=EPS)
    dx, _, _ = pullback(DY)
    direct, _, _ = F.batch_norm(X, X.mean(axis=0), X.var(axis=0), WEIGHT, eps=EPS)[1](DY)
    of_mean = -direct.mean(axis=0) * np.ones_like(X)
    of_variance = dx - direct - of_mean
    canvas = Canvas(
        "batch_norm: a gradient goes three ways",
        "Above, four numbers x of a channel, the numbers ζ with mean 0, and the output y. Below, "
        "the gradient dy. The gradient dx is the sum of three rows: the direct way, which only the "
        "first number has, the way through the mean, the same for all, and that through the "
        "variance, which grows with the distance from the mean.",
        560,
        480,
    )
    rows = (
        ("x", X, "plain", "mean 3, σ = 3"),
        ("ζ", normalised, "plain", "x less its mean, through σ"),
        ("y", y, "plain", "3 ζ + 1"),
        ("dy", DY, "plain", ""),
        ("direct", direct, "blue", "the direct way: dy · 3 / σ"),
        ("through-mean", of_mean, "orange", "through the mean"),
        ("through-variance", of_variance, "green", "through the variance"),
        ("dx", dx, "plain", "their sum"),
    )
    for n, (name, values, tint, words) in enumerate(rows):
        top = 62 + 48 * n + 16 * (n > 2)
        if len(name) <= 2:
            canvas.text(74, top + 26, name, "ink", "end")
        canvas.grid(name, 86, top, values.T, tint=tint, size=44, digits=2)
        canvas.text(278, top + 26, words, "ink small", "start")
    return canvas
