"""The array that stands in CuPy's place refuses what CuPy refuses, and counts what the host asks.

Were it to let anything through, the tests that compute with it would show nothing.
"""

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from numpy_siamese.tests.support.strict_array import StrictArray, asarray, asnumpy
from numpy_siamese.tests.support.traffic import counted

ONES = np.ones((2, 3))

REFUSED = {
    "a conversion": lambda x: np.asarray(x),
    "a conversion by name": lambda x: np.array(x, np.float64),
    "a list": lambda x: np.asarray([x, x]),
    "NumPy's contiguous copy": lambda x: np.ascontiguousarray(x),
    "its memory": lambda x: memoryview(x),
    "its address": lambda x: x.__array_interface__,
    "NumPy's array on the left": lambda x: ONES + x,
    "NumPy's array on the right": lambda x: x + ONES,
    "NumPy's array without axes": lambda x: x * np.array(2.0),
    "NumPy's array in a product": lambda x: x @ ONES.T,
    "NumPy's array added in place": lambda x: x.__iadd__(ONES),
    "NumPy's array written": lambda x: x.__setitem__(0, ONES[0]),
    "written into NumPy's": lambda x: ONES.copy().__setitem__(0, x[0]),
    "NumPy's array as index": lambda x: x[np.array([0, 1])],
    "NumPy's array to take": lambda x: x.take(np.array([0, 1]), axis=0),
    "NumPy's array joined": lambda x: np.concatenate([x, ONES]),
    "NumPy's array chosen from": lambda x: np.where(x > 0, x, ONES),
    "a ufunc into NumPy's": lambda x: np.add(x, 1, out=np.empty((2, 3))),
    "a list as operand": lambda x: x.__add__([1, 2, 3]),
    "an object": lambda x: np.add(*[x, object()]),
    "a ufunc on part of it": lambda x: np.add(x, 1, where=x > 0),
    "a ufunc that is not there": lambda x: np.spacing(x),
    "a reduction by a ufunc": lambda x: np.add.reduce(x),
    "a scatter": lambda x: np.add.at(x, 0, 1),
    "another size of items": lambda x: x.view(np.int8),
    "overlapping views": lambda x: as_strided(x, (2, 2), (8, 8)),
    "windows": lambda x: sliding_window_view(x, 2, axis=1),
    "a function that is not there": lambda x: np.nan_to_num(x),
    "an argument that is not there": lambda x: np.zeros_like(x, subok=True, device="cpu"),
    "a write-protection": lambda x: x.flags.writeable,
    "the truth of many": lambda x: bool(x),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cupy_refuses_is_refused(name):
    """Broken otherwise: code that would fail on a device passes."""
    x = asarray(ONES)
    with pytest.raises((TypeError, AttributeError, ValueError, AssertionError)):
        REFUSED[name](x)


def test_all_that_comes_out_is_of_its_library():
    """Broken otherwise: a reduction leaves the device, and what follows is NumPy's work."""
    x = asarray(ONES)
    for found in (x.sum(), x[0, 0], x > 0, x.T, -x, abs(x), np.exp(x), np.stack([x, x]), 1 - x):
        assert type(found) is StrictArray
    assert x.sum().shape == ()


def test_parts_are_views():
    """Broken otherwise: what is written into a part is lost, and the test passes on zeros."""
    x = asarray(ONES)
    x[0].fill(2)
    x.T[2, 1] = 7
    part = x[1, 0:1]
    part += 1
    assert asnumpy(x).tolist() == [[2, 2, 2], [2, 1, 7]]
    assert part.base is x
    assert x.T.reshape(6).base is None


def test_what_goes_to_the_host_is_counted():
    """Broken otherwise: a step may ask the device for every number, and nobody sees it."""
    x = asarray(ONES)
    for ask in (bool, float, int, StrictArray.item, StrictArray.tolist, asnumpy):
        with counted() as traffic:
            ask((x > 0).all())
        assert (traffic.reads, traffic.uploads) == (1, 0), ask
    with counted() as traffic:
        asarray(ONES)
        np.asarray(ONES, like=x)
        x + 1
    assert (traffic.reads, traffic.uploads, len(traffic.threads)) == (0, 2, 1)
    with counted() as traffic:
        assert x[x > 0].shape == (6,)  # a device is asked how many
    assert traffic.reads == 1


def test_new_memory_is_spoiled():
    """Broken otherwise: an element that nobody has written is a zero by chance."""
    x = asarray(np.zeros(3, np.float32))
    for found in (np.empty_like(x), np.empty_like(x, shape=(4,)), np.empty((4,), like=x)):
        assert np.isnan(asnumpy(found)).all()


def test_a_shape_of_nothing_is_none_as_in_cupy():
    """Broken otherwise: where CuPy takes the prototype's shape, the tests see another."""
    x = asarray(np.zeros(3))
    assert np.empty_like(x, shape=()).shape == (3,)
    assert np.zeros_like(x, shape=(0,)).shape == (0,)


def test_a_larger_shape_in_the_order_of_a_prototype_is_refused():
    """Broken otherwise: CuPy takes memory for the prototype's shape, and writes beyond its end."""
    x = asarray(np.zeros((2, 3, 4)).swapaxes(0, 1))
    with pytest.raises(MemoryError, match="beyond the end"):
        np.empty_like(x, shape=(3, 4, 5))
    for found in (np.empty_like(x, shape=(3, 4, 5), order="C"), np.empty((3, 4, 5), like=x)):
        assert found.shape == (3, 4, 5)
    assert np.empty_like(x, shape=(3, 2, 3)).shape == (3, 2, 3)
    assert np.empty_like(x, shape=(9, 9)).shape == (9, 9)
