"""What memory an array has does not matter: neither to the operations nor to what is saved."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from numpy_siamese import functional as F
from numpy_siamese._fma import fma
from numpy_siamese.data.dataset import gather
from numpy_siamese.model import SiameseNet
from numpy_siamese.optim import SGD
from numpy_siamese.runs.checkpoint import load_model, save_model
from numpy_siamese.tests.contracts.arguments import DIGITS
from numpy_siamese.tests.contracts.array_calls import OPERATIONS, operations
from numpy_siamese.tests.contracts.impostors import refusal

Array = np.ndarray


def spaced(x: Array) -> Array:
    """Return every second element of a memory, in each axis."""
    wide = np.zeros([2 * n for n in x.shape], x.dtype)
    part = wide[tuple(slice(None, None, 2) for _ in x.shape)]
    part[...] = x
    return part


def zero_strided(x: Array) -> Array:
    """Return the first element, as often as x has elements."""
    return np.broadcast_to(x[(slice(0, 1),) * x.ndim], x.shape)


def read_only(x: Array) -> Array:
    """Return a copy that cannot be written to."""
    copy = x.copy()
    copy.flags.writeable = False
    return copy


def memmap(x: Array) -> Array:
    """Return a memmap, whose memory is not of a file here."""
    return x.view(np.memmap)


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "Fortran order": np.asfortranarray,
    "negative strides": lambda x: np.flip(np.flip(x).copy()),
    "spaced": spaced,
    "transposed": lambda x: x.T.copy().T,
    "read-only": read_only,
    "memmap": memmap,
    "zero strides": zero_strided,
}


def whole(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments with small whole numbers, of which every sum is exact in any order."""
    rng = np.random.default_rng(0)
    return {
        name: rng.integers(-3, 4, value.shape).astype(value.dtype)
        if isinstance(value, Array)
        else value
        for name, value in arguments.items()
    }


def results(function, arguments) -> list:
    """Return the output and the gradients of an operation."""
    y, pullback = function(**arguments)
    return [y, *pullback(np.ones(y.shape, y.dtype))]


FRACTIONS = ("batch_norm", "cross_entropy", "n_pair_loss", "sigmoid")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", dict(operations()))
def test_an_operation_reads_any_memory(name, layout):
    """Broken otherwise: a view is read past its elements, or an argument is written to.

    `FRACTIONS` are taken of numbers in [0, 1], all else of whole numbers.
    """
    function, arguments = dict(operations())[name]
    if not any(kind in name for kind in FRACTIONS):
        arguments = whole(arguments)
    changed = {
        name: LAYOUTS[layout](value) if isinstance(value, Array) else value
        for name, value in arguments.items()
    }
    contiguous = {
        name: np.array(value, order="C", subok=False) if isinstance(value, Array) else value
        for name, value in changed.items()
    }
    for found, expected in zip(
        results(function, changed), results(function, contiguous), strict=True
    ):
        np.testing.assert_array_equal(found, expected, strict=True)
        assert type(found) is type(expected)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_pullback_reads_any_memory(layout):
    """Broken otherwise: a gradient that was broadcast or transposed gives other gradients."""
    for name, arguments in OPERATIONS.items():
        if name == "conv_relu_pool" or any(kind in name for kind in FRACTIONS if kind != "sigmoid"):
            continue
        y, pullback = getattr(F, name)(**whole(arguments))
        dy = LAYOUTS[layout](np.arange(y.size, dtype=y.dtype).reshape(y.shape))
        for found, expected in zip(pullback(dy), pullback(np.array(dy, order="C")), strict=True):
            np.testing.assert_array_equal(found, expected, err_msg=name, strict=True)


ELEMENTWISE = ["relu", "sigmoid", "l1_distance", "binary_cross_entropy"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [*ELEMENTWISE, "binary_cross_entropy_with_logits"])
def test_scalars_are_arrays_without_axes(name, dtype):
    """Broken otherwise: what one operation returns, a NumPy scalar, the next one refuses."""
    arguments = {argument: dtype(0.25) for argument in OPERATIONS[name]}
    expected = results(getattr(F, name), {k: np.full(1, v) for k, v in arguments.items()})
    for scalars in (arguments, {k: np.array(v) for k, v in arguments.items()}):
        for found, right in zip(results(getattr(F, name), scalars), expected, strict=True):
            assert np.shape(found) == ()
            assert found.dtype == dtype
            assert found == right.item()


def test_a_loss_is_the_cotangent_of_a_scalar():
    """Broken otherwise: losses, which are NumPy scalars, cannot be differentiated any further."""
    loss, pullback = F.binary_cross_entropy(np.full(3, 0.5), np.ones(3))
    assert isinstance(loss, np.float64)
    expected = pullback(1.0)[0]
    for one in (1, np.float64(1), np.array(1.0), F.sigmoid(np.array(np.inf))[0]):
        np.testing.assert_array_equal(pullback(one)[0], expected, strict=True)


