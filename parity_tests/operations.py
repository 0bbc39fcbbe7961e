"""The graded table: each operation declared once, for `test_operations` to put to the test.

A declaration names the shapes and options that an operation is tried with, the NumPy and the torch
function, and for each quantity (the output `y`, and the gradient of each differentiable argument)
its grade on float data: None for exact, or the number n of rounded operations.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from torch.nn import functional as TF

from numpy_siamese import functional as F
from numpy_siamese.functional._operation import Pullback
from numpy_siamese.functional.fused import FEW_IMAGES
from parity_tests import pooled
from parity_tests.bounds import LIBRARY_ERROR

Array = np.ndarray
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Case:
    """Shapes of the array arguments, the other arguments, and the seed of the data."""

    shapes: Shapes
    options: dict[str, Any] = field(default_factory=dict)
    seed: int = 0


Count = Callable[[Case, tuple[int, ...]], int]
Gauge = Callable[..., Array]
Draw = Callable[[np.random.Generator, str, tuple[int, ...]], Array]


def floats(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Draw normal numbers of scale 1."""
    return rng.standard_normal(shape)


def integers(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Draw integers −3..3: sums of their products are exact."""
    return rng.integers(-3, 4, shape).astype(np.float64)


def unit_interval(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw numbers in [0, 1]: uniform, the ends themselves, and numbers close to the ends."""
    kind = rng.integers(0, 6, shape)
    near = rng.uniform(1, 2, shape) * 2.0 ** -rng.integers(2, 24, shape)
    values = [rng.uniform(size=shape), np.zeros(shape), np.ones(shape), near, 1 - near]
    return np.choose(np.maximum(kind - 1, 0), values)


def spread_logits(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Draw logits of scale 10, targets in [0, 1], weights below 2."""
    if name == "logits":
        return 10 * rng.standard_normal(shape)
    return unit_interval(rng, shape) if name == "target" else 2 * rng.uniform(size=shape)


def probabilities(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Draw probabilities and targets in [0, 1], weights and cotangents of scale 1."""
    return unit_interval(rng, shape) if name in ("probs", "target") else floats(rng, name, shape)


@dataclass(frozen=True)
class Operation:
    """One operation and its claims.

    Parameters
    ----------
    name : str
        Its name in `functional` and `definitions`.
    torch : callable
        The oracle, of tensors under the NumPy function's argument names.
    cases : strategy of Case
    differentiable : names of the arguments that the pullback gives gradients for
    counts : quantity → (case, shape of y) → n, for what is bounded; the rest is exact
    gauge : (quantity, float64 arrays, cotangent, options) → G
        Default: the operation and its gradients on absolute values, right for multilinear ones.
    draw : (rng, argument, shape) → float data
    exact_on_integers : whether every quantity is exact on small integers
    multiplies : whether it is made of sums of products, whose factors tensor cores may round
    undecided : (arrays, relative error of a product's factors) → mask like y
        Where rounding decides which way the gradient goes, so that it may go either way.
    module : where its NumPy function stands
    """

    name: str
    torch: Callable[..., torch.Tensor]
    cases: st.SearchStrategy[Case]
    differentiable: tuple[str, ...]
    counts: Mapping[str, Count] = field(default_factory=dict)
    gauge: Gauge | None = None
    draw: Draw = floats
    exact_on_integers: bool = True
    multiplies: bool = False
    undecided: Callable[[dict[str, Array], float], Array] | None = None

    @property
    def numpy(self) -> Callable[..., tuple[Array, Pullback]]:
        """Return the NumPy function, looked up when it is called."""
        return getattr(F, self.name)


# ------------------------------------------------------------------------------ cases


SEEDS = st.integers(0, 2**32 - 1)
SMALL = st.integers(1, 3)
ANY_SHAPE = st.lists(st.integers(0, 4), max_size=3).map(tuple)


def int_or_pair(least: int, most: int) -> st.SearchStrategy[int | tuple[int, int]]:
    """Draw an int or a pair of ints."""
    one = st.integers(least, most)
    return one | st.tuples(one, one)


def as_pair(value: int | tuple[int, int]) -> tuple[int, int]:
    """Return an int twice, a pair as it is."""
    return (value, value) if isinstance(value, int) else value


@st.composite
def conv2d_cases(draw: st.DrawFn) -> Case:
    """Draw convolutions with every argument, batched or not, the batch sometimes empty."""
    groups = draw(st.integers(1, 3))
    C_group, O_group = draw(SMALL), draw(SMALL)
    kernel = draw(st.tuples(SMALL, SMALL))
    dilation = draw(int_or_pair(1, 2))
    padding = draw(int_or_pair(0, 2) | st.sampled_from(["same", "valid"]))
    stride = 1 if padding == "same" else draw(int_or_pair(1, 3))
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, as_pair(dilation), strict=True)]
    size = tuple(span + draw(st.integers(0, 5)) for span in spans)
    batch = draw(st.sampled_from([(), (0,), (1,), (2,), (5,)]))
    shapes: Shapes = {
        "x": (*batch, groups * C_group, *size),
        "weight": (groups * O_group, C_group, *kernel),
    }
    if draw(st.booleans()):
        shapes["bias"] = (groups * O_group,)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return Case(shapes, options, draw(SEEDS))


