"""What a refusal says: the argument, what was found, what was expected, word for word."""

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
from numpy_siamese.initialization import manual_seed
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


MESSAGES: dict[str, tuple[Callable[[], Any], type[Exception]]] = {
    # a layer as one operation
    "x must be (N, C, H, W), got shape (1, 4, 4)": (
        lambda: conv_relu_pool(a(1, 4, 4), a(2, 1, 3, 3), a(2)),
        ValueError,
    ),
    "x (1, 1, 3, 8) and weight (2, 1, 3, 3) leave no window to pool": (
        lambda: conv_relu_pool(a(1, 1, 3, 8), a(2, 1, 3, 3), a(2)),
        ValueError,
    ),
    "x (1, 1, 8, 3) and weight (2, 1, 3, 3) leave no window to pool": (
        lambda: conv_relu_pool(a(1, 1, 8, 3), a(2, 1, 3, 3), a(2)),
        ValueError,
    ),
    "bias must have shape (2,), got (3,)": (
        lambda: conv_relu_pool(a(1, 1, 8, 8), a(2, 1, 3, 3), a(3)),
        ValueError,
    ),
    # dtypes
    "x must be a float32 or float64 array, got int64": (lambda: F.relu(np.arange(3)), TypeError),
    "x must be a numpy.ndarray, got list": (lambda: F.relu(anything([1.0])), TypeError),
    "weight is float32, but x is float64: one dtype for all": (
        lambda: F.linear(a(2, 3), a(4, 3).astype(np.float32)),
        TypeError,
    ),
    # shapes
    "expected one shape for all, got left (2,), right (3,)": (
        lambda: F.l1_distance(a(2), a(3)),
        ValueError,
    ),
    "weight (2,) does not broadcast to (3,)": (
        lambda: F.binary_cross_entropy(half, half, a(2)),
        ValueError,
    ),
    "pos_weight (2, 3) does not broadcast to (3,)": (
        lambda: F.binary_cross_entropy_with_logits(half, half, None, a(2, 3)),
        ValueError,
    ),
    "weight (4,) does not broadcast to (3,)": (
        lambda: F.binary_cross_entropy_with_logits(half, half, a(4)),
        ValueError,
    ),
    "expected one shape for all, got left (2, 1, 28, 28), right (3, 1, 28, 28)": (
        lambda: SiameseNet(0, np.float64)(a(2, 1, 28, 28), a(3, 1, 28, 28)),
        ValueError,
    ),
    "dy must have the output's shape (3,), got (2,)": (
        lambda: pullback_of(F.relu(half))(a(2)),
        ValueError,
    ),
    "reduction must be 'none', 'mean' or 'sum', got 'max'": (
        lambda: F.binary_cross_entropy(half, half, reduction="max"),
        ValueError,
    ),
    "probs must lie in [0, 1]": (lambda: F.binary_cross_entropy(half * 3, half), ValueError),
    "target must lie in [0, 1]": (lambda: F.binary_cross_entropy(half, half * 3), ValueError),
    "stride must be an int or a pair of ints, got 1.5": (
        lambda: F.conv2d(a(1, 1, 3, 3), a(1, 1, 2, 2), stride=anything(1.5)),
        TypeError,
    ),
    "dilation must be an int or a pair of ints, got (1, 1, 1)": (
        lambda: F.conv2d(a(1, 1, 3, 3), a(1, 1, 2, 2), dilation=(1, 1, 1)),
        ValueError,
    ),
    "stride must be at least 1, got (1, 0)": (
        lambda: F.conv2d(a(1, 1, 3, 3), a(1, 1, 2, 2), stride=(1, 0)),
        ValueError,
    ),
    "padding must be at least 0, got -1": (
        lambda: F.conv2d(a(1, 1, 3, 3), a(1, 1, 2, 2), padding=-1),
        ValueError,
    ),
    "x must be a non-empty (C, H, W) or (N, C, H, W), got shape (3, 3)": (
        lambda: F.conv2d(a(3, 3), a(1, 1, 2, 2)),
        ValueError,
    ),
    "weight must be a non-empty (O, C/groups, K, K), got (1, 2, 2)": (
        lambda: F.conv2d(a(1, 3, 3), a(1, 2, 2)),
        ValueError,
    ),
    "groups must be positive and divide the 3 output channels, got 2": (
        lambda: F.conv2d(a(2, 3, 3), a(3, 1, 2, 2), groups=2),
        ValueError,
    ),
    "x has 2 channels, but weight (3, 1, 2, 2) with groups=1 expects 1": (
        lambda: F.conv2d(a(2, 3, 3), a(3, 1, 2, 2)),
        ValueError,
    ),
    "bias must have shape (3,), got (2,)": (
        lambda: F.conv2d(a(1, 3, 3), a(3, 1, 2, 2), a(2)),
        ValueError,
    ),
    "padding='same' needs stride 1, got (2, 2)": (
        lambda: F.conv2d(a(1, 3, 3), a(3, 1, 2, 2), stride=2, padding="same"),
        ValueError,
    ),
    "padding must be ints, 'same' or 'valid', got 'full'": (
        lambda: F.conv2d(a(1, 3, 3), a(3, 1, 2, 2), padding="full"),
        ValueError,
    ),
    "kernel (2, 2) with dilation (3, 3) does not fit the padded input (3, 3)": (
        lambda: F.conv2d(a(1, 3, 3), a(3, 1, 2, 2), dilation=3),
        ValueError,
    ),
    "padding must be at most half of kernel_size (3, 3), got (2, 2)": (
        lambda: F.max_pool2d(a(1, 5, 5), 3, padding=2),
        ValueError,
    ),
    "kernel_size (3, 3) with dilation (1, 1) does not fit x (1, 1, 2, 2)": (
        lambda: F.max_pool2d(a(1, 2, 2), 3),
        ValueError,
    ),
    "weight must be (O, I) or (I,), got shape (1, 4, 3)": (
        lambda: F.linear(a(2, 3), a(1, 4, 3)),
        ValueError,
    ),
    "x must be (..., 5), got shape (2, 3)": (lambda: F.linear(a(2, 3), a(4, 5)), ValueError),
    "bias must have shape (4,), got (3,)": (lambda: F.linear(a(2, 3), a(4, 3), a(3)), ValueError),
    # network
    "images must be (N, 1, 28, 28), got (2, 1, 14, 14)": (
        lambda: SiameseNet(0, np.float64).embed(a(2, 1, 14, 14)),
        ValueError,
    ),
    "left must be (N, 84), got (2, 83)": (
        lambda: SiameseNet(0, np.float64).compare(a(2, 83), a(2, 83)),
        ValueError,
    ),
    "left must be (N, 84), got (84,)": (
        lambda: SiameseNet(0, np.float64).compare(a(84), a(84)),
        ValueError,
    ),
    "left must be float32 as the network is, got float64": (
        lambda: SiameseNet().compare(a(2, 84), a(2, 84)),
        TypeError,
    ),
    "dembedding must have the output's shape (2, 84), got (84,)": (
        lambda: SiameseNet().net(images(2))[1](np.ones(84, np.float32)),
        ValueError,
    ),
    "dprobs must be float32 as the output is, got float64": (
        lambda: SiameseNet()(images(2), images(2))[1](a(2, 1)),
        TypeError,
    ),
    "dtype must be numpy.float32 or numpy.float64, got <class 'int'>": (
        lambda: SiameseNet(dtype=anything(int)),
        TypeError,
    ),
    "missing ['fc1.bias'], unexpected ['a']": (net_without("fc1.bias", a=a(1)), KeyError),
    "missing ['net.fc2.bias'], unexpected []": (net_without("net.fc2.bias"), KeyError),
    "missing [], unexpected ['b']": (net_without("", b=a(1)), KeyError),
    "fc1.weight must have shape (1, 84), got (84,)": (
        net_without("", **{"fc1.weight": np.ones(84, np.float32)}),
        ValueError,
    ),
    "fc1.weight must be float32, got float64": (
        net_without("", **{"fc1.weight": np.ones((1, 84))}),
        TypeError,
    ),
    # optimiser
    "lr must be finite, got inf": (lambda: SGD({}, np.inf), ValueError),
    "dampening must be finite, got an int too large for a float": (
        lambda: SGD({}, 1, dampening=10**400),
        ValueError,
    ),
    "parameters['b'] cannot be written to": (
        lambda: SGD({"b": anything(np.float32(1))}, 1),
        ValueError,
    ),
    "parameters['c'] must be a numpy.ndarray, got list": (
        lambda: SGD({"b": a(2), "c": anything([1.0])}, 1),
        TypeError,
    ),
    "lr must be at least 0, got -1.0": (lambda: SGD({}, -1), ValueError),
    "momentum must be at least 0, got -2.0": (lambda: SGD({}, 1, -2), ValueError),
    "weight_decay must be at least 0, got -3.0": (lambda: SGD({}, 1, 0, 0, -3), ValueError),
    "nesterov needs a momentum above 0 and a dampening of 0": (
        lambda: SGD({}, 1, nesterov=True),
        ValueError,
    ),
    "no parameter named 'b'": (lambda: SGD({"a": a(2)}, 1).step({"b": a(2)}), KeyError),
    "grads['a'] must have shape (2,), got (3,)": (
        lambda: SGD({"a": a(2)}, 1).step({"a": a(3)}),
        ValueError,
    ),
    "grads['a'] must be float64, got float32": (
        lambda: SGD({"a": a(2)}, 1).step({"a": a(2).astype(np.float32)}),
        TypeError,
    ),
    # seeds and pairs
    "seed must lie in [-2**63, 2**64), got 18446744073709551616": (
        lambda: manual_seed(2**64),
        ValueError,
    ),
    "batch_size must be at least 2 (one pair of each kind), got 1": (
        lambda: PairSampler(np.arange(4), 1, 0),
        ValueError,
    ),
    "split must be one of train, validation, test, got 'dev'": (
        lambda: PairSampler(np.arange(4), 2, 0, "dev"),
        ValueError,
    ),
    "pairs need at least two classes, got 1": (lambda: PairSampler(np.zeros(4), 2, 0), ValueError),
    "class 7 has 1 image, but a pair without itself needs 2": (
        lambda: PairSampler(np.array([3, 3, 7]), 2, 0, allow_self_pairs=False),
        ValueError,
    ),
    "labels must have one axis, got shape (4, 1)": (
        lambda: PairSampler(np.arange(4)[:, None], 2, 0),
        ValueError,
    ),
    # the step
    "left must be (N, 1, 28, 28), got (2, 28, 28)": (
        lambda: step(left=images(2)[:, 0]),
        ValueError,
    ),
    "left must be (N, 1, 28, 28), got ()": (lambda: step(left=np.float32(1)), ValueError),
    "net must be a SiameseNet of NumPy, got None": (
        lambda: embed_images(anything(None), a(1)),
        TypeError,
    ),
    "micro_batch must be at least 1, got 0": (
        lambda: step(micro_batch=0),
        ValueError,
    ),
    "threads must be at least 1, got 0": (
        lambda: step(threads=0),
        ValueError,
    ),
    "targets must be real numbers, got complex64": (
        lambda: step(targets=1j * np.zeros((2, 1), np.float32)),
        TypeError,
    ),
    "expected N > 0 pairs and targets (N, 1), got 0 and (0, 1)": (
        lambda: step(left=images(0), right=images(0), targets=a(0, 1)),
        ValueError,
    ),
    "expected N > 0 pairs and targets (N, 1), got 2 and (2,)": (
        lambda: step(targets=a(2)),
        ValueError,
    ),
}


@pytest.mark.parametrize("message", MESSAGES)
def test_message(message: str) -> None:
    """A message that names the wrong thing, or nothing."""
    call, kind = MESSAGES[message]
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.args == (message,)


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
