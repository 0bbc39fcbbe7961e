"""Edge semantics as a table: each row is a case where implementations like to differ."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as TF

from numpy_siamese import functional as F
from parity_tests.machinery.error_bounds import same_bits

Array = np.ndarray

inf, nan = np.inf, np.nan


def image(*rows: list[float]) -> Array:
    """Return rows as an image (1, 1, H, W)."""
    return np.array([[rows]], dtype=np.float64)


CONV2D = {
    "'same' with an even kernel: the odd zero comes last": ((4, 5), (2, 2), {"padding": "same"}),
    "'same' with an even dilated kernel": ((5, 6), (2, 2), {"padding": "same", "dilation": 3}),
    "a stride that leaves a row and a column over": ((6, 6), (3, 3), {"stride": 2}),
    "the kernel is the whole image": ((4, 3), (4, 3), {}),
    "padding wider than the image": ((1, 1), (3, 3), {"padding": 4}),
    "dilation": ((7, 7), (3, 3), {"dilation": 3}),
    "one for rows, one for columns": (
        (6, 9),
        (2, 3),
        {"stride": (1, 2), "padding": (0, 2), "dilation": (2, 1)},
    ),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)
@pytest.mark.parametrize("row", CONV2D)
def test_conv2d(row: str, dtype: type) -> None:
    """Where the windows lie is torch's: values and gradients are exact on integers."""
    size, kernel, options = CONV2D[row]
    rng = np.random.default_rng(1)
    x, weight = (rng.integers(1, 5, s).astype(dtype) for s in ((2, 1, *size), (2, 1, *kernel)))
    y, pullback = F.conv2d(x, weight, **options)
    tensors = [torch.tensor(a, requires_grad=True) for a in (x, weight)]
    expected = TF.conv2d(*tensors, **options)
    assert y.shape == expected.shape
    dy = rng.integers(1, 5, y.shape).astype(dtype)
    expected.backward(torch.tensor(dy))
    dx, dweight, _ = pullback(dy)
    assert same_bits(y, expected.detach().numpy()).all()
    assert same_bits(dx, tensors[0].grad.numpy()).all()
    assert same_bits(dweight, tensors[1].grad.numpy()).all()


MAX_POOL2D = {
    "all equal: the first wins": (image([1, 1], [1, 1]), {}),
    "a tie in a row: the left wins": (image([2, 2], [1, 1]), {}),
    "a tie in a column: the upper wins": (image([2, 1], [2, 1]), {}),
    "a tie on the diagonal: the upper right wins": (image([1, 2], [2, 1]), {}),
    "a tie on the other diagonal: the upper left wins": (image([2, 1], [1, 2]), {}),
    "one NaN wins": (image([1, nan], [5, 3]), {}),
    "the last NaN wins": (image([nan, 1], [nan, 3]), {}),
    "NaN first, numbers after": (image([nan, 1], [5, 3]), {}),
    "NaN in different places of different windows": (
        image([nan, 1, 1, 2, 1, nan], [2, 3, 3, nan, 4, 9]),
        {},
    ),
    "NaN in one window of three": (image([1, nan, 1, 2, 4, 3], [2, 3, 3, 4, 1, 2]), {}),
    "a window of −∞ gives its first index": (image([-inf, -inf], [-inf, -inf]), {}),
    "−∞ and padding": (image([-inf, -inf], [-inf, -inf]), {"padding": 1}),
    "−∞ and padding, with gaps": (
        image([-inf] * 3, [-inf] * 3, [-inf] * 3),
        {"padding": 1, "dilation": 2},
    ),
    "+∞ ties": (image([inf, inf], [1, inf]), {}),
    "NaN beats +∞": (image([inf, nan], [inf, 1]), {}),
    "−0 before +0: −0 wins": (image([-0.0, 0.0], [-1, -1]), {}),
    "+0 before −0: +0 wins": (image([0.0, -0.0], [-1, -1]), {}),
    "subnormals are told apart": (image([5e-324, 1e-323], [0, 5e-324]), {}),
    "windows that floor division drops": (image([1, 2, 9], [3, 4, 9], [9, 9, 9]), {}),
    "windows that ceil_mode adds": (image([1, 2, 9], [3, 4, 8], [7, 6, 5]), {"ceil_mode": True}),
    "a window that ceil_mode would start outside": (
        image([1, 2, 9], [3, 4, 8], [7, 6, 5]),
        {"ceil_mode": True, "stride": 3},
    ),
    "overlapping windows share a winner": (
        image([1, 2, 1], [2, 9, 2], [1, 2, 1]),
        {"stride": 1},
    ),
    "padding is −∞, not zero": (image([-3, -2], [-4, -1]), {"padding": 1, "stride": 1}),
    "dilation": (image([1, 8, 2], [8, 8, 8], [3, 8, 3]), {"dilation": 2}),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)
