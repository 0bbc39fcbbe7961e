"""Rates, momenta and decays are those of their equations, at every step."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_siamese.rates import SCHEDULES, Schedule


def test_constant_changes_nothing():
    """Broken otherwise: the recipe has other bits."""
    schedule = Schedule("constant", 5, 1000)
    assert {schedule.rate(0.1, t) for t in range(5000)} == {0.1}
    assert {schedule.momentum(0.3, t) for t in range(5000)} == {0.3}


def test_cosine_by_hand():
    """Of 40 steps two rise, to 1 at the third; half-way down it is one half, and zero at the end.

    A warm-up that stops short of 1 would waste the highest rate.
    """
    schedule = Schedule("cosine", 4, 10)
    assert [schedule.rate(3.0, t) for t in (0, 1, 2)] == [1.0, 2.0, 3.0]
    assert schedule.rate(0.1, 2) == 0.1  # and not 0.1·3/3, which is rounded twice
    assert schedule.rate(1.0, 21) == pytest.approx(0.5, abs=2**-52)
    assert schedule.rate(1.0, 40) == 0
    assert schedule.rate(1.0, 39) == (1 + math.cos(math.pi * 37 / 38)) / 2
    assert schedule.momentum(0.7, 39) == 0.7


@given(
    epochs=st.integers(1, 50), batches=st.integers(1, 60), place=st.floats(0, 1, exclude_max=True)
)
def test_cosine_rises_and_then_falls(epochs, batches, place):
    """A rate above the given one, or a second rise, would be another schedule."""
    schedule, steps = Schedule("cosine", epochs, batches), epochs * batches
    t, top = int(place * steps), int(0.05 * steps)
    assert 0 < schedule.rate(1.0, t) <= 1
    assert schedule.rate(1.0, top) == 1
    later, sooner = schedule.rate(1.0, t + 1), schedule.rate(1.0, t)
    assert later > sooner if t < top else later < sooner


def test_koch_by_hand():
    """The rate falls by a hundredth after each epoch; the momentum rises by equal steps."""
    schedule = Schedule("koch", 5, 10)
    assert [schedule.rate(1.0, t) for t in (0, 9, 10, 29, 49)] == [1, 1, 0.99, 0.99**2, 0.99**4]
    found = [schedule.momentum(0.9, 10 * epoch) for epoch in range(5)]
    assert found == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9], abs=2**-52)
    assert schedule.momentum(0.1, 0) == 0.5  # a final value below one half is reached as well
    assert schedule.momentum(0.1, 49) == pytest.approx(0.1, abs=2**-52)
    assert Schedule("koch", 1, 10).momentum(0.9, 0) == 0.9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("step", 1, 1), "kind must be one of constant, cosine, koch, got 'step'"),
        (("koch", 0, 1), "epochs must be at least 1, got 0"),
        (("koch", 1, 0), "batches must be at least 1, got 0"),
    ],
)
def test_what_is_no_schedule(arguments, message):
    """Broken otherwise: a division by zero, epochs later."""
    with pytest.raises(ValueError, match=message):
        Schedule(*arguments)
    assert all(Schedule(kind, 1, 1).rate(1.0, 0) == 1 for kind in SCHEDULES)
