"""The graded table: each operation declared once, for `test_operations` to put to the test.

A declaration names the shapes and options that an operation is tried with, the NumPy and the torch
function, and for each quantity (the output `y`, and the gradient of each differentiable argument)
its grade on float data: None for exact, or the number n of rounded operations.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch.nn import functional as TF

from parity_tests.machinery import all_pairs, conv_relu_pool, normalization
from parity_tests.machinery.declaration import Case, Count, Operation
from parity_tests.machinery.error_bounds import LIBRARY_ERROR
from parity_tests.machinery.random_arrays import probabilities, spread_logits
from parity_tests.machinery.strategies import (
    batch_norm_cases,
    conv2d_cases,
    conv_relu_pool_cases,
    elementwise_cases,
    linear_cases,
    loss_cases,
    max_pool2d_cases,
    n_pair_cases,
    pairwise_cases,
)
from torch_siamese.functional import n_pair_loss, pairwise_l1_logits

Array = np.ndarray

# ------------------------------------------------------------------------------ counts and gauges


def size(shape: tuple[int, ...]) -> int:
    """Return the number of elements of a shape."""
    return int(np.prod(shape, dtype=np.int64))


def conv2d_dx_count(case: Case, y: tuple[int, ...]) -> int:
    """Return O/groups·KH·KW."""
    O, _, KH, KW = case.shapes["weight"]
    return O // case.options.get("groups", 1) * KH * KW


def conv2d_dweight_count(case: Case, y: tuple[int, ...]) -> int:
    """Return N·P·Q, 1 for an empty batch."""
    return max(1, size(y) // case.shapes["weight"][0])


def rows(case: Case, y: tuple[int, ...]) -> int:
    """Return the rows of a linear map's input, 1 for none."""
    return max(1, size(case.shapes["x"][:-1]))


def reduced(case: Case, n: int) -> int:
    """Return n for a term, and the additions and the division of a reduction."""
    return (
        n
        if case.options.get("reduction", "mean") == "none"
        else n + size(next(iter(case.shapes.values())))
    )


def of_pairs(case: Case, y: tuple[int, ...]) -> int:
    """Return N·M, 1 for none."""
    return max(1, size(y))


def of_channel(case: Case, y: tuple[int, ...]) -> int:
    """Return the numbers R of each channel."""
    return size(y) // y[1]


def absolute_sigmoid(quantity: str, arrays: dict[str, Array], dy: Array, options: Any) -> Array:
    """G of sigmoid: its value, positive itself; and dy (1 − y) y on absolute values."""
    y = 1 / (1 + np.exp(-arrays["x"]))
    return y if quantity == "y" else abs(dy) * (1 + y) * y


def reduce_gauge(losses: Array, options: Any) -> Array:
    """Reduce the gauge of the terms as the losses are reduced."""
    return {"none": losses, "sum": losses.sum(), "mean": losses.sum() / max(1, losses.size)}[
        options.get("reduction", "mean")
    ]


def share(terms: Array, options: Any) -> float:
    """Return what one term counts for in the reduced loss: 1/N in a mean, else 1."""
    return 1 / max(1, terms.size) if options.get("reduction", "mean") == "mean" else 1


def bce_gauge(quantity: str, arrays: dict[str, Array], dy: Array, options: Any) -> Array:
    """G of the cross-entropy, |w| (|t| |log p| + |1 − t| |log(1 − p)|), and of its gradient."""
    p, t = arrays["probs"], arrays["target"]
    weight = abs(arrays.get("weight", np.float64(1)))
    if quantity == "dprobs":
        return weight * abs(dy) * abs(p - t) / np.maximum(p * (1 - p), 1e-12) * share(p, options)
    with np.errstate(divide="ignore"):
        log_p, log_q = np.maximum(np.log(p), -100), np.maximum(np.log1p(-p), -100)
    return reduce_gauge(weight * (t * abs(log_p) + (1 - t) * abs(log_q)), options)


def logits_gauge(quantity: str, arrays: dict[str, Array], dy: Array, options: Any) -> Array:
    """G of the cross-entropy with logits, its formula on absolute values; targets are positive."""
    x, t = arrays["logits"], arrays["target"]
    weight = abs(arrays.get("weight", np.float64(1)))
    positive = abs(arrays.get("pos_weight", np.float64(1)))
    if quantity == "y":
        log_sigmoid = np.maximum(-x, 0) + np.log1p(np.exp(-abs(x)))
        factor = abs(arrays.get("pos_weight", np.float64(1)) - 1) * t + 1
        return reduce_gauge(weight * ((1 - t) * abs(x) + factor * log_sigmoid), options)
    probs = 1 / (1 + np.exp(-x))
    return weight * abs(dy) * ((positive * t + 1 + t) * probs + positive * t) * share(x, options)


# ------------------------------------------------------------------------------ the table


CONV2D_COUNTS: Mapping[str, Count] = {
    "y": lambda case, y: size(case.shapes["weight"][1:]) + 1,
    "dx": conv2d_dx_count,
    "dweight": conv2d_dweight_count,
    "dbias": conv2d_dweight_count,
}