@pytest.mark.parametrize("row", MAX_POOL2D)
def test_max_pool2d(row: str, dtype: type) -> None:
    """Values and gradients are torch's, also in windows with ties, NaN and infinities."""
    with np.errstate(under="ignore"):
        x = MAX_POOL2D[row][0].astype(dtype)
    options = MAX_POOL2D[row][1]
    y, pullback = F.max_pool2d(x, 2, **options)
    tensor = torch.tensor(x, requires_grad=True)
    expected = TF.max_pool2d(tensor, 2, **options)
    assert y.shape == expected.shape
    dy = 1 + np.arange(y.size, dtype=dtype).reshape(y.shape)
    expected.backward(torch.tensor(dy))
    assert same_bits(y, expected.detach().numpy()).all()
    assert same_bits(pullback(dy)[0], tensor.grad.numpy()).all()


SPECIAL = [0.0, -0.0, 1.0, -1.0, inf, -inf, nan, 1e-40, -1e-40, 5e-324, 100.0, -100.0, 1e5, -1e5]

UNARY: dict[str, tuple[Callable[..., Any], Callable[..., torch.Tensor]]] = {
    "relu": (F.relu, TF.relu),
    "abs": (
        lambda x: _first(F.l1_distance(x, np.zeros_like(x))),
        lambda x: torch.abs(x - torch.zeros_like(x)),
    ),
}


def _first(result: tuple[Array, Callable[..., Any]]) -> tuple[Array, Callable[..., Any]]:
    y, pullback = result
    return y, lambda dy: pullback(dy)[:1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)
@pytest.mark.parametrize("value", SPECIAL, ids=repr)
@pytest.mark.parametrize("name", UNARY)
def test_relu_and_abs(name: str, value: float, dtype: type) -> None:
    """At 0, −0, NaN, infinities and subnormals the value and the slope are torch's."""
    ours, theirs = UNARY[name]
    x = np.full(40, value, dtype)  # long enough for vectorised loops
    y, pullback = ours(x)
    tensor = torch.tensor(x, requires_grad=True)
    expected = theirs(tensor)
    expected.backward(torch.full((40,), 3.0, dtype=tensor.dtype))
    assert same_bits(y, expected.detach().numpy()).all()
    assert same_bits(pullback(np.full(40, 3, dtype))[0], tensor.grad.numpy()).all()


@pytest.mark.parametrize("cotangent", [inf, -inf, nan])
def test_a_masked_gradient_stays_zero(cotangent: float) -> None:
    """Where ReLU or max-pool stop a gradient, an infinite one leaves no NaN: 0·∞ is not formed."""
    x = image([-1, 2], [-3, 1])
    for ours, theirs in (
        (F.relu, TF.relu),
        (lambda x: F.max_pool2d(x, 2), lambda x: TF.max_pool2d(x, 2)),
    ):
        y, pullback = ours(x)
        dy = np.full(y.shape, cotangent)
        tensor = torch.tensor(x, requires_grad=True)
        theirs(tensor).backward(torch.tensor(dy))
        assert same_bits(pullback(dy)[0], tensor.grad.numpy()).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)
