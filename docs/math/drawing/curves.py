"""Pictures of the functions of one number: the curve, the slope, and a few values."""

from collections.abc import Callable, Sequence

import numpy as np

from drawing.axes import Axes
from drawing.canvas import Array, Canvas, number
from numpy_siamese import functional as F
from numpy_siamese.optim import SGD

FIRST, SECOND = "first-word small", "second-word small"

POINTS = 121
"""Computed points of a curve."""


def relu() -> Canvas:
    """Draw ReLU with its kink, and what it does to numbers and to their gradients."""
    x = np.linspace(-3, 3, POINTS)
    y, _ = F.relu(x)
    some = np.array([[1.0, -2, 0, 3], [-1, 4, -3, 2], [0, -1, 5, -2], [2, 1, -4, 0]])
    some_y, pullback = F.relu(some)
    dsome = np.arange(1.0, 17).reshape(4, 4)
    (dx,) = pullback(dsome)
    canvas = Canvas(
        "relu: positive numbers pass, and so do their gradients",
        "The graph of relu is 0 up to the kink at 0 and rises with slope 1 after it. Beside it are "
        "sixteen numbers x, their relu y, a gradient dy, and the gradient dx, which is dy where x "
        "is positive and else 0. At the kink it is 0.",
        720,
        400,
    )
    axes = Axes(canvas, 60, 80, 260, 200, (-3, 3), (-0.5, 3))
    axes.ruled((-3, -2, -1, 0, 1, 2, 3), (0, 1, 2, 3), "x", "y = relu(x)")
    axes.curve(x, y, "first")
    axes.dot(0, float(F.relu(np.zeros(1))[0][0]), "first-dot")
    axes.word(-1.5, 0, "slope 0", FIRST, "middle", (0, -10))
    axes.word(1.5, 1.5, "slope 1", FIRST, "end", (-10, -6))
    grids = {"x": some, "y": some_y, "dy": dsome, "dx": dx}
    for n, (name, values) in enumerate(grids.items()):
        left, top = 400 + n % 2 * 152, 80 + n // 2 * 152
        canvas.grid(name, left, top, values, name, tint=lambda at: _passes(some[at]))
    canvas.text(
        60, 345, "Blue: x is positive. At 0 the code takes the slope 0.", "ink small", "start"
    )
    return canvas


def _passes(x: float) -> str:
    return "blue" if x > 0 else "plain"


