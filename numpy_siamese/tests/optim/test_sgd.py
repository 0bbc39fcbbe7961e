"""SGD over parameters that are parts of one array: the same bits as over each for itself."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numpy_siamese import _fma
from numpy_siamese.optim import SGD
from numpy_siamese.optim import optimizer as base
from numpy_siamese.optim._flat import shared_buffer

Arrays = dict[str, np.ndarray]

SHAPES = {"a": (3, 4), "b": (), "c": (5,), "d": (1, 2)}

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)


def drawn(seed: int, dtype: type) -> Arrays:
    """Draw arrays of their own."""
    rng = np.random.default_rng(seed)
    return {n: np.array(rng.standard_normal(shape), dtype) for n, shape in SHAPES.items()}


def parts_of_one(arrays: Arrays, before: int = 0) -> Arrays:
    """Copy arrays into one, after some other numbers: each is then a view of it."""
    flat = np.concatenate([np.zeros(before), *(a.ravel() for a in arrays.values())])
    flat, found, start = flat.astype(arrays["a"].dtype), {}, before
    for name, array in arrays.items():
        found[name] = flat[start : start + array.size].reshape(array.shape)
        start += array.size
    return found


def assert_same_bits(found: Arrays, expected: Arrays) -> None:
    """Compare by name."""
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, strict=True)


@pytest.fixture
def updated(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many parameters are updated together, update by update."""
    sizes: list[int] = []
    update = SGD._update

    def spy(optimizer: SGD, names: list[str], *rest: Any) -> None:
        sizes.append(len(names))
        update(optimizer, names, *rest)

    monkeypatch.setattr(SGD, "_update", spy)
    return sizes


@every_dtype
@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("others", [{}, {"weight_decay": 0.01}, {"maximize": True}])
@pytest.mark.parametrize("before", [0, 3])
def test_parts_of_one_array_are_updated_as_one(
    monkeypatch: pytest.MonkeyPatch,
    updated: list[int],
    before: int,
    others: dict[str, Any],
    nesterov: bool,
    dtype: type,
) -> None:
    """Also in blocks that end in the middle of a parameter, whatever the gradients lie in.

    The gradients stay what they are.
    """
    monkeypatch.setattr(base, "BLOCK", 5)
    monkeypatch.setattr(_fma, "BLOCK", 5)
    options: dict[str, Any] = {"momentum": 0.9, "nesterov": nesterov} | others
    apart, one = drawn(0, dtype), parts_of_one(drawn(0, dtype), before)
    other, sgd = SGD(apart, 0.1, **options), SGD(one, 0.1, **options)
    for step in range(1, 5):
        grads = drawn(step, dtype)
        other.step(grads)
        assert updated == [1] * len(SHAPES)
        updated.clear()
        given = parts_of_one(grads) if step % 2 else dict(reversed(grads.items()))
        kept = {name: grad.copy() for name, grad in given.items()}
        sgd.step(given)
        assert updated == [len(SHAPES)]
        updated.clear()
        assert_same_bits(given, kept)
        assert_same_bits(one, apart)
        assert_same_bits(sgd.momentum_buffers, other.momentum_buffers)


@every_dtype
def test_missing_gradients_and_buffers_of_others(updated: list[int], dtype: type) -> None:
    """What lacks a gradient, or alone has a buffer, is updated apart; then as one again."""
    apart, one = drawn(0, dtype), parts_of_one(drawn(0, dtype))
    other, sgd = SGD(apart, 0.1, 0.9), SGD(one, 0.1, 0.9)

    def step(seed: int, *missing: str) -> list[int]:
        grads = {n: None if n in missing else g for n, g in drawn(seed, dtype).items()}
        other.step(grads)
        updated.clear()
        sgd.step(grads)
        assert_same_bits(one, apart)
        assert sgd.momentum_buffers.keys() == other.momentum_buffers.keys()
        assert_same_bits(sgd.momentum_buffers, other.momentum_buffers)
        return list(updated)

    assert step(1, "b") == [1, 1, 1]
    assert step(2) == [1, 1, 2]  # b has no buffer yet
    assert step(3) == [4]
    assert step(4, "a", "b", "c", "d") == []
    given = {name: buffer.copy() for name, buffer in sgd.momentum_buffers.items()}
    kept = {name: buffer.copy() for name, buffer in given.items()}
    sgd.momentum_buffers = dict(given)
    assert step(5) == [4]
    assert step(6) == [4]
    assert_same_bits(given, kept)