@st.composite
def conv_relu_pool_cases(draw: st.DrawFn) -> Case:
    """Draw layers of any kernel with at least one window to pool, odd sizes among them."""
    O, C, kernel = draw(SMALL), draw(SMALL), draw(st.tuples(SMALL, SMALL))
    rows, columns = (k + 1 + draw(st.integers(0, 5)) for k in kernel)
    N = draw(st.sampled_from([0, 1, 2, FEW_IMAGES + 1, FEW_IMAGES + 2]))
    shapes: Shapes = {"x": (N, C, rows, columns), "weight": (O, C, *kernel), "bias": (O,)}
    return Case(shapes, {}, draw(SEEDS))


@st.composite
def max_pool2d_cases(draw: st.DrawFn) -> Case:
    """Draw poolings with every argument, windows overlapping or apart."""
    kernel = draw(int_or_pair(1, 3))
    dilation = draw(int_or_pair(1, 2))
    spans = [(k - 1) * d + 1 for k, d in zip(as_pair(kernel), as_pair(dilation), strict=True)]
    padding = draw(st.tuples(*(st.integers(0, k // 2) for k in as_pair(kernel))))
    size = tuple(span + draw(st.integers(0, 6)) for span in spans)
    batch = draw(st.sampled_from([(), (0,), (1,), (3,)]))
    options = {
        "kernel_size": kernel,
        "stride": draw(st.none() | int_or_pair(1, 3)),
        "padding": padding,
        "dilation": dilation,
        "ceil_mode": draw(st.booleans()),
    }
    return Case({"x": (*batch, draw(SMALL), *size)}, options, draw(SEEDS))


@st.composite
def linear_cases(draw: st.DrawFn) -> Case:
    """Draw linear maps of any leading axes, with a weight of one or two axes."""
    leading, inputs = draw(ANY_SHAPE), draw(st.integers(1, 40))
    outputs = draw(st.sampled_from([(), (1,), (2,), (7,)]))
    shapes: Shapes = {"x": (*leading, inputs), "weight": (*outputs, inputs)}
    # torch cannot add a scalar bias to a matrix times a vector, but can with other leading axes
    if draw(st.booleans()) and (outputs or len(leading) != 1):
        shapes["bias"] = outputs
    return Case(shapes, {}, draw(SEEDS))


def elementwise_cases(*names: str) -> st.SearchStrategy[Case]:
    """Draw arguments of one shape."""
    return st.builds(
        lambda shape, seed: Case(dict.fromkeys(names, shape), {}, seed), ANY_SHAPE, SEEDS
    )


@st.composite
def loss_cases(draw: st.DrawFn, names: tuple[str, str], weights: tuple[str, ...]) -> Case:
    """Draw losses with every reduction, and weights that broadcast."""
    shape = draw(st.lists(st.integers(1, 4), max_size=3).map(tuple))
    shapes: Shapes = dict.fromkeys(names, shape)
    for weight in weights:
        if draw(st.booleans()):
            kept = draw(st.integers(0, len(shape)))
            shapes[weight] = tuple(
                length if draw(st.booleans()) else 1 for length in shape[len(shape) - kept :]
            )
    reduction = draw(st.sampled_from(["mean", "sum", "none"]))
    return Case(shapes, {"reduction": reduction}, draw(SEEDS))


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


def absolute_sigmoid(quantity: str, arrays: dict[str, Array], dy: Array, options: Any) -> Array:
    """G of sigmoid: its value, positive itself; and dy (1 − y) y on absolute values."""
    y = 1 / (1 + np.exp(-arrays["x"]))
    return y if quantity == "y" else abs(dy) * (1 + y) * y


def reduce_gauge(losses: Array, options: Any) -> Array:
    """Reduce the gauge of the terms as the losses are reduced."""
    return {"none": losses, "sum": losses.sum(), "mean": losses.sum() / max(1, losses.size)}[
        options.get("reduction", "mean")
    ]


def bce_gauge(quantity: str, arrays: dict[str, Array], dy: Array, options: Any) -> Array:
    """G of the cross-entropy: |w| (|t| |log p| + |1 − t| |log(1 − p)|)."""
    p, t = arrays["probs"], arrays["target"]
    with np.errstate(divide="ignore"):
        log_p, log_q = np.maximum(np.log(p), -100), np.maximum(np.log1p(-p), -100)
    weight = abs(arrays.get("weight", np.float64(1)))
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
    mean = 1 / max(1, x.size) if options.get("reduction", "mean") == "mean" else 1
    return weight * abs(dy) * ((positive * t + 1 + t) * probs + positive * t) * mean


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
        gauge=pooled.gauge,
        multiplies=True,
        undecided=pooled.undecided,
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
        "binary_cross_entropy",
        lambda probs, target, **options: TF.binary_cross_entropy(probs, target, **options),
        loss_cases(("probs", "target"), ("weight",)),
        ("probs",),
        # a logarithm; t − 1, a product, the difference and the weight
        counts={"y": lambda case, y: reduced(case, LIBRARY_ERROR + 4)},
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