@pytest.mark.parametrize("value", [inf, -inf, nan, 1e5, -1e5, 255.0 * 784, -255.0 * 784, 0.0])
def test_sigmoid_saturates(value: float, dtype: type) -> None:
    """Far out the sigmoid is exactly 0 or 1 with slope 0, and it keeps a NaN, without a warning."""
    y, pullback = F.sigmoid(np.full(3, value, dtype))
    tensor = torch.full((3,), value, dtype=getattr(torch, dtype.__name__), requires_grad=True)
    expected = torch.sigmoid(tensor)
    expected.sum().backward()
    assert same_bits(y, expected.detach().numpy()).all()
    assert same_bits(pullback(np.ones(3, dtype))[0], tensor.grad.numpy()).all()


@pytest.mark.parametrize(
    ("dtype", "last", "first"), [(np.float32, -88.7, -88.8), (np.float64, -709.7, -709.8)]
)
def test_sigmoid_ends_where_its_exponential_overflows(
    dtype: type, last: float, first: float
) -> None:
    """The smallest results are torch's: positive to the left of the overflow, 0 beyond it."""
    x = np.array([last, first], dtype)
    y, _ = F.sigmoid(x)
    expected = torch.sigmoid(torch.tensor(x)).numpy()
    assert y[0] > 0
    assert expected[0] > 0
    assert same_bits(y[1], expected[1])
    assert y[1] == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)
def test_sigmoid_slope_is_torchs(dtype: type) -> None:
    """From the same y and dy, dy (1 − y) y in this order gives torch's bits."""
    rng = np.random.default_rng(0)
    y, pullback = F.sigmoid((10 * rng.standard_normal(1000)).astype(dtype))
    dy = rng.standard_normal(1000).astype(dtype)
    expected = torch.ops.aten.sigmoid_backward(torch.tensor(dy), torch.tensor(y))
    assert same_bits(pullback(dy)[0], expected.numpy()).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)
@pytest.mark.parametrize("target", [0.0, 1.0])
@pytest.mark.parametrize("prob", [0.0, 1.0])
def test_cross_entropy_at_the_ends(prob: float, target: float, dtype: type) -> None:
    """p = 0 or 1: the logarithm is clamped at −100, the slope's denominator at 10⁻¹²."""
    probs, targets = np.array([prob, 0.5], dtype), np.array([target, 1], dtype)
    loss, pullback = F.binary_cross_entropy(probs, targets, reduction="none")
    tensor = torch.tensor(probs, requires_grad=True)
    expected = TF.binary_cross_entropy(tensor, torch.tensor(targets), reduction="none")
    expected.backward(torch.ones_like(expected))
    assert loss[0] == expected[0].item() == (0 if prob == target else 100)
    assert same_bits(pullback(np.ones(2, dtype))[0], tensor.grad.numpy()).all()


@pytest.mark.parametrize("bad", [-1e-6, 1 + 1e-6, nan, inf])
@pytest.mark.parametrize("name", ["probs", "target"])
def test_cross_entropy_refuses_what_is_no_probability(name: str, bad: float) -> None:
    """A number outside [0, 1], or NaN, raises in both packages."""
    arguments = {"probs": np.array([0.5, 0.5]), "target": np.array([0.0, 1.0])}
    arguments[name][1] = bad
    with pytest.raises(ValueError, match=name):
        F.binary_cross_entropy(**arguments)
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        TF.binary_cross_entropy(*(torch.tensor(a) for a in arguments.values()))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_losses_of_nothing(reduction: str) -> None:
    """The mean over an empty batch is NaN, its sum 0, as in torch."""
    empty = np.empty((0, 1), np.float32)
    for ours, theirs in (
        (F.binary_cross_entropy, TF.binary_cross_entropy),
        (F.binary_cross_entropy_with_logits, TF.binary_cross_entropy_with_logits),
    ):
        loss, pullback = ours(empty, empty, reduction=reduction)
        expected = theirs(torch.tensor(empty), torch.tensor(empty), reduction=reduction)
        assert same_bits(loss, expected.numpy()).all()
        assert pullback(np.ones_like(loss))[0].shape == (0, 1)


