"""Trainings from one seed stay together, step by step."""

import pytest
import torch

from parity_tests.machinery.digits import digits
from parity_tests.trajectory import CLAIMED_DIGITS, Pair

pytestmark = pytest.mark.slow


MODES = {
    "cpu": ["eager", "tuned", "compile"],
    "cuda": ["eager", "tuned", "compile", "graph"] if torch.cuda.is_available() else [],
}


@pytest.mark.parametrize(
    ("device", "mode"), [(device, mode) for device, modes in MODES.items() for mode in modes]
)
def test_float64_losses_agree_to_ten_digits(device: str, mode: str) -> None:
    """The claim of the README, on the first steps; `parity_tests.trajectory` runs more."""
    images, labels = digits()
    pair = Pair(images, labels, dtype="float64", seed=3, device=device, mode=mode)
    steps = list(pair.train(steps=8))
    assert len(steps) == 8
    for step in steps:
        assert step.digits >= CLAIMED_DIGITS, f"step {step.number}"
    assert steps[0].numpy_loss != steps[-1].numpy_loss, "nothing was learnt"