@every_dtype
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_a_copy_descends_and_leaves_the_original(
    copied: Callable[[Any], Any], momentum: float, dtype: type
) -> None:
    """Copies of views lie apart; broken otherwise: a copied network learns nothing more."""
    one = parts_of_one(drawn(0, dtype))
    sgd, apart = SGD(one, 0.1, momentum), drawn(0, dtype)
    other = SGD(apart, 0.1, momentum)
    for optimizer in (sgd, other):
        optimizer.step(drawn(1, dtype))
    parameters, its_sgd = copied((one, sgd))
    before = {name: value.copy() for name, value in one.items()}
    for step in (2, 3):
        its_sgd.step(drawn(step, dtype))
        other.step(drawn(step, dtype))
    assert_same_bits(parameters, apart)
    assert_same_bits(its_sgd.momentum_buffers, other.momentum_buffers)
    assert_same_bits(one, before)


@every_dtype
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_parameters_that_do_not_lie_in_a_row(momentum: float, dtype: type) -> None:
    """Broken otherwise: a copy of them is updated, or what lies between them."""
    apart = drawn(0, dtype)
    spaced = {name: np.full((*p.shape, 2), 7, dtype) for name, p in apart.items()}
    views = {name: array[..., 0] for name, array in spaced.items()}
    turned = {name: np.array(p, order="F") for name, p in apart.items()}
    for name, parameter in apart.items():
        views[name][...] = parameter
    optimizers = [SGD(arrays, 0.1, momentum) for arrays in (apart, views, turned)]
    for step in (1, 2):
        grads = drawn(step, dtype)
        for optimizer in optimizers:
            optimizer.step({name: np.array(g, order="F") for name, g in grads.items()})
        assert_same_bits(views, apart)
        assert_same_bits(turned, apart)
        for optimizer in optimizers[1:]:
            assert_same_bits(optimizer.momentum_buffers, optimizers[0].momentum_buffers)
    assert all((array[..., 1] == 7).all() for array in spaced.values())


def test_parts_of_what_is_read_only_are_updated_apart() -> None:
    """Broken otherwise: parameters or momentum that can be written to raise."""
    parameters, buffers = (parts_of_one(drawn(seed, np.float64)) for seed in (0, 1))
    for parts in (parameters, buffers):
        base = parts["a"].base
        assert base is not None
        base.flags.writeable = False
    apart = drawn(0, np.float64)
    for arrays, kept in ((parameters, buffers), (apart, drawn(1, np.float64))):
        optimizer = SGD(arrays, 0.1, 0.9)
        optimizer.momentum_buffers = dict(kept)
        optimizer.step(drawn(2, np.float64))
    assert_same_bits(parameters, apart)


def test_what_is_one_buffer() -> None:
    """Contiguous views of one flat array, each where the last one ends, of its dtype."""
    flat = np.arange(10.0)
    a, b, c = flat[2:4], flat[4:8].reshape(2, 2), flat[8:]
    found = shared_buffer([a, b, c])
    assert found is not None
    assert np.shares_memory(found, flat)
    assert found.tolist() == list(range(2, 10))
    ones = np.ones((4, 2))
    for arrays in (
        [],
        [a, c],
        [b, a],
        [a, b.T],
        [flat[0:4:2], flat[4:]],
        [a, np.arange(10.0)[4:]],
        [a, b.view(np.int64)],
        [np.ones(3)],
        [ones[:2], ones[2:]],
        [flat[::2][:2], flat[::2][2:]],
        [np.ndarray(4, buffer=bytearray(64), strides=(16,))[1:2]],
    ):
        assert shared_buffer(arrays) is None


def test_gradients_that_are_no_mapping_are_named():
    """Broken otherwise: the message names another argument, or nothing."""
    optimizer = SGD({"w": np.zeros(2)}, lr=0.1)
    with pytest.raises(TypeError, match=r"^grads must map"):
        optimizer.step([np.ones(2)])
