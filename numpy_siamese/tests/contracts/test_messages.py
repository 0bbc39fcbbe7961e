"""What a refusal says: the argument, what was expected, what was found."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numpy_siamese import definitions
from numpy_siamese import functional as F
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.functional.fused import conv_relu_pool
from numpy_siamese.inference import embed_images
from numpy_siamese.initialization import linear_or_conv2d, manual_seed, uniform
from numpy_siamese.model import SiameseNet
from numpy_siamese.optim import SGD
from numpy_siamese.training import loss_and_gradients

half = np.full(3, 0.5)


def a(*shape: int) -> np.ndarray:
    """Return an array of a shape."""
    return np.full(shape, 0.5)


def anything(value: Any) -> Any:
    """Return a value that the type checker would refuse."""
    return value


def pullback_of(result: tuple) -> Callable[..., Any]:
    """Return the pullback of an operation's result."""
    return result[1]


def drawn(shape: tuple[int, ...], low: float, high: float) -> np.ndarray:
    """Return uniform numbers."""
    return uniform(manual_seed(0), shape, low, high, np.float32)


def weights(shape: tuple[int, ...], generator: Any = None) -> tuple[np.ndarray, ...]:
    """Return the weight and bias of a layer."""
    return linear_or_conv2d(manual_seed(0) if generator is None else generator, shape, np.float32)


def images(N: int) -> np.ndarray:
    """Return N black images."""
    return np.zeros((N, 1, 28, 28), np.float32)


def step(**changed: Any) -> Any:
    """Return the step of two black pairs, arguments changed."""
    arguments: dict[str, Any] = {"left": images(2), "right": images(2), "targets": a(2, 1)}
    return loss_and_gradients(SiameseNet(), **(arguments | changed))


def net_without(name: str, **changed: Any) -> Callable[[], None]:
    """Return a call that loads a state dict with an entry left out, others changed."""

    def load() -> None:
        net = SiameseNet()
        state = net.state_dict() | changed
        state.pop(name, None)
        net.load_state_dict(state)

    return load


