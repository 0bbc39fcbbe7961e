"""Nothing is timed that computes something else, or learns otherwise."""

import numpy as np
import pytest

from benchmarks.agreement import Disagreement, check, check_change, tolerance

FLOAT32, TF32, BFLOAT16 = 2.0**-24, 2.0**-11, 2.0**-8


@pytest.mark.parametrize(
    ("unit_roundoff", "allowed"),
    [(FLOAT32, 2.0**-16), (TF32, 0.125), (BFLOAT16, 0.375)],
)
def test_what_rounding_explains(unit_roundoff: float, allowed: float) -> None:
    """256 roundings, or 6·√u where that is less: never so much that zeros would pass."""
    assert tolerance(unit_roundoff) == allowed


def test_the_error_is_relative_in_norm_and_the_largest() -> None:
    """‖(3, 4 + 5e)‖ against ‖(3, 4)‖ = 5 is off by e, whatever else is right."""
    e = 2.0**-18
    reference = {"a": np.array([3.0, 4.0]), "b": np.array([1.0])}
    off = reference | {"a": np.array([3.0, 4.0 + 5 * e])}
    assert check(reference, reference, FLOAT32) == 0.0
    assert check(off, reference, FLOAT32) == e
    assert check(reference | {"b": np.array([1.0 + e])}, reference, FLOAT32) == e


def test_more_than_rounding_is_refused() -> None:
    """At the tolerance it passes, above it does not, and a result of no number does not either."""
    one = {"loss": np.array(1.0)}
    assert check({"loss": np.array(1 + 2.0**-16)}, one, FLOAT32) == 2.0**-16
    with pytest.raises(Disagreement, match=r"^loss is off by 1\.6e-05 of its size$"):
        check({"loss": np.array(1 + 2.0**-16 + 2.0**-20)}, one, FLOAT32)
    with pytest.raises(Disagreement, match="loss is off by nan"):
        check({"loss": np.array(np.nan)}, one, FLOAT32)
    with pytest.raises(Disagreement):
        check({"loss": np.array(0.0)}, one, BFLOAT16)


def test_large_results_in_float32_are_measured_in_float64() -> None:
    """Their squares are beyond float32, and infinity would excuse anything."""
    large = {"loss": np.float32([1e30])}
    assert check(large, large, FLOAT32) == 0.0
    with pytest.raises(Disagreement):
        check({"loss": np.float32([2e30])}, large, FLOAT32)


def test_other_names_and_shapes_are_refused() -> None:
    """A gradient that one leaves out is no faster way to the same."""
    reference = {"a": np.zeros(2), "b": np.zeros(2)}
    with pytest.raises(Disagreement, match=r"^gives \['a'\], not \['a', 'b'\]$"):
        check({"a": np.zeros(2)}, reference, FLOAT32)
    with pytest.raises(Disagreement, match=r"^b has shape \(1, 2\), not \(2,\)$"):
        check(reference | {"b": np.zeros((1, 2))}, reference, FLOAT32)


def test_what_cancels_is_held_against_the_others() -> None:
    """A zero is off by what it has, over a millionth (2⁻²⁰) of the largest."""
    reference = {"zero": np.zeros(1), "large": np.array([2.0**10])}
    assert check(reference | {"zero": np.array([2.0**-30])}, reference, FLOAT32) == 2.0**-20
    with pytest.raises(Disagreement):
        check(reference | {"zero": np.array([2.0**-20])}, reference, FLOAT32)
    nothing = {"a": np.zeros(1)}
    assert check(nothing, nothing, FLOAT32) == 0.0
    assert check({"a": np.array([2.0**-17])}, nothing, FLOAT32) == 2.0**-17


def changed(start: float, *changes: float) -> list[dict[str, np.ndarray]]:
    return [{"w": np.array([start])}, *({"w": np.array([start + c])} for c in changes)]


def test_the_same_change_passes() -> None:
    """Up to rounding of the change, and of the weight: four half units in its last place."""
    allowed = 2.0**-16 * 0.5 + 4 * 2.0**-24
    before, after, rounded, off = changed(1.0, -0.5, -0.5 + allowed, -0.5 + allowed + 2.0**-40)
    check_change(before, after, (before, after), FLOAT32)
    check_change(before, rounded, (before, after), FLOAT32)
    with pytest.raises(Disagreement, match=r"^w changes by 5\.0e-01, not by 5\.0e-01$"):
        check_change(before, off, (before, after), FLOAT32)
    before, after, rounded, off = changed(1.0, -(2.0**-20), -(2.0**-20) + 2.0**-22, 2.0**-20)
    check_change(before, rounded, (before, after), FLOAT32)
    with pytest.raises(Disagreement):
        check_change(before, off, (before, after), FLOAT32)


def test_a_step_without_its_update_is_refused() -> None:
    """Nor may it be half of one, twice one, or one in the other direction."""
    before, after, *wrong = changed(1.0, -0.01, 0.0, -0.005, -0.02, 0.01)
    for other in wrong:
        with pytest.raises(Disagreement, match="w changes by"):
            check_change(before, other, (before, after), FLOAT32)


def test_weights_begin_as_the_reference_does() -> None:
    """Other weights are another network; and there are as many."""
    before, after = changed(1.0, -0.01)
    other, later = changed(1.5, -0.01)
    with pytest.raises(Disagreement, match="w does not begin as the reference's"):
        check_change(other, later, (before, after), FLOAT32)
    with pytest.raises(Disagreement, match=r"^changes \[\], not \['w'\]$"):
        check_change({}, {}, (before, after), FLOAT32)
    check_change({}, {}, ({}, {}), FLOAT32)


def test_a_weight_that_need_not_change_is_held_against_the_others() -> None:
    """A bias whose gradient cancels may move by rounding of the larger ones'."""
    reference = ({"b": np.zeros(1), "w": np.zeros(1)}, {"b": np.zeros(1), "w": np.array([2.0**20])})
    moved = {"b": np.array([2.0**-17]), "w": np.array([2.0**20])}
    check_change(reference[0], moved, reference, FLOAT32)
    with pytest.raises(Disagreement):
        check_change(reference[0], moved | {"b": np.array([2.0**-15])}, reference, FLOAT32)
