"""Pictures of the ways that gradients take: through the pooling, and through the twins."""

import numpy as np

from drawing.canvas import SIZE, WINDOWS, Canvas, Cell
from drawing.examples import BIAS, HEAD_BIAS, HEAD_WEIGHT, KERNEL, LEFT, RIGHT, TARGET
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


def twins() -> Canvas:
    """Draw how the gradients of the two twins meet in the gradient of the shared kernel."""
    maps = [conv_relu_pool(image, KERNEL, BIAS) for image in (LEFT, RIGHT)]
    embeddings = [y.reshape(1, 1) for y, _ in maps]
    distance, l1_distance = F.l1_distance(*embeddings)
    logit, linear = F.linear(distance, HEAD_WEIGHT, HEAD_BIAS)
    prob, sigmoid = F.sigmoid(logit)
    _, cross_entropy = F.binary_cross_entropy(prob, TARGET)
    (dprob,) = cross_entropy(1.0)
    (dlogit,) = sigmoid(dprob)
    dembeddings = l1_distance(linear(dlogit)[0])
    canvas = Canvas(
        "The twins: two gradients meet in one kernel",
        "Above the left twin, below the right one. In each image the window that won the pooling "
        "is in colour. The gradient of the embedding times this window is the twin's gradient of "
        "the kernel. Both twins have the same kernel, so its gradient is the sum of the two.",
        720,
        490,
    )
    shared, size, tops = np.zeros((3, 3)), 28.0, (100, 290)
    x0, x1, x2, x3 = 40, 200, 372, 572
    for name, image, top, (y, pullback), dembedding, color in zip(
        ("left", "right"), (LEFT, RIGHT), tops, maps, dembeddings, WINDOWS[:2], strict=True
    ):
        dimage, dweight, _ = pullback(dembedding.reshape(1, 1, 1, 1))
        shared += dweight[0, 0]
        rows, columns = np.nonzero(dimage[0, 0])
        won = {
            (rows.min() + i, columns.min() + j) for i in range(3) for j in range(3)
        }  # the kernel's corners are not 0, so neither are those of the winning window's gradient

        def tint(at: Cell, won: set = won, color: str = color) -> str:
            return color if at in won else "plain"

        middle = top + 2 * size
        canvas.grid(
            f"{name}-image", x0, top, image[0, 0], f"{name} image",
            tint=tint, faint=set(np.ndindex(4, 4)) - won, size=size,
        )  # fmt: skip
        canvas.text(x0 + 4 * size + 19, middle + 7, "×", "ink title")
        canvas.grid(
            f"{name}-dembedding", x1 - 14, middle - size / 2, dembedding, tint=color, size=size
        )
        canvas.text(x1, middle - size / 2 - 9, "d embedding", "ink small")
        canvas.text(x1, middle + size / 2 + 20, f"embedding {y.flat[0]:g}", "faint small")
        canvas.text(x1 + 4 * size - 16, middle + 7, "=", "ink title")
        canvas.grid(
            f"{name}-dweight", x2 - 3 * size / 2, middle - 3 * size / 2, dweight[0, 0],
            f"{name} twin’s dw", tint=color, size=size,
        )  # fmt: skip
    middle = (tops[0] + tops[1]) / 2 + 2 * size
    for top in tops:
        start = (x2 + 3 * size / 2 + 12, top + 2 * size)
        canvas.arrow(start, (x3 - 3 * size / 2 - 16, middle + (12 if top > middle else -12)))
    canvas.text(x3 - 3 * size / 2 - 62, middle + 7, "+", "ink title")
    canvas.grid(
        "dweight", x3 - 3 * size / 2, middle - 3 * size / 2, shared,
        "dw of the shared kernel", tint="green", size=size,
    )  # fmt: skip
    canvas.text(
        40, 460, "The distance passes dy to the larger embedding and −dy to the smaller one.",
        "ink small", "start",
    )  # fmt: skip
    return canvas
