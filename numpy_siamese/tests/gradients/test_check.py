"""`gradcheck`: right and wrong pullbacks, kinks, what is drawn, and what is said."""

import numpy as np
import pytest

from numpy_siamese import functional as F
from numpy_siamese import gradcheck
from numpy_siamese.gradients.check import gradchecks

normal = np.random.default_rng(0).normal
X, WEIGHT, BIAS = normal(size=(5, 3)), normal(size=(4, 3)), normal(size=4)


def square(x):
    return x**2, lambda dy: (2 * x * dy,)


def half(x):
    return x**2, lambda dy: (x * dy,)


def only(f, *arrays, **options):
    """Return the check of a function of one argument."""
    (check,) = gradcheck(f, *arrays, **options)
    return check


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_right_gradient_holds(dtype):
    """Broken otherwise: whoever derived a gradient rightly is told that it is wrong."""
    checks = gradcheck(F.linear, *(array.astype(dtype) for array in (X, WEIGHT, BIAS)))
    assert [check.name for check in checks] == ["x", "weight", "bias"]
    assert [check.checked for check in checks] == [15, 12, 4]
    for check in checks:
        assert check.held
        assert (check.wrong, check.kinks, check.lost, check.fault) == (0, [], [], None)
        assert 0 <= check.worst <= 1
        assert check.error <= check.bound <= 1e-8


def test_a_wrong_entry_is_found_with_both_values():
    """Broken otherwise: whoever made a mistake is not told where."""

    def f(x):
        def pullback(dy):
            dx = 2 * x * dy
            dx[1, 2] += 1e-6
            dx[3, 0] = 0
            return (dx,)

        return x**2, pullback

    check = only(f, X)
    assert not check.held
    assert (check.checked, check.wrong) == (15, 2)
    fault = check.fault
    assert fault.place == (1, 2)
    assert fault.analytic - fault.numeric == pytest.approx(1e-6, abs=fault.bound)
    assert 0 < fault.bound < 1e-8
    assert check.worst > 1
    assert check.error > check.bound
    assert fault.guess == ""


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_is_wrong(value):
    """Broken otherwise: a NaN is within every bound."""

    def f(x):
        return x**2, lambda dy: (np.where(x == x[2, 1], value, 2 * x * dy),)

    check = only(f, X)
    assert check.fault.place == (2, 1)
    assert check.fault.guess == "it is not finite"


def test_kinks_are_left_out_and_named():
    """Broken otherwise: the gradient of ReLU at 0 is called wrong, or called right."""
    x = np.array([[1.0, 0.0, -2.0], [-0.0, 3.0, -4.0]])
    check = only(F.relu, x)
    assert check.held
    assert (check.checked, check.kinks, check.lost) == (4, [(0, 1), (1, 0)], [])
    assert str(check).splitlines()[-1] == "  too near a kink: [0, 1], [1, 0]"


def test_ties_of_pooling_and_equal_sides_are_left_out():
    """Broken otherwise: one of two equal maxima is said to have a gradient of its own."""
    x = np.array([[[[1.0, 5.0, 7.0, 0.0], [5.0, 2.0, 3.0, 4.0]]]])
    assert only(lambda x: F.max_pool2d(x, 2), x).kinks == [(0, 0, 0, 1), (0, 0, 1, 0)]
    left, right = gradcheck(F.l1_distance, X, np.where(X > 0, X, X + 1))
    assert left.kinks == right.kinks == [tuple(index) for index in np.argwhere(X > 0).tolist()]


@pytest.mark.parametrize("distance", [1e-3, 1e-4, 1e-5, 3e-6])
def test_entries_near_a_kink_are_told_by_smaller_steps(distance):
    """Broken otherwise: a network with many kinks has no entries that can be checked."""
    x = np.array([1.0, distance, -distance, 2.0])
    check = only(F.relu, x)
    assert (check.held, check.checked, check.kinks) == (True, 4, [])


def test_a_wrong_gradient_near_a_kink_is_found():
    """Broken otherwise: every mistake beside a kink is put down to it."""
    x = np.array([1.0, 1e-5, -1e-5, 2.0])
    check = only(lambda x: (np.maximum(x, 0), lambda dy: (dy * (x > 1e-4),)), x)
    assert (check.fault.place, check.wrong) == ((1,), 1)


def test_entries_whose_slope_drowns_are_named():
    """Broken otherwise: rounding is called a kink, or a mistake."""
    check = only(lambda x: (x + 1e9 - 1e9, lambda dy: (dy,)), np.array([0.3, 1.7]))
    assert not check.held
    assert (check.checked, check.kinks, check.lost) == (0, [], [(0,), (1,)])
    assert str(check).splitlines()[1:] == [
        "  lost in rounding: [0], [1]",
        "  no entry could be compared",
    ]


def test_a_gradient_that_is_0_by_a_law_holds():
    """Broken otherwise: the bias before a normalisation cannot be checked."""

    def centred(x, bias):
        y = x + bias
        return y - y.mean(), lambda dy: (dy - dy.mean(), np.array([(dy - dy.mean()).sum()]))

    assert all(check.held for check in gradcheck(centred, X, BIAS[:1]))


def test_a_constant_has_no_gradient():
    """Broken otherwise: 0 ± 0 is an error."""
    check = only(lambda x: (np.float64(3), lambda dy: (0 * x,)), X)
    assert check.held
    wrong = only(lambda x: (np.float64(3), lambda dy: (0 * x + dy,)), X)
    assert wrong.fault.guess == "it should be zero"