def l1_distance() -> Canvas:
    """Draw the absolute value with its kink, and the gradients of both sides."""
    x = np.linspace(-3, 3, POINTS)
    y, _ = F.l1_distance(x, np.zeros(POINTS))
    left, right = np.array([3.0, 1, 2, 0]), np.array([1.0, 4, 2, -2])
    distance, pullback = F.l1_distance(left, right)
    dy = np.array([1.0, 2, 5, -1])
    dleft, dright = pullback(dy)
    canvas = Canvas(
        "l1_distance: the sign of the difference decides",
        "The graph of the absolute difference has slope minus 1 left of 0 and plus 1 right of it. "
        "Beside it are four pairs of numbers, their distances, a gradient dy, and the gradients of "
        "both sides. They are dy and its negative, and 0 where both sides are equal.",
        720,
        370,
    )
    axes = Axes(canvas, 60, 80, 260, 210, (-3, 3), (-0.5, 3))
    axes.ruled((-3, -2, -1, 0, 1, 2, 3), (0, 1, 2, 3), "x − x′", "y = |x − x′|")
    axes.curve(x, y, "first")
    axes.dot(0, float(y[POINTS // 2]), "first-dot")
    axes.word(-1.5, 1.5, "slope −1", FIRST, "start", (10, -4))
    axes.word(1.5, 1.5, "slope 1", FIRST, "end", (-10, -4))
    axes.word(0, 0, "kink: the code takes 0", FIRST, "middle", (0, 22))
    rows = (
        ("x", left), ("x′", right), ("y", distance), ("dy", dy), ("dx", dleft), ("dx′", dright)
    )  # fmt: skip

    def tint(at: tuple[int, int]) -> str:
        difference = left[at[1]] - right[at[1]]
        return "blue" if difference > 0 else "orange" if difference < 0 else "plain"

    _table(canvas, 450, 80, rows, tint)
    canvas.text(450, 324, "Blue: x is larger. Orange: x′ is larger.", "ink small", "start")
    return canvas


def sigmoid() -> Canvas:
    """Draw the sigmoid with its slope, and the slope's end in float32."""
    x = np.linspace(-8, 8, POINTS)
    y, pullback = F.sigmoid(x)
    (slope,) = pullback(np.ones(POINTS))
    canvas = Canvas(
        "sigmoid: steep in the middle, flat at the ends",
        "On the left the graphs of the sigmoid and of its slope y (1 − y), whose largest value is "
        "one quarter, at 0. On the right the logarithm of the slope in float32. It falls by the "
        "same amount with each step of x. Then y rounds to 1 and the slope is exactly 0.",
        720,
        384,
    )
    axes = Axes(canvas, 60, 90, 270, 200, (-8, 8), (0, 1))
    axes.ruled((-8, -4, 0, 4, 8), (0, 0.25, 0.5, 0.75, 1), "x", "y and its slope")
    axes.curve(x, y, "first")
    axes.curve(x, slope, "second")
    at = np.log([1.0, 3.0])
    y_at, back = F.sigmoid(at)
    (slope_at,) = back(np.ones(2))
    for k in range(2):
        axes.dot(at[k], y_at[k], "first-dot")
        axes.dot(at[k], slope_at[k], "second-dot")
    axes.word(0, y_at[0], number(y_at[0]), FIRST, "start", (10, 8))
    axes.word(0, slope_at[0], number(slope_at[0]), SECOND, "start", (10, -7))
    axes.word(at[1], y_at[1], number(y_at[1]), FIRST, "start", (10, 8))
    axes.word(at[1], slope_at[1], number(slope_at[1], 4), SECOND, "start", (10, 2))
    steps = np.arange(21, dtype=np.float32)
    y32, back32 = F.sigmoid(steps)
    (slope32,) = back32(np.ones(21, np.float32))
    alive = slope32 > 0
    right = Axes(canvas, 430, 90, 250, 200, (0, 20), (-10, 0))
    right.ruled((0, 5, 10, 15, 20), (-10, -8, -6, -4, -2, 0), "x", "log₁₀ of the slope in float32")
    for step, value in zip(steps[alive], np.log10(slope32[alive]), strict=True):
        right.dot(float(step), float(value), "second-dot")
    last = int(steps[alive][-1])
    right.word(
        last, float(np.log10(slope32[last])), f"exactly 0 from x = {last + 1} on", SECOND,
        "end", (40, 34),
    )  # fmt: skip
    words = f"At x = 17 float32 has y = {y32[17]:.9g} and slope {number(slope32[17])}."
    canvas.text(430, 360, words, "ink small", "start")
    canvas.text(60, 360, "The dots are at x = 0 and at x = log 3.", "ink small", "start")
    return canvas


def binary_cross_entropy() -> Canvas:
    """Draw the loss against the probability, for both targets, and a table of slopes."""
    s = np.linspace(0.01, 0.99, POINTS)
    canvas = Canvas(
        "binary_cross_entropy: certain and wrong costs most",
        "The loss of one pair against its probability, for target 1 and for target 0. Each curve "
        "is 0 where the answer is right and rises steeply where it is wrong. Beside it a table for "
        "target 1: four probabilities, their losses, and the slopes ds.",
        720,
        370,
    )
    axes = Axes(canvas, 60, 90, 280, 200, (0, 1), (0, 5))
    axes.ruled((0, 0.25, 0.5, 0.75, 1), (0, 1, 2, 3, 4, 5), "s", "loss ℓ of one pair")
    for target, look in ((1.0, "first"), (0.0, "second")):
        losses, _ = F.binary_cross_entropy(s, np.full(POINTS, target), reduction="none")
        axes.curve(s, losses, look)
    some, ones = np.array([0.99, 0.75, 0.5, 0.25, 0.01]), np.ones(5)
    losses, pullback = F.binary_cross_entropy(some, ones, reduction="none")
    (ds,) = pullback(ones)
    axes.dot(0.5, losses[2], "first-dot")
    tangent = np.array([0.25, 0.75])
    axes.curve(tangent, losses[2] + ds[2] * (tangent - 0.5), "rule")
    axes.word(0.5, losses[2], f"slope {number(ds[2])}", "ink small", "middle", (0, 24))
    axes.word(0.06, 3.6, "target 1: −log s", FIRST, "start", (4, 0))
    axes.word(0.95, 3.6, "target 0: −log(1 − s)", SECOND, "end", (-2, 24))
    rows = (("s", some), ("ℓ", losses), ("ds", ds))
    _table(canvas, 424, 130, rows, lambda at: "blue", 52, 2)
    canvas.text(424, 110, "target 1, one pair", "ink small", "start")
    return canvas


def with_logits() -> Canvas:
    """Draw loss and gradient of a wrong answer, through probabilities and through logits."""
    x = np.arange(0, 25, dtype=np.float32)
    target, ones = np.zeros_like(x), np.ones_like(x)
    probs, sigmoid_back = F.sigmoid(x)
    through, back = F.binary_cross_entropy(probs, target, reduction="none")
    (dthrough,) = sigmoid_back(back(ones)[0])
    losses, back = F.binary_cross_entropy_with_logits(x, target, reduction="none")
    (dlogits,) = back(ones)
    canvas = Canvas(
        "A certain and wrong answer, in float32",
        "Loss and gradient of one pair with target 0 against its logit, in float32. With logits "
        "the loss grows with the logit and the gradient stays 1. Through probabilities the loss "
        "jumps to 100 and the gradient falls to 0, because the sigmoid rounds to 1.",
        720,
        380,
    )
    loss_axes = Axes(canvas, 60, 90, 260, 200, (0, 24), (0, 100))
    loss_axes.ruled((0, 6, 12, 18, 24), (0, 25, 50, 75, 100), "logit", "loss")
    slope_axes = Axes(canvas, 420, 90, 260, 200, (0, 24), (0, 1))
    slope_axes.ruled((0, 6, 12, 18, 24), (0, 0.25, 0.5, 0.75, 1), "logit", "gradient in the logit")
    for axes, direct, other in ((loss_axes, losses, through), (slope_axes, dlogits, dthrough)):
        axes.curve(x, direct, "first")
        for step, value in zip(x.tolist(), other.tolist(), strict=True):
            axes.dot(step, value, "second-dot")
    canvas.line((60, 350), (96, 350), look="first")
    canvas.text(104, 355, "binary_cross_entropy_with_logits", FIRST, "start")
    canvas.dot(420, 350, "second-dot")
    canvas.text(432, 355, "sigmoid, then binary_cross_entropy", SECOND, "start")
    return canvas


def momentum() -> Canvas:
    """Draw the way of a weight under four gradients, with momentum and without."""
    gradients = (1.0, 1.0, -2.0, 0.0)
    canvas = Canvas(
        "SGD: with momentum, a weight goes on",
        "One weight begins at 1 and takes four steps, with the gradients 1, 1, minus 2 and 0. The "
        "learning rate is one half. Without momentum the last step leaves it where it is. With "
        "momentum one half it goes farther each time, and still moves in the last step.",
        720,
        370,
    )
    axes = Axes(canvas, 60, 90, 270, 200, (0, 4), (-0.5, 1.5))
    axes.ruled((0, 1, 2, 3, 4), (-0.5, 0, 0.5, 1, 1.5), "step τ", "weight θ")
    rows = [("dθ", np.array(gradients))]
    for mu, look in ((0.5, "first"), (0.0, "second")):
        theta = np.ones(1)
        optimizer = SGD({"theta": theta}, lr=0.5, momentum=mu)
        way = [theta.item()]
        for gradient in gradients:
            optimizer.step({"theta": np.array([gradient])})
            way.append(theta.item())
        axes.curve(np.arange(5.0), np.array(way), look)
        for step, value in enumerate(way):
            axes.dot(step, value, f"{look}-dot")
        rows.append((f"θ, μ = {mu:g}", np.array(way[1:])))
    _table(canvas, 470, 130, rows, lambda at: "plain", 54, 4)
    canvas.text(470, 118, "after steps 1 to 4", "ink small", "start")
    canvas.line((60, 346), (96, 346), look="first")
    canvas.text(104, 351, "with momentum μ = 0.5", FIRST, "start")
    canvas.line((300, 346), (336, 346), look="second")
    canvas.text(344, 351, "without, μ = 0", SECOND, "start")
    return canvas


def _table(
    canvas: Canvas,
    x: float,
    y: float,
    rows: Sequence[tuple[str, Array]],
    tint: Callable[[tuple[int, int]], str],
    size: float = 34,
    digits: int = 3,
) -> None:
    """Draw one-dimensional arrays as rows, their names before them."""
    for n, (name, values) in enumerate(rows):
        top = y + n * (size + 2)
        canvas.text(x - 12, top + size / 2 + 5, name, "ink", "end")
        canvas.grid(name, x, top, values[None], tint=tint, size=size, digits=digits)