MESSAGES: dict[tuple[str, ...], tuple[Callable[[], Any], type[Exception]]] = {
    # a layer as one operation
    ("x", "(N, C, H, W)", "(1, 4, 4)"): (
        lambda: conv_relu_pool(a(1, 4, 4), a(2, 1, 3, 3), a(2)),
        ValueError,
    ),
    ("x (1, 1, 3, 8)", "weight (2, 1, 3, 3)", "window"): (
        lambda: conv_relu_pool(a(1, 1, 3, 8), a(2, 1, 3, 3), a(2)),
        ValueError,
    ),
    ("x (1, 1, 8, 3)", "weight (2, 1, 3, 3)", "window"): (
        lambda: conv_relu_pool(a(1, 1, 8, 3), a(2, 1, 3, 3), a(2)),
        ValueError,
    ),
    ("bias", "(2,)", "(3,)"): (
        lambda: conv_relu_pool(a(1, 1, 8, 8), a(2, 1, 3, 3), a(3)),
        ValueError,
    ),
    # dtypes
    ("x", "float32", "float64", "int64"): (lambda: F.relu(np.arange(3)), TypeError),
    ("x", "numpy.ndarray", "list"): (lambda: F.relu(anything([1.0])), TypeError),
    ("weight", "float32", "x", "float64"): (
        lambda: F.linear(a(2, 3), a(4, 3).astype(np.float32)),
        TypeError,
    ),
    # shapes
    ("left (2,)", "right (3,)"): (
        lambda: F.l1_distance(a(2), a(3)),
        ValueError,
    ),
    ("weight (2,)", "broadcast", "(3,)"): (
        lambda: F.binary_cross_entropy(half, half, a(2)),
        ValueError,
    ),
    ("pos_weight (2, 3)", "broadcast", "(3,)"): (
        lambda: F.binary_cross_entropy_with_logits(half, half, None, a(2, 3)),
        ValueError,
    ),
    ("weight (4,)", "broadcast", "(3,)"): (
        lambda: F.binary_cross_entropy_with_logits(half, half, a(4)),
        ValueError,
    ),
    ("left (2, 1, 28, 28)", "right (3, 1, 28, 28)"): (
        lambda: SiameseNet(0, np.float64)(a(2, 1, 28, 28), a(3, 1, 28, 28)),
        ValueError,
    ),
    ("dy", "(3,)", "(2,)"): (
        lambda: pullback_of(F.relu(half))(a(2)),
        ValueError,
    ),
    ("reduction", "'none'", "'mean'", "'sum'", "'max'"): (
        lambda: F.binary_cross_entropy(half, half, reduction="max"),
        ValueError,
    ),
    ("probs", "[0, 1]"): (lambda: F.binary_cross_entropy(half * 3, half), ValueError),
    ("target", "[0, 1]"): (lambda: F.binary_cross_entropy(half, half * 3), ValueError),
    ("stride", "int", "pair of ints", "1.5"): (
        lambda: F.conv2d(a(1, 1, 3, 3), a(1, 1, 2, 2), stride=anything(1.5)),
        TypeError,
    ),
    ("dilation", "int", "pair of ints", "(1, 1, 1)"): (
        lambda: F.conv2d(a(1, 1, 3, 3), a(1, 1, 2, 2), dilation=(1, 1, 1)),
        ValueError,
    ),
    ("stride", "at least 1", "(1, 0)"): (
        lambda: F.conv2d(a(1, 1, 3, 3), a(1, 1, 2, 2), stride=(1, 0)),
        ValueError,
    ),
    ("padding", "at least 0", "-1"): (
        lambda: F.conv2d(a(1, 1, 3, 3), a(1, 1, 2, 2), padding=-1),
        ValueError,
    ),
    ("x", "(C, H, W)", "(N, C, H, W)", "(3, 3)"): (
        lambda: F.conv2d(a(3, 3), a(1, 1, 2, 2)),
        ValueError,
    ),
    ("weight", "(O, C/groups, K, K)", "(1, 2, 2)"): (
        lambda: F.conv2d(a(1, 3, 3), a(1, 2, 2)),
        ValueError,
    ),
    ("groups", "positive", "divide", "3", "2"): (
        lambda: F.conv2d(a(2, 3, 3), a(3, 1, 2, 2), groups=2),
        ValueError,
    ),
    ("x", "2 channels", "weight (3, 1, 2, 2)", "groups=1", "1"): (
        lambda: F.conv2d(a(2, 3, 3), a(3, 1, 2, 2)),
        ValueError,
    ),
    ("bias", "(3,)", "(2,)"): (
        lambda: F.conv2d(a(1, 3, 3), a(3, 1, 2, 2), a(2)),
        ValueError,
    ),
    ("padding='same'", "stride 1", "(2, 2)"): (
        lambda: F.conv2d(a(1, 3, 3), a(3, 1, 2, 2), stride=2, padding="same"),
        ValueError,
    ),
    ("padding", "ints", "'same'", "'valid'", "'full'"): (
        lambda: F.conv2d(a(1, 3, 3), a(3, 1, 2, 2), padding="full"),
        ValueError,
    ),
    ("kernel (2, 2)", "dilation (3, 3)", "input (3, 3)"): (
        lambda: F.conv2d(a(1, 3, 3), a(3, 1, 2, 2), dilation=3),
        ValueError,
    ),
    ("padding", "at most half", "kernel_size (3, 3)", "(2, 2)"): (
        lambda: F.max_pool2d(a(1, 5, 5), 3, padding=2),
        ValueError,
    ),
    ("kernel_size (3, 3)", "dilation (1, 1)", "x (1, 1, 2, 2)"): (
        lambda: F.max_pool2d(a(1, 2, 2), 3),
        ValueError,
    ),
    ("weight", "(O, I)", "(I,)", "(1, 4, 3)"): (
        lambda: F.linear(a(2, 3), a(1, 4, 3)),
        ValueError,
    ),
    ("x", "(..., 5)", "(2, 3)"): (lambda: F.linear(a(2, 3), a(4, 5)), ValueError),
    ("bias", "(4,)", "(3,)"): (lambda: F.linear(a(2, 3), a(4, 3), a(3)), ValueError),
    # network
    ("images", "(N, 1, 28, 28)", "(2, 1, 14, 14)"): (
        lambda: SiameseNet(0, np.float64).embed(a(2, 1, 14, 14)),
        ValueError,
    ),
    ("left", "(N, 84)", "(2, 83)"): (
        lambda: SiameseNet(0, np.float64).compare(a(2, 83), a(2, 83)),
        ValueError,
    ),
    ("left", "(N, 84)", "(84,)"): (
        lambda: SiameseNet(0, np.float64).compare(a(84), a(84)),
        ValueError,
    ),
    ("left", "float32", "float64"): (
        lambda: SiameseNet().compare(a(2, 84), a(2, 84)),
        TypeError,
    ),
    ("dembedding", "(2, 84)", "(84,)"): (
        lambda: SiameseNet().net(images(2))[1](np.ones(84, np.float32)),
        ValueError,
    ),
    ("dprobs", "float32", "float64"): (
        lambda: SiameseNet()(images(2), images(2))[1](a(2, 1)),
        TypeError,
    ),
    ("dtype", "numpy.float32", "numpy.float64", "<class 'int'>"): (
        lambda: SiameseNet(dtype=anything(int)),
        TypeError,
    ),
    ("missing ['fc1.bias']", "unexpected ['a']"): (net_without("fc1.bias", a=a(1)), KeyError),
    ("missing ['net.fc2.bias']", "unexpected []"): (net_without("net.fc2.bias"), KeyError),
    ("missing []", "unexpected ['b']"): (net_without("", b=a(1)), KeyError),
    ("fc1.weight", "(1, 84)", "(84,)"): (
        net_without("", **{"fc1.weight": np.ones(84, np.float32)}),
        ValueError,
    ),
    ("fc1.weight", "float32", "float64"): (
        net_without("", **{"fc1.weight": np.ones((1, 84))}),
        TypeError,
    ),
    # optimiser
    ("lr", "finite", "inf"): (lambda: SGD({}, np.inf), ValueError),
    ("momentum", "finite", "nan"): (lambda: SGD({}, 1, np.nan), ValueError),
    ("weight_decay", "finite", "inf"): (lambda: SGD({}, 1, weight_decay=np.inf), ValueError),
    ("parameters", "map names to arrays", "list"): (lambda: SGD(anything([]), 1), TypeError),
    ("dampening", "finite", "int"): (lambda: SGD({}, 1, dampening=10**400), ValueError),
    ("parameters['b']", "written"): (
        lambda: SGD({"b": anything(np.float32(1))}, 1),
        ValueError,
    ),
    ("parameters['c']", "numpy.ndarray", "list"): (
        lambda: SGD({"b": a(2), "c": anything([1.0])}, 1),
        TypeError,
    ),
    ("lr", "at least 0", "-1.0"): (lambda: SGD({}, -1), ValueError),
    ("momentum", "at least 0", "-2.0"): (lambda: SGD({}, 1, -2), ValueError),
    ("weight_decay", "at least 0", "-3.0"): (lambda: SGD({}, 1, 0, 0, -3), ValueError),
    ("nesterov", "momentum above 0", "dampening of 0"): (
        lambda: SGD({}, 1, nesterov=True),
        ValueError,
    ),
    ("parameter", "'b'"): (lambda: SGD({"a": a(2)}, 1).step({"b": a(2)}), KeyError),
    ("grads['a']", "(2,)", "(3,)"): (
        lambda: SGD({"a": a(2)}, 1).step({"a": a(3)}),
        ValueError,
    ),
    ("grads['a']", "float64", "float32"): (
        lambda: SGD({"a": a(2)}, 1).step({"a": a(2).astype(np.float32)}),
        TypeError,
    ),
    # seeds and pairs
    ("seed", "[-2**63, 2**64)", "18446744073709551616"): (lambda: manual_seed(2**64), ValueError),
    ("seed", "int", "0.5"): (lambda: manual_seed(anything(0.5)), TypeError),
    ("generator", "RandomState", "list"): (lambda: weights((2, 2), anything([])), TypeError),
    ("shape", "tuple of ints", "float"): (lambda: drawn(anything(0.5), -1.0, 1.0), TypeError),
    ("low", "finite", "nan"): (lambda: drawn((2,), np.nan, 1.0), ValueError),
    ("high", "finite", "inf"): (lambda: drawn((2,), 0.0, np.inf), ValueError),
    ("weight_shape", "at least 0", "-2"): (lambda: weights((3, -2)), ValueError),
    ("batch_size", "at least 2", "1"): (
        lambda: PairSampler(np.arange(4), 1, 0),
        ValueError,
    ),
    ("split", "train", "validation", "test", "'dev'"): (
        lambda: PairSampler(np.arange(4), 2, 0, "dev"),
        ValueError,
    ),
    ("at least two classes", "1"): (lambda: PairSampler(np.zeros(4), 2, 0), ValueError),
    ("class 7", "1 image", "2"): (
        lambda: PairSampler(np.array([3, 3, 7]), 2, 0, allow_self_pairs=False),
        ValueError,
    ),
    ("labels", "one axis", "(4, 1)"): (
        lambda: PairSampler(np.arange(4)[:, None], 2, 0),
        ValueError,
    ),
    # the step
    ("left", "(N, 1, 28, 28)", "(2, 28, 28)"): (
        lambda: step(left=images(2)[:, 0]),
        ValueError,
    ),
    ("left", "(N, 1, 28, 28)", "()"): (lambda: step(left=np.float32(1)), ValueError),
    ("net", "SiameseNet", "NumPy", "None"): (
        lambda: embed_images(anything(None), a(1)),
        TypeError,
    ),
    ("micro_batch", "at least 1", "0"): (
        lambda: step(micro_batch=0),
        ValueError,
    ),
    ("threads", "at least 1", "0"): (
        lambda: step(threads=0),
        ValueError,
    ),
    ("targets", "real numbers", "complex64"): (
        lambda: step(targets=1j * np.zeros((2, 1), np.float32)),
        TypeError,
    ),
    ("N > 0 pairs", "targets (N, 1)", "0", "(0, 1)"): (
        lambda: step(left=images(0), right=images(0), targets=a(0, 1)),
        ValueError,
    ),
    ("N > 0 pairs", "targets (N, 1)", "2", "(2,)"): (
        lambda: step(targets=a(2)),
        ValueError,
    ),
}