SHAPES = {
    "conv2d: channels": (lambda f, a: f.conv2d(a(1, 3, 5, 5), a(2, 2, 3, 3)), "channels"),
    "conv2d: kernel too large": (lambda f, a: f.conv2d(a(1, 1, 2, 5), a(1, 1, 3, 3)), "kernel"),
    "conv2d: bias": (lambda f, a: f.conv2d(a(1, 1, 5, 5), a(2, 1, 3, 3), a(3)), "bias"),
    "conv2d: two axes": (lambda f, a: f.conv2d(a(5, 5), a(1, 1, 3, 3)), "x must"),
    "conv2d: stride 0": (lambda f, a: f.conv2d(a(1, 1, 5, 5), a(1, 1, 3, 3), stride=0), "stride"),
    "conv2d: padding −1": (
        lambda f, a: f.conv2d(a(1, 1, 5, 5), a(1, 1, 3, 3), padding=-1),
        "padding",
    ),
    "conv2d: dilation 0": (
        lambda f, a: f.conv2d(a(1, 1, 5, 5), a(1, 1, 3, 3), dilation=0),
        "dilation",
    ),
    "conv2d: groups 0": (lambda f, a: f.conv2d(a(1, 1, 5, 5), a(1, 1, 3, 3), groups=0), "groups"),
    "conv2d: groups do not divide": (
        lambda f, a: f.conv2d(a(1, 4, 5, 5), a(3, 2, 3, 3), groups=2),
        "groups",
    ),
    "conv2d: same with a stride": (
        lambda f, a: f.conv2d(a(1, 1, 5, 5), a(1, 1, 3, 3), stride=2, padding="same"),
        "same",
    ),
    "conv2d: unknown padding": (
        lambda f, a: f.conv2d(a(1, 1, 5, 5), a(1, 1, 3, 3), padding="full"),
        "padding",
    ),
    "conv2d: three strides": (
        lambda f, a: f.conv2d(a(1, 1, 5, 5), a(1, 1, 3, 3), stride=(1, 1, 1)),
        "stride",
    ),
    "conv2d: empty image": (lambda f, a: f.conv2d(a(1, 1, 0, 5), a(1, 1, 3, 3)), "x must"),
    "max_pool2d: padding above half": (
        lambda f, a: f.max_pool2d(a(1, 1, 5, 5), 3, padding=2),
        "padding",
    ),
    "max_pool2d: kernel too large": (lambda f, a: f.max_pool2d(a(1, 1, 2, 2), 3), "kernel_size"),
    "max_pool2d: kernel 0": (lambda f, a: f.max_pool2d(a(1, 1, 2, 2), 0), "kernel_size"),
    "max_pool2d: stride 0": (lambda f, a: f.max_pool2d(a(1, 1, 2, 2), 2, 0), "stride"),
    "max_pool2d: two axes": (lambda f, a: f.max_pool2d(a(2, 2), 2), "x must"),
    "linear: inputs": (lambda f, a: f.linear(a(2, 3), a(4, 5)), "x must"),
    "linear: bias": (lambda f, a: f.linear(a(2, 3), a(4, 3), a(3)), "bias"),
    "linear: weight of three axes": (lambda f, a: f.linear(a(2, 3), a(1, 4, 3)), "weight"),
    "cross-entropy: shapes": (lambda f, a: f.binary_cross_entropy(a(3), a(3, 1)), "one shape"),
    "cross-entropy: weight": (
        lambda f, a: f.binary_cross_entropy(a(3), a(3), a(2)),
        "weight",
    ),
    "cross-entropy: reduction": (
        lambda f, a: f.binary_cross_entropy(a(3), a(3), reduction="max"),
        "reduction",
    ),
    "with logits: shapes": (
        lambda f, a: f.binary_cross_entropy_with_logits(a(3), a(3, 1)),
        "one shape",
    ),
    "with logits: pos_weight": (
        lambda f, a: f.binary_cross_entropy_with_logits(a(3), a(3), pos_weight=a(2)),
        "pos_weight",
    ),
}


@pytest.mark.parametrize("row", SHAPES)
def test_shapes_that_do_not_fit(row: str) -> None:
    """What torch refuses is refused, with a ValueError that names the argument."""
    call, match = SHAPES[row]
    with pytest.raises(ValueError, match=match):
        call(F, lambda *shape: np.full(shape, 0.5))
    with pytest.raises((RuntimeError, ValueError)):
        call(TF, lambda *shape: torch.full(shape, 0.5))