def test_scalars_can_be_checked():
    """Broken otherwise: a loss, or a temperature, has no check."""
    checks = gradcheck(lambda x, t: ((x * t).sum(), lambda dy: (dy * t + 0 * x, (x * dy).sum())),
                       X, np.array(2.0))  # fmt: skip
    assert all(check.held for check in checks)
    wrong = only(half, np.array(2.0))
    assert wrong.fault.place == ()
    assert str(wrong).splitlines()[1].startswith("  at (): ")


@pytest.mark.parametrize("size", [1e-310, 1e-150, 1e-9, 1e9, 1e150])
def test_arrays_of_any_size_can_be_checked(size):
    """Broken otherwise: what is right in metres is wrong in nanometres."""
    checks = gradcheck(F.linear, X * size, WEIGHT)
    assert [(check.held, check.checked) for check in checks] == [(True, 15), (True, 12)]


def test_arguments_without_a_gradient_are_passed_over():
    """Broken otherwise: a function of a target cannot be checked."""
    (check,) = gradcheck(lambda x, t: (x * t, lambda dy: (dy * t, None)), X, X)
    assert (check.name, check.held) == ("x", True)


def test_names_are_those_of_the_parameters():
    """Broken otherwise: the table says argument 2, and nobody knows which that is."""
    names = lambda f, *arrays, **options: [c.name for c in gradcheck(f, *arrays, **options)]  # noqa: E731
    assert names(square, X) == ["x"]
    assert names(square, X, names=["y"]) == ["y"]
    assert names(lambda *arrays: square(arrays[0]), X) == ["argument 0"]


def test_as_many_entries_are_drawn_as_were_asked_for():
    """Broken otherwise: a large array takes hours, or always the same entries are looked at."""
    x = np.linspace(1, 2, 400).reshape(20, 20)

    def f(x):
        return x**2, lambda dy: (np.where(np.arange(400).reshape(20, 20) % 2, 2 * x * dy, 0.0),)

    found = only(f, x, entries=40)
    assert found.checked == 40
    assert 5 < found.wrong < 35
    assert found == only(f, x, entries=40)
    places = {only(f, x, entries=40, seed=seed).fault.place for seed in range(8)}
    assert len(places) > 1


def test_the_function_and_its_pullback_cannot_spoil_the_check():
    """Broken otherwise: a pullback that scales dy in place passes, or the user's array changes."""

    def f(x):
        y = x**2
        gradient = 2 * x
        x[:] = 0

        def pullback(dy):
            dy *= gradient
            return (dy,)

        return y, pullback

    before = X.copy()
    assert only(f, X).held
    np.testing.assert_array_equal(X, before)


def test_a_pullback_is_compared_with_the_differences_of_another():
    """Broken otherwise: the column of autograd is checked against itself."""
    right, wrong = gradchecks([square, half], X)
    assert right[0].held
    assert wrong[0].fault.guess == "a factor of 2 is missing"
    assert wrong[0].fault.numeric == right[0]._replace(fault=wrong[0].fault).fault.numeric
    (only_one,) = gradchecks([square], X)
    assert only_one == right


def test_what_is_said_of_a_check():
    """Broken otherwise: print(check) shows a tuple of forty numbers."""
    head, *rest = str(only(square, X)).splitlines()
    assert head.startswith("x: 15 entries right, error ")
    assert rest == []
    assert str(only(square, X[:1, :1])).startswith("x: 1 entry right, error ")
    head, at, guess = str(only(half, X)).splitlines()
    assert head == "x: 15 of 15 entries wrong"
    assert at.startswith("  at [0, 0]: ")
    assert ", differences give " in at
    assert guess == "  a factor of 2 is missing"
    many = only(F.relu, np.zeros(9))
    assert "[3], [4] and 4 more" in str(many)


def test_a_kink_that_hides_from_a_large_step_is_found_by_a_small_one():
    """Broken otherwise: a right gradient is called wrong where kinks cancel each other."""
    h = 2.0**-12  # slope 1 on average over h and over h/2, and 0 within h/4
    t = np.array([-1, -h / 2, -h / 4, h / 4, h / 2, 1])
    y = np.array([-1, -h / 2, 0, 0, h / 2, 1])

    def f(x):
        return np.interp(x, t, y), lambda dy: (np.array([0.0, 1.0]) * dy,)

    assert only(f, np.array([0.0, 0.9])).held
    wrong = only(lambda x: (f(x)[0], lambda dy: (dy,)), np.array([0.0, 0.9]), entries=1, seed=0)
    assert wrong.checked == 1


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e-30, 1e30, 1e200, 1e300])
def test_outputs_of_any_scale_are_told(scale):
    """Broken otherwise: squares overflow or underflow, in a warning or in no verdict."""
    right = only(lambda x: (x**2 * scale, lambda dy: (2 * x * scale * dy,)), X)
    assert right.held
    wrong = only(lambda x: (x**2 * scale, lambda dy: (x * scale * dy,)), X)
    assert wrong.wrong == X.size
    assert wrong.fault.guess == "a factor of 2 is missing"


def test_a_function_may_write_each_output_to_the_same_array():
    """Broken otherwise: all differences are 0, and so a gradient of 0 holds."""
    output = np.zeros_like(X)

    def f(x):
        np.multiply(x, x, out=output)
        return output, lambda dy: (2 * x * dy,)

    assert only(f, X).held
    assert not only(lambda x: (f(x)[0], lambda dy: (0 * dy,)), X).held
