"""Hypothesis strategies: the shapes, options and seeds that things are tried with."""

from typing import Any

from hypothesis import strategies as st

from numpy_siamese.functional.fused import FEW_IMAGES
from parity_tests.machinery.declaration import Case, Shapes

SEEDS = st.integers(0, 2**32 - 1)
TORCH_SEEDS = st.integers(-(2**63), 2**64 - 1) | st.sampled_from([0, 1, 2**32, -(2**63), 2**64 - 1])
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


@st.composite
def pairwise_cases(draw: st.DrawFn) -> Case:
    """Draw two batches of embeddings, one of them sometimes empty, with a bias or without."""
    N, M, E = draw(st.integers(0, 5)), draw(st.integers(0, 5)), draw(st.integers(1, 6))
    shapes: Shapes = {"left": (N, E), "right": (M, E), "weight": (1, E)}
    if draw(st.booleans()):
        shapes["bias"] = (1,)
    return Case(shapes, {}, draw(SEEDS))


def n_pair_cases() -> st.SearchStrategy[Case]:
    """Draw logits of all pairs and their targets."""
    shape = st.tuples(st.integers(1, 5), st.integers(1, 5))
    return st.builds(
        lambda shape, seed: Case({"logits": shape, "target": shape}, {}, seed), shape, SEEDS
    )


@st.composite
def batch_norm_cases(draw: st.DrawFn) -> Case:
    """Draw batches of vectors and of images, in training of at least two numbers a channel."""
    N, C, size = draw(st.integers(1, 4)), draw(SMALL), draw(st.sampled_from([(), (3,), (2, 3)]))
    training = draw(st.booleans()) and (N, size) != (1, ())
    shapes: Shapes = {"x": (N, C, *size), "running_mean": (C,), "running_var": (C,)}
    shapes |= {name: (C,) for name in ("weight", "bias") if draw(st.booleans())}
    return Case(shapes, {"training": training}, draw(SEEDS))


RATE = st.sampled_from([0.0, 0.001, 0.1, 1.0]) | st.floats(1e-6, 2)


@st.composite
def sgd_options(draw: st.DrawFn) -> dict[str, Any]:
    """Draw every option of SGD, valid together."""
    nesterov = draw(st.booleans())
    return {
        "lr": draw(RATE),
        "momentum": draw(st.floats(0.01, 1)) if nesterov else draw(RATE),
        "dampening": 0.0 if nesterov else draw(RATE),
        "weight_decay": draw(RATE),
        "nesterov": nesterov,
        "maximize": draw(st.booleans()),
    }


SGD_CASES: dict[str, st.SearchStrategy[Any]] = {
    "kwargs": sgd_options(),
    "seed": SEEDS,
    "size": st.integers(0, 70),
    "without": st.integers(0, 5),
    "one_array": st.booleans(),
}

BETA = st.sampled_from([0.0, 0.5, 0.9, 0.999]) | st.floats(0.01, 0.9999)

ADAM_OPTIONS = st.fixed_dictionaries(
    {
        "lr": RATE,
        "betas": st.tuples(BETA, BETA),
        "eps": st.sampled_from([1e-8, 1e-3]),
        "weight_decay": RATE,
        "maximize": st.booleans(),
        "decoupled_weight_decay": st.booleans(),
    }
)


def groups_of(*settings: str) -> st.SearchStrategy[dict[str, dict[str, float]]]:
    """Draw settings of some parameters that differ from those of all others."""
    own = st.fixed_dictionaries({}, optional=dict.fromkeys(settings, RATE))
    return st.fixed_dictionaries({}, optional={"a": own, "b": own})


ADAM_CASES: dict[str, st.SearchStrategy[Any]] = {
    "kwargs": ADAM_OPTIONS,
    "groups": groups_of("lr", "weight_decay"),
    "seed": SEEDS,
    "vectors": st.integers(1, 4),
    "without": st.integers(0, 5),
    "one_array": st.booleans(),
}

GROUP_CASES: dict[str, st.SearchStrategy[Any]] = {
    "groups": groups_of("lr", "momentum", "weight_decay"),
    "seed": SEEDS,
    "one_array": st.booleans(),
}
