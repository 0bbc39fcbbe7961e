"""Pictures of the twins: their two gradients meet in the shared weights."""

import numpy as np

from drawing.canvas import SIZE, WINDOWS, Canvas, Cell
from drawing.examples import BIAS, HEAD_BIAS, HEAD_WEIGHT, KERNEL, LEFT, RIGHT, TARGET
from numpy_siamese import functional as F
from numpy_siamese.functional.fused import conv_relu_pool

WEIGHT = np.array([[2.0, 1]])
IMAGES = (np.array([[1.0, 2]]), np.array([[3.0, -1]]))


def two_weights() -> Canvas:
    """Draw the smallest twins: two pixels, two weights, the distance as the loss."""
    (left, left_twin), (right, right_twin) = (F.linear(x, WEIGHT) for x in IMAGES)
    distance, l1_distance = F.l1_distance(left, right)
    dembeddings = l1_distance(np.ones((1, 1)))
    canvas = Canvas(
        "The twins: what is shared gets two gradients, and their sum",
        "Forward, two images of two pixels go through the same two weights. They become two "
        "embeddings and a distance. Backward, each embedding gets a gradient. Times its image it "
        "is a gradient of the weights. The gradient of the shared weights is the sum of both.",
        750,
        330,
    )
    xs, tops = (40, 150, 262, 350, 420, 510, 640), (96, 216)
    middle = (sum(tops) + SIZE) / 2
    total = np.zeros((1, 2))
    pairs = zip(("left", "right"), IMAGES, (left, right), dembeddings, strict=True)
    for n, (side, x, z, dz) in enumerate(pairs):
        prime, top, color = "′" * n, tops[n], WINDOWS[n]
        _, dweight, _ = (left_twin, right_twin)[n](dz)
        total += dweight
        line = top + SIZE / 2
        canvas.grid(f"{side}-image", xs[0], top, x, f"x{prime}", tint=color)
        canvas.arrow((xs[0] + 68, line), (xs[1] - 8, line))
        canvas.grid(f"{side}-weight", xs[1], top, WEIGHT, "θ", tint="green")
        canvas.arrow((xs[1] + 68, line), (xs[2] - 8, line))
        canvas.grid(f"{side}-embedding", xs[2], top, z, f"z{prime}", tint=color)
        turn = 12 if top < middle else -12
        canvas.arrow((xs[2] + 38, line), (xs[3] - 8, middle - turn))
        canvas.arrow((xs[3] + 38, middle - turn), (xs[4] - 8, line))
        canvas.grid(f"{side}-dembedding", xs[4], top, dz, f"dz{prime}", tint=color)
        canvas.text(xs[4] + 58, line + 5, f"· x{prime} =")
        canvas.grid(f"{side}-dweight", xs[5], top, dweight, f"dθ{prime}", tint=color)
        canvas.arrow((xs[5] + 68, line), (xs[6] - 8, middle - turn))
    canvas.grid("distance", xs[3], middle - SIZE / 2, distance)
    canvas.text(xs[3] + SIZE / 2, middle + SIZE / 2 + 40, "|z − z′|")
    canvas.grid("dweight", xs[6], middle - SIZE / 2, total, "dθ + dθ′", tint="green")
    canvas.text(190, 296, "forward: one θ, copied to both twins", "faint small")
    canvas.text(560, 296, "backward: the two gradients are added", "faint small")
    return canvas


def whole_network() -> Canvas:
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
