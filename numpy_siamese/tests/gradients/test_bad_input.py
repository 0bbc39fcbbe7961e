"""What `gradcheck` refuses: a TypeError or ValueError that names the argument."""

from functools import partial

import numpy as np
import pytest

from numpy_siamese import gradcheck
from numpy_siamese.tests.contracts.impostors import impostors, refusal, wrong_dtypes

X = np.linspace(1, 2, 6).reshape(2, 3)
RAGGED = [[1.0], [1.0, 2.0]]

PAIR, OUTPUT = "f must return (y, pullback)", "the output of f must be"
ONE, GRADIENT = "pullback must return a", "the gradient of x must be"


def square(x):
    return x**2, lambda dy: (2 * x * dy,)


def giving(result):
    """Return a function that returns this."""
    return lambda x: result


def pulling(gradients):
    """Return a function whose pullback returns this."""
    return lambda x: (x**2, lambda dy: gradients)


def growing(x):
    """Return an output that is longer wherever the first entry is above 1."""
    return np.zeros(6 + int(x[0, 0] > 1)), lambda dy: (x,)


def counting():
    """Return a function that gives another output each time."""
    calls = []

    def f(x):
        calls.append(1)
        return x * len(calls), lambda dy: (dy,)

    return f


@pytest.mark.parametrize(
    ("f", "error", "said"),
    [
        (3, TypeError, "f must be callable, got int"),
        (giving(X), TypeError, f"{PAIR}, got numpy.ndarray"),
        (giving((X,)), TypeError, f"{PAIR}, got (numpy.ndarray)"),
        (giving((X, X)), TypeError, f"{PAIR}, got (numpy.ndarray, numpy.ndarray)"),
        (giving(None), TypeError, f"{PAIR}, got None"),
        (giving((X.astype(int), id)), TypeError, f"{OUTPUT} of floats, got int64"),
        (giving((X.astype(complex), id)), TypeError, f"{OUTPUT} of floats, got complex128"),
        (giving(("two", id)), TypeError, f"{OUTPUT} of floats, got <U3"),
        (giving((RAGGED, id)), TypeError, f"{OUTPUT} an array, got list"),
        (giving((np.float32(X), id)), TypeError, f"{OUTPUT} float64 as its arrays are"),
        (giving((X * np.inf, id)), ValueError, "f must return an output that is finite"),
        (growing, ValueError, "f must return one shape near a point, got (6,) and (7,)"),
        (counting(), ValueError, "f must be a pure function, got two outputs at one point"),
        (pulling(X), TypeError, f"{ONE} sequence of 1 gradient, got numpy.ndarray"),
        (pulling(None), TypeError, f"{ONE} sequence of 1 gradient, got None"),
        (pulling((X, X)), ValueError, "must return 1 gradient, one for each array, got 2"),
        (pulling((X, None, X)), ValueError, "must return 1 gradient, one for each array, got 3"),
        (pulling(()), ValueError, "must return 1 gradient, one for each array, got 0"),
        (pulling((None,)), ValueError, f"{ONE} gradient, got None for every array"),
        (pulling((X.astype(int),)), TypeError, f"{GRADIENT} of floats, got int64"),
        (pulling(("two",)), TypeError, f"{GRADIENT} of floats, got <U3"),
        (pulling((RAGGED,)), TypeError, f"{GRADIENT} an array, got list"),
    ],
)
def test_a_function_that_is_none_of_the_kind(f, error, said):
    """Broken otherwise: whoever forgot the pullback is shown a traceback of ours."""
    with pytest.raises(error) as caught:
        gradcheck(f, X)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("arrays", "options", "error", "said"),
    [
        ([], {}, ValueError, "arrays: expected at least one, got none"),
        ([X.astype(int)], {}, TypeError, "x must be a float32 or float64 array, got int64"),
        ([X.tolist()], {}, TypeError, "x must be a numpy.ndarray, got list"),
        ([2.0], {}, TypeError, "x must be a numpy.ndarray, got float"),
        ([X * np.nan], {}, ValueError, "x must be finite, got an entry that is not"),
        ([X], {"names": []}, ValueError, "names must be as many as the 1 arrays, got 0"),
        ([X], {"entries": 0}, ValueError, "entries must be at least 1, got 0"),
        ([X], {"entries": 2.5}, TypeError, "entries must be an int"),
        ([X], {"seed": -1}, ValueError, "seed must be at least 0, got -1"),
        ([X], {"seed": "0"}, TypeError, "seed must be an int"),
    ],
)
def test_arguments_that_cannot_be(arrays, options, error, said):
    """Broken otherwise: a list, or whole numbers, are differentiated as if they were floats."""
    with pytest.raises(error) as caught:
        gradcheck(square, *arrays, **options)
    assert said in str(caught.value)


def test_what_only_looks_like_an_array_is_refused():
    """Broken otherwise: a Series is differentiated by its labels, a mask is ignored."""
    for kind, impostor in impostors(X):
        call = partial(gradcheck, square, impostor)
        assert refusal(call, TypeError, "x must be a ") is None, kind
    for array in wrong_dtypes(X):
        call = partial(gradcheck, square, array)
        assert refusal(call, TypeError, "x must be a float") is None, array.dtype


def test_the_number_of_gradients_is_that_of_the_arrays():
    """Broken otherwise: gradients are compared with the wrong arrays."""
    with pytest.raises(ValueError, match="pullback must return 2 gradients, one for each array"):
        gradcheck(lambda x, y: (x * y, lambda dy: (dy * y,)), X, X)


def test_what_the_function_raises_is_raised():
    """Broken otherwise: the line of a user's mistake is hidden."""

    def f(x):
        return x, lambda dy: 1 / 0

    with pytest.raises(ZeroDivisionError):
        gradcheck(f, X)


def test_an_empty_array_does_not_hold():
    """Broken otherwise: nothing was compared, and all is well."""
    (check,) = gradcheck(square, X[:0])
    assert not check.held
    assert str(check).endswith("no entry could be compared")
