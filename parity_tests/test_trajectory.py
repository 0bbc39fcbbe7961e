"""Trainings from one seed stay together, step by step."""

import pytest

from parity_tests.machinery.digits import digits
from parity_tests.trajectory import CLAIMED_DIGITS, Pair

pytestmark = pytest.mark.slow


def test_float64_losses_agree_to_ten_digits() -> None:
    """The claim of the README, on the first steps; `parity_tests.trajectory` runs more."""
    images, labels = digits()
    steps = list(Pair(images, labels, dtype="float64", seed=3).train(steps=8))
    assert len(steps) == 8
    for step in steps:
        assert step.digits >= CLAIMED_DIGITS, f"step {step.number}"
    assert steps[0].numpy_loss != steps[-1].numpy_loss, "nothing was learnt"