OPERATIONS = [
    Operation(
        "conv2d",
        lambda x, weight, bias=None, **options: TF.conv2d(x, weight, bias, **options),
        conv2d_cases(),
        ("x", "weight", "bias"),
        counts=CONV2D_COUNTS,
        multiplies=True,
    ),
    Operation(
        "max_pool2d",
        lambda x, **options: TF.max_pool2d(x, **options),
        max_pool2d_cases(),
        ("x",),
    ),
    Operation(
        "linear",
        lambda x, weight, bias=None: TF.linear(x, weight, bias),
        linear_cases(),
        ("x", "weight", "bias"),
        counts={
            "y": lambda case, y: case.shapes["x"][-1] + 1,
            "dx": lambda case, y: size(case.shapes["weight"][:-1]),
            "dweight": rows,
            "dbias": rows,
        },
        multiplies=True,
    ),
    Operation(
        "conv_relu_pool",
        lambda x, weight, bias: TF.max_pool2d(TF.relu(TF.conv2d(x, weight, bias)), 2),
        conv_relu_pool_cases(),
        ("x", "weight", "bias"),
        # windows do not overlap: at most one phase of each has a gradient, the other terms are 0
        counts=CONV2D_COUNTS,
        gauge=conv_relu_pool.gauge,
        multiplies=True,
        undecided=conv_relu_pool.undecided,
    ),
    Operation("relu", lambda x: TF.relu(x), elementwise_cases("x"), ("x",)),
    Operation(
        "sigmoid",
        lambda x: torch.sigmoid(x),
        elementwise_cases("x"),
        ("x",),
        # e⁻ˣ, the sum and the quotient; then 1 − y, which carries y's error, and two products
        counts={
            "y": lambda case, y: LIBRARY_ERROR + 2,
            "dx": lambda case, y: 2 * LIBRARY_ERROR + 7,
        },
        gauge=absolute_sigmoid,
        draw=lambda rng, name, shape: 10 * rng.standard_normal(shape),
        exact_on_integers=False,
    ),
    Operation(
        "l1_distance",
        lambda left, right: torch.abs(left - right),
        elementwise_cases("left", "right"),
        ("left", "right"),
    ),
    Operation(
        "batch_norm",
        lambda x, running_mean, running_var, weight=None, bias=None, **options: TF.batch_norm(
            x, running_mean.clone(), running_var.clone(), weight, bias, **options
        ),
        batch_norm_cases(),
        ("x", "weight", "bias"),
        # a mean: R; s: R + 1 of the variance, halved by the root, and ε, root, quotient; then the
        # difference, w · s, the product, + b and 1 of second order: so that no term has over R + 8
        counts={
            "y": lambda case, y: of_channel(case, y) + 8,
            # a mean, a sum of R, s, and two products
            "dweight": lambda case, y: 2 * of_channel(case, y) + 8,
            "dbias": of_channel,
            # c twice and a sum: 3 R; s, three times, at most R + 8 each; eight products and sums
            "dx": lambda case, y: 6 * of_channel(case, y) + 32,
        },
        gauge=normalization.gauge,
        draw=normalization.statistics,
        exact_on_integers=False,
    ),
    Operation(
        "pairwise_l1_logits",
        pairwise_l1_logits,
        pairwise_cases(),
        ("left", "right", "weight", "bias"),
        # a difference, its product with w, the sum over e and the bias; the sign is exact
        counts={
            "y": lambda case, y: case.shapes["left"][1] + 2,
            "dleft": lambda case, y: max(1, y[1]),
            "dright": lambda case, y: max(1, y[0]),
            "dweight": lambda case, y: of_pairs(case, y) + 1,
            "dbias": of_pairs,
        },
        gauge=all_pairs.pairwise_gauge,
        multiplies=True,
    ),
    Operation(
        "n_pair_loss",
        n_pair_loss,
        n_pair_cases(),
        ("logits",),
        counts={
            # K is N or M, whichever is larger. In z: exp, a sum of K, and two; or log and two. In
            # log(1 + e^z): exp, log1p, the sum. So both have at most 2 lib + K. The mean of K, the
            # sum of both, and 1 of second order
            "y": lambda case, y: 2 * LIBRARY_ERROR + 2 * max(case.shapes["logits"]) + 2,
            # the sigmoid: lib + 2; a share: exp, and exp, a sum of K and the quotient; 1/N, the
            # product, the sum of both, dy, and 1 of second order
            "dlogits": lambda case, y: 3 * LIBRARY_ERROR + max(case.shapes["logits"]) + 7,
        },
        gauge=all_pairs.n_pair_gauge,
        draw=all_pairs.partners,
        exact_on_integers=False,
    ),
    Operation(
        "binary_cross_entropy",
        lambda probs, target, **options: TF.binary_cross_entropy(probs, target, **options),
        loss_cases(("probs", "target"), ("weight",)),
        ("probs",),
        # a logarithm; t − 1, a product, the difference and the weight
        counts={"y": lambda case, y: reduced(case, LIBRARY_ERROR + 4)},
        # CUDA multiplies by 1/N, the CPU divides by N: p − t, 1 − p, its product with p, 1e-12, the
        # quotient, dy, the weight, 1/N and its product
        counts_on_cuda={"dprobs": lambda case, y: 9},
        gauge=bce_gauge,
        draw=probabilities,
        exact_on_integers=False,
    ),
    Operation(
        "binary_cross_entropy_with_logits",
        lambda logits, target, **options: TF.binary_cross_entropy_with_logits(
            logits, target, **options
        ),
        loss_cases(("logits", "target"), ("weight", "pos_weight")),
        ("logits",),
        counts={
            # exp, then log1p (which does not magnify it), and the difference; (v − 1) t + 1 and its
            # product: 4; (1 − t) x: 2; the difference; the weight
            "y": lambda case, y: reduced(case, 2 * LIBRARY_ERROR + 9),
            # sigmoid; v t + 1 − t: 3, the product, the difference, dy, the weight and 1/N
            "dlogits": lambda case, y: LIBRARY_ERROR + 2 + 8,
        },
        gauge=logits_gauge,
        draw=spread_logits,
        exact_on_integers=False,
    ),
]

BY_NAME = {operation.name: operation for operation in OPERATIONS}