# What is written to


def test_parameters_are_updated_where_they_lie(tmp_path):
    """Broken otherwise: a view or a file that the parameters lie in is not what learns."""
    file = np.memmap(tmp_path / "parameter", np.float32, mode="w+", shape=3)
    parameters = {"spaced": spaced(np.ones(3)), "file": file, "scalar": np.array(1.0)}
    optimizer = SGD(parameters, 0.5)
    optimizer.step({"spaced": np.ones(3), "file": np.ones(3, np.float32), "scalar": np.float64(1)})
    assert parameters["spaced"].tolist() == [0.5] * 3
    assert np.fromfile(tmp_path / "parameter", np.float32).tolist() == [-0.5] * 3
    assert parameters["scalar"] == 0.5


@pytest.mark.parametrize("fixed", [read_only(np.ones(3)), np.float64(1), zero_strided(np.ones(3))])
def test_parameters_that_cannot_be_written_to_are_refused(fixed):
    """Broken otherwise: the first step fails, half of the parameters updated."""
    assert refusal(lambda: SGD({"name": fixed}, 1), ValueError, "parameters['name']") is None


@pytest.mark.parametrize("layout", LAYOUTS)
def test_weights_of_any_memory_are_loaded(layout):
    """Broken otherwise: weights that were mapped or transposed are refused, or come in shuffled."""
    net, state = (
        SiameseNet(1),
        {k: LAYOUTS[layout](v) for k, v in SiameseNet(0).state_dict().items()},
    )
    net.load_state_dict(state)
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, state[name], strict=True)
        assert value.flags.writeable
        assert not np.shares_memory(value, state[name])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_images_of_any_memory_are_gathered(layout):
    """Broken otherwise: images in a file, which nobody has copied, are refused or come in torn."""
    images = LAYOUTS[layout](DIGITS.images)
    found = gather(images, [5, 0, 0], np.float32)
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found[:, 0], images[[5, 0, 0]])


def test_fma_takes_any_memory():
    """Broken otherwise: parameters that are views are updated by their neighbours' gradients."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 3, 5)), rng.standard_normal((2, 3, 5))
    expected = fma(0.1, x, y)
    for name, layout in LAYOUTS.items():
        if name != "zero strides":
            np.testing.assert_array_equal(fma(0.1, layout(x), layout(y)), expected, strict=True)
    row = np.array(fma(0.1, x, np.broadcast_to(y[:1, :1], x.shape)))
    np.testing.assert_array_equal(fma(0.1, x, y[0, 0]), row, strict=True)
    for argument, bad in (("y", np.ones(4)), ("y", np.ones((1, 2, 3, 5)))):
        assert refusal(lambda bad=bad: fma(0.1, x, bad), ValueError, argument) is None
    assert refusal(lambda: fma(np.ones(3), x, y), TypeError, "a must", "numpy.ndarray") is None


# What is saved

SAVED: dict[str, Any] = {
    "scalar": np.array(3.5),
    "NumPy scalar": np.float32(3.5),
    "scalar of the other byte order": np.array(3.5).astype(np.dtype(float).newbyteorder("S")),
    "empty": np.zeros((0, 3), np.float32),
    "bools": np.array([True, False]),
    "half": np.arange(3, dtype=np.float16),
    "int8": np.arange(-3, 3, dtype=np.int8),
    "uint64": np.array([2**64 - 1], np.uint64),
    "other byte order": np.arange(6, dtype=np.dtype(np.float32).newbyteorder("S")).reshape(2, 3),
    "NaN and infinities": np.array([np.nan, np.inf, -0.0]),
    **{name: layout(np.arange(12.0).reshape(3, 4)) for name, layout in LAYOUTS.items()},
    "overlapping": as_strided(np.arange(5.0), (3, 3), (8, 8)),
}


@pytest.mark.parametrize("name", SAVED)
def test_what_is_saved_comes_back(name, tmp_path: Path):
    """Broken otherwise: a scalar gets an axis, bytes are swapped, rows and columns exchanged."""
    value = np.asarray(SAVED[name])
    save_model(str(tmp_path / "model"), {"a": SAVED[name]})
    found = load_model(tmp_path / "model")["a"]
    np.testing.assert_array_equal(found, value.astype(value.dtype.newbyteorder("=")), strict=True)
    assert found.flags.writeable


@pytest.mark.parametrize("dtype", [np.longdouble, complex, object, "U3", "M8[s]"])
def test_what_cannot_be_saved_is_refused(dtype, tmp_path: Path):
    """Broken otherwise: the file is there, and nothing can read it."""
    path = tmp_path / "model"
    unnamed: Any = {1: np.ones(2)}
    named = {"weight": np.zeros(2).astype(dtype)}
    assert refusal(lambda: save_model(path, named), TypeError, "weight") is None
    assert refusal(lambda: save_model(path, unnamed), TypeError, "names", "int") is None
    assert not path.exists()
