"""Numbers that are no arrays: seeds, counts, rates, shapes; what is none is refused by name."""

from typing import Any, cast

import numpy as np
import pytest

from numpy_siamese import initialization
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.inference import embed_images
from numpy_siamese.initialization import linear_or_conv2d, manual_seed, normal, uniform
from numpy_siamese.model import SiameseNet
from numpy_siamese.optim import SGD
from numpy_siamese.tests.contracts.arguments import DIGITS, NET, a
from numpy_siamese.tests.contracts.impostors import refusal
from numpy_siamese.training import loss_and_gradients

SAMPLER = PairSampler(DIGITS.labels, 4, 0)


def step(**changed: Any) -> Any:
    """Return the step of a pair."""
    image = np.zeros((1, 1, 28, 28), np.float32)
    return loss_and_gradients(NET, image, image, [[1]], **changed)


def draw(**changed: Any) -> Any:
    """Return uniform numbers."""
    arguments: dict[str, Any] = {"shape": (2,), "low": 0, "high": 1, "dtype": np.float32}
    return uniform(**({"generator": manual_seed(0)} | arguments | changed))


def sampler(**changed: Any) -> PairSampler:
    """Return a sampler of two images."""
    return PairSampler([0, 1], 2, 0, **changed)


INTEGERS: dict[str, tuple[Any, int]] = {
    "batch_size": (lambda v: PairSampler(DIGITS.labels, v, 0), 2),
    "seed": (lambda v: PairSampler(DIGITS.labels, 4, v), -5),
    "seed ": (manual_seed, -5),
    "seed  ": (SiameseNet, -5),
    "epoch": (lambda v: SAMPLER.batch(v, 0), 0),
    "k": (lambda v: SAMPLER.batch(0, v), 0),
    "threads": (lambda v: step(threads=v), 1),
    "micro_batch": (lambda v: step(micro_batch=v), 1),
    "threads ": (lambda v: embed_images(NET, DIGITS.images, v), 1),
    "micro_batch ": (lambda v: embed_images(NET, DIGITS.images, micro_batch=v), 1),
    "shape": (lambda v: draw(shape=(v,)), 0),
    "weight_shape": (lambda v: linear_or_conv2d(manual_seed(0), (v, 2), np.float32), 0),
}
"""Calls with one integer, by its name, and the least that it may be."""

MAY_BE_NONE = ("threads", "threads ", "micro_batch", "micro_batch ")


@pytest.mark.parametrize("name", INTEGERS)
def test_an_integer_is_an_int_of_python_or_numpy(name):
    """Broken otherwise: 100.0 pairs, seed None or epoch −1 draw something, or fail far inside."""
    call, least = INTEGERS[name]
    for value in (least, np.int64(least), np.array(least), np.int8(least)):
        call(value)
    for value in (float(least), "1", None, True, np.True_, [1], np.array([1]), 1j):
        if value is not None or name not in MAY_BE_NONE:
            assert refusal(lambda v=value: call(v), TypeError, name.strip(), "int") is None, value


@pytest.mark.parametrize("name", [name for name, (_, least) in INTEGERS.items() if least >= 0])
def test_an_integer_has_its_bounds(name):
    """Broken otherwise: a negative epoch, or one past the counter, is another epoch's stream."""
    call, least = INTEGERS[name]
    assert refusal(lambda: call(least - 1), ValueError, name.strip(), str(least - 1)) is None
    if name in ("epoch", "k"):
        call(2**63 - 1)
        assert refusal(lambda: call(2**63), ValueError, name, "2**63") is None


def test_equal_seeds_of_any_type_draw_the_same():
    """Broken otherwise: NumPy's integers overflow, or seed another stream than Python's."""
    for seed in (7, np.int64(7), np.uint8(7), 7 + 2**128):
        of_seed = PairSampler(list(DIGITS.labels), np.int16(4), seed)
        expected = PairSampler(DIGITS.labels, 4, 7).batch(3, 1)
        for found, right in zip(of_seed.batch(np.uint8(3), np.int64(1)), expected, strict=True):
            np.testing.assert_array_equal(found, right, strict=True)
    words = manual_seed(7).bytes(8)
    assert manual_seed(np.uint64(7)).bytes(8) == manual_seed(7 + 2**32).bytes(8) == words


@pytest.mark.parametrize("name", ["lr", "momentum", "dampening", "weight_decay"])
@pytest.mark.parametrize(
    ("value", "kind"),
    [
        *((value, TypeError) for value in ("0.1", None, 1j, [0.1], a(1), True, np.True_)),
        *((value, ValueError) for value in (np.nan, np.inf, -np.inf, 10**400)),
    ],
    ids=repr,
)
def test_a_rate_is_a_finite_number(name, value, kind):
    """Broken otherwise: a rate of NaN spoils every weight at the first step."""
    kwargs: dict[str, Any] = {"lr": 0.1, "momentum": 0.9, name: value}
    assert refusal(lambda: SGD({"a": a(2)}, **kwargs), kind, name) is None


@pytest.mark.parametrize(
    "dtype", [None, "float32", int, float, np.float16, np.longdouble, ">f4", 0]
)
def test_a_dtype_is_float32_or_float64(dtype):
    """Broken otherwise: None is float64, and half precision is computed in without a word."""
    given = np.dtype(dtype) if dtype == ">f4" else dtype
    for call in (
        lambda: SiameseNet(0, given),
        lambda: draw(dtype=given),
        lambda: linear_or_conv2d(manual_seed(0), (1, 2), given),
    ):
        assert refusal(call, TypeError, "dtype must be numpy.float32 or numpy.float64") is None
    assert draw(dtype=np.dtype(np.float64)).dtype == np.float64


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: draw(shape=3), TypeError, "shape"),
        (lambda: draw(low=None), TypeError, "low"),
        (lambda: draw(high=np.inf), ValueError, "high"),
        (lambda: draw(generator=None), TypeError, "generator"),
        (lambda: normal(cast(Any, None), (2,), 0, 1, np.float32), TypeError, "generator"),
        (lambda: normal(manual_seed(0), (2,), np.nan, 1, np.float32), ValueError, "mean"),
        (lambda: normal(manual_seed(0), (2,), 0, np.inf, np.float32), ValueError, "std"),
        (lambda: draw(generator=np.random.default_rng()), TypeError, "generator"),
        (lambda: linear_or_conv2d(manual_seed(0), (2, 0), np.float32), ValueError, "weight_shape"),
        (lambda: sampler(split=None), ValueError, "split"),
        (lambda: sampler(split=["train"]), ValueError, "split"),
        (lambda: sampler(allow_self_pairs="no"), TypeError, "allow_self_pairs"),
    ],
)
def test_what_is_left_is_refused_by_name(call, kind, words):
    """Broken otherwise: a wrong option fails far inside, or means another one."""
    assert refusal(call, kind, words) is None


def test_a_generator_of_torchs_words_is_needed():
    """Broken otherwise: another generator gives other weights than torch's."""
    assert initialization.uniform(np.random.RandomState(0), [2], 0, 1, np.float32).shape == (2,)
