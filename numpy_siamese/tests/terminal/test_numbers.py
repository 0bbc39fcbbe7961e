"""Numbers as people type them: what is taken, and what is refused."""

import numpy as np
import pytest

from numpy_siamese.terminal.numbers import real_number, whole_number
from numpy_siamese.tests.support.commands import (
    assert_refused,
)


@pytest.mark.parametrize(
    ("text", "value"), [("5", 5), ("+5", 5), ("-5", -5), ("-0", 0), ("007", 7), ("0", 0)]
)
def test_whole_numbers_that_are_taken(text, value):
    """Broken otherwise: a number that every program takes is refused."""
    assert whole_number(text) == value


NO_NUMBERS = ["", " ", " 5", "5 ", "5\n", "1_000", "1,000", "0x10", "５", "٣", "five", "5e", "--5"]


@pytest.mark.parametrize("text", [*NO_NUMBERS, "1e3", "5.0", "1.", "nan", "inf", "²", "9" * 5000])
def test_whole_numbers_that_are_refused(capfd, text):
    """Broken otherwise: Python's ways of writing a number are taken, and others' are not."""
    assert_refused(capfd, ["train", f"--epochs={text}"], f"--epochs: found {text!r:.80}, expected")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("0.5", 0.5), (".5", 0.5), ("5.", 5.0), ("5", 5.0), ("1e-3", 0.001), ("1E+2", 100.0)),
        *(("+.5e1", 5.0), ("inf", np.inf), ("-inf", -np.inf), ("5e-324", 5e-324), ("1e-999", 0.0)),
    ],
)
def test_numbers_that_are_taken(text, value):
    """Broken otherwise: a number that every program takes is refused."""
    assert real_number(text) == value


def test_minus_zero_is_zero():
    """Broken otherwise: config.json holds −0, and two equal runs have different files."""
    assert not np.signbit(real_number("-0"))
    assert np.isnan(real_number("nan"))


@pytest.mark.parametrize(
    "text",
    [*NO_NUMBERS, "1e3e", "0.0.1", "0,001", "1e400", "-1e400", "infinity", "0x1p3", ".", "e1"],
)
def test_numbers_that_are_refused(capfd, text):
    """Broken otherwise: a slip trains with another rate, or says that it found inf."""
    assert_refused(capfd, ["train", f"--lr={text}"], f"--lr: found {text!r:.80}, expected a number")