@pytest.mark.parametrize("parts", MESSAGES, ids=" ".join)
def test_message(parts: tuple[str, ...]) -> None:
    """A message that names the wrong thing, or nothing: the argument, what is asked, what came."""
    call, kind = MESSAGES[parts]
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    (message,) = caught.value.args
    assert message[0].islower()
    assert re.search(".*".join(rf"(?<!\w){re.escape(part)}(?!\w)" for part in parts), message)


DEFINITIONS: dict[str, Callable[[], Any]] = {
    "x has 3 channels": lambda: definitions.conv2d(a(1, 3, 4, 4), a(2, 2, 3, 3)),
    "x must be": lambda: definitions.linear(a(2, 5), a(3, 4)),
    "right (5,)": lambda: definitions.l1_distance(a(3), a(5)),
    "target (5,)": lambda: definitions.binary_cross_entropy(a(3), a(5)),
    "probs must lie": lambda: definitions.binary_cross_entropy(4 * a(3), a(3)),
    "target (4,)": lambda: definitions.binary_cross_entropy_with_logits(a(3), a(4)),
    "reduction": lambda: definitions.binary_cross_entropy(a(3), a(3), reduction="max"),
}


@pytest.mark.parametrize("words", DEFINITIONS)
def test_a_definition_refuses_what_does_not_fit(words: str) -> None:
    """Loops over one array leave out what another one has beyond it."""
    with pytest.raises(ValueError, match=re.escape(words)):
        DEFINITIONS[words]()


def test_a_missing_gradient_hides_no_bad_one() -> None:
    """None for one parameter ends the check of those that follow."""
    with pytest.raises(KeyError):
        SGD({"a": a(2), "b": a(2)}, 1).step({"a": None, "c": a(2)})
