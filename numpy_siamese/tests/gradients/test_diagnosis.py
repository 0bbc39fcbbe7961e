"""The guess at a mistake, each kind from a wrong pullback."""

import numpy as np
import pytest

from numpy_siamese import functional as F
from numpy_siamese import gradcheck

normal = np.random.default_rng(0).normal
X, WEIGHT, BIAS = normal(size=(5, 3)), normal(size=(3, 3)), normal(size=3)
IMAGE, KERNEL = normal(size=(2, 2, 5, 5)), normal(size=(4, 2, 3, 3))


def linear(change):
    """Return the affine map, with a change of its gradients dx, dweight, dbias."""

    def f(x, weight, bias):
        y, pullback = F.linear(x, weight, bias)
        return y, lambda dy: change(dy, *pullback(dy))

    return f


def guesses(f, *arrays):
    """Return the guess for each argument whose gradient is wrong."""
    checks = gradcheck(f, *arrays)
    return {check.name: check.fault.guess for check in checks if check.fault}


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (-1, "the sign is wrong"),
        (0.5, "a factor of 2 is missing"),
        (5, "a factor of 1/5 is missing; 5 is a length here"),
        (1 / 15, "a factor of 15 is missing; 15 is a length here"),
        (0.7, "a factor of 1.42857 is missing"),
        (-0.5, "a factor of -2 is missing"),
    ],
)
def test_a_factor(factor, said):
    """Broken otherwise: the missing 1/N of a mean is just a wrong number."""
    found = guesses(linear(lambda _, dx, dw, db: (factor * dx, dw, db)), X, WEIGHT, BIAS)
    assert found == {"x": said}


def test_a_transpose():
    """Broken otherwise: a weight that is used untransposed is just a wrong number."""
    found = guesses(linear(lambda _, dx, dw, db: (dx, dw.T, db)), X, WEIGHT, BIAS)
    assert found == {"weight": "a transpose is missing, or one too many"}


def test_a_transpose_of_the_wrong_shape():
    """Broken otherwise: only the square weight has its transpose found."""
    found = guesses(linear(lambda _, dx, dw, db: (dx.T, dw, db)), X, WEIGHT, BIAS)
    said = "shape (3, 5), expected (5, 3): a transpose is missing, or one too many"
    assert found == {"x": said}


def test_a_transpose_with_a_sign():
    """Broken otherwise: two mistakes at a time hide each other."""
    found = guesses(linear(lambda _, dx, dw, db: (dx, -dw.T, db)), X, WEIGHT, BIAS)
    assert found == {"weight": "a transpose is missing, or one too many, and the sign is wrong"}


@pytest.mark.parametrize("order", [(0, 1, 3, 2), (1, 0, 2, 3), (1, 2, 3, 0)])
def test_a_transpose_of_some_axes(order):
    """Broken otherwise: two axes of a kernel that are exchanged are not found."""

    def f(x):
        return x**2, lambda dy: ((2 * x * dy).transpose(order),)

    back = tuple(np.argsort(order).tolist())
    found = guesses(f, normal(size=(3, 3, 3, 3)))["x"]
    assert found == f"a transpose is missing, or one too many: its axes in the order {back} fit"


@pytest.mark.parametrize(("axes", "said"), [((2, 3), "axes 2, 3"), ((3,), "axis 3")])
def test_a_flip(axes, said):
    """Broken otherwise: correlation taken for convolution is just a wrong number."""

    def f(x, weight):
        y, pullback = F.conv2d(x, weight)

        def flipped(dy):
            dx, dweight, _ = pullback(dy)
            return dx, np.flip(dweight, axes)

        return y, flipped

    assert guesses(f, IMAGE, KERNEL) == {"weight": f"a flip of {said} is missing, or one too many"}


def test_a_sum():
    """Broken otherwise: the gradient of a bias that is not summed over the batch is a riddle."""
    found = guesses(linear(lambda dy, dx, dw, _: (dx, dw, dy)), X, WEIGHT, BIAS)
    assert found == {"bias": "shape (5, 3), expected (3,): a sum over axis 0 is missing"}


def test_which_sum_is_told_by_the_values():
    """Broken otherwise: of a square gradient the wrong axis is named."""
    found = guesses(linear(lambda dy, dx, dw, _: (dx, dw, dy.T)), X[:3], WEIGHT, BIAS)
    assert found == {"bias": "shape (3, 3), expected (3,): a sum over axis 1 is missing"}


def test_a_sum_over_two_axes_that_keeps_the_others():
    """Broken otherwise: only a sum over one axis is found."""

    def f(x, scale):
        return x * scale, lambda dy: (dy * scale, dy * x)

    found = guesses(f, IMAGE, normal(size=(1, 2, 1, 5)))
    said = "shape (2, 2, 5, 5), expected (1, 2, 1, 5): a sum over axes 0, 2 is missing"
    assert found == {"scale": said}


def test_a_sum_that_is_a_mean():
    """Broken otherwise: a missing sum is not found if a factor is missing as well."""
    found = guesses(linear(lambda dy, dx, dw, _: (dx, dw, dy / 5)), X, WEIGHT, BIAS)
    assert found == {
        "bias": "shape (5, 3), expected (3,): a sum over axis 0 is missing, and a factor of 5 is "
        "missing; 5 is a length here"
    }


def test_an_axis_of_length_1():
    """Broken otherwise: keepdims that was forgotten is called a sum."""
    found = guesses(linear(lambda _, dx, dw, db: (dx, dw, db[None])), X, WEIGHT, BIAS)
    said = "shape (1, 3), expected (3,): an axis of length 1 is missing, or one too many"
    assert found == {"bias": said}


def test_a_broadcast():
    """Broken otherwise: the gradient of a sum, which is the same everywhere, is a riddle."""
    found = guesses(lambda x: (x.sum(0), lambda dy: (dy,)), X)
    said = "shape (3,), expected (5, 3): a broadcast to the argument's shape is missing"
    assert found == {"x": said}


def test_a_shape_that_nothing_explains():
    """Broken otherwise: a guess is made where none fits."""
    found = guesses(linear(lambda _, dx, dw, db: (dx, dw, np.ones(7))), X, WEIGHT, BIAS)
    assert found == {"bias": "shape (7,), expected (3,)"}


@pytest.mark.parametrize(
    ("gradient", "said"),
    [
        (lambda x, dy: 0 * x, "it is zero"),
        (lambda x, dy: np.where(x > 0, np.nan, 2 * x * dy), "it is not finite"),
        (
            lambda x, dy: np.float32(2 * x * dy),
            "it is off by rounding alone, as float32 is",
        ),
        (lambda x, dy: 3 * x**2 * dy, ""),
    ],
)
def test_other_mistakes(gradient, said):
    """Broken otherwise: a gradient that nobody computed, or in float32, is a riddle."""
    found = guesses(lambda x: (x**2, lambda dy: (gradient(x, dy),)), X)
    assert found == {"x": said}


def test_many_axes_take_no_time():
    """Broken otherwise: the sets of twenty axes are tried, which are a million."""
    x = normal(size=(1,) * 18 + (3, 2))
    found = guesses(lambda x: (x**2, lambda dy: (3 * x**2 * dy,)), x)
    assert found == {"x": ""}
    flipped = guesses(lambda x: (x**2, lambda dy: (np.flip(2 * x * dy, 18),)), x)
    assert flipped == {"x": "a flip of axis 18 is missing, or one too many"}
