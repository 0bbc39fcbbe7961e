"""Adam that a batch which is not finite leaves as it was."""

import numpy as np
import pytest
import torch
from torch import nn

from torch_siamese.optim import Adam, AdamW

GOOD, BAD = torch.tensor(False), torch.tensor(True)


def weights():
    rng = np.random.default_rng(0)
    return [nn.Parameter(torch.tensor(rng.standard_normal(n))) for n in (3, 5)]


def give(parameters, seed):
    """Give the parameters new gradients."""
    rng = np.random.default_rng(seed)
    for parameter in parameters:
        parameter.grad = torch.tensor(rng.standard_normal(len(parameter)))


@pytest.mark.parametrize("decoupled", [False, True])
def test_steps_are_those_of_pytorchs_fused_adam(decoupled):
    """Broken otherwise: another kernel, whose root is not correctly rounded, or no decay."""
    ours, theirs = weights(), weights()
    own = AdamW(ours, 0.1) if decoupled else Adam(ours, 0.1, 0.01)
    kind = torch.optim.AdamW if decoupled else torch.optim.Adam
    plain = kind(theirs, 0.1, weight_decay=0.01, fused=True)
    for seed in range(4):
        for parameters in (ours, theirs):
            give(parameters, seed)
        own.step_unless(GOOD)
        plain.step()
        assert all(map(torch.equal, ours, theirs))


@pytest.mark.parametrize("spoilt", [0, 2])
def test_a_batch_that_is_not_finite_leaves_no_trace(spoilt):
    """Broken otherwise: weights or averages turn NaN, or the step is counted."""
    ours, theirs = weights(), weights()
    own, other = AdamW(ours, 0.1), AdamW(theirs, 0.1)
    for seed in range(4):
        if seed == spoilt:
            give(ours, seed)
            for weight in ours:
                weight.grad *= torch.nan
            own.step_unless(BAD)
        for parameters, optimizer in ((ours, own), (theirs, other)):
            give(parameters, seed)
            optimizer.step_unless(GOOD)
    for one, two in zip(ours, theirs, strict=True):
        assert torch.equal(one, two)
        assert own.state[one].keys() == {"step", "exp_avg", "exp_avg_sq"}
        assert all(torch.equal(own.state[one][k], v) for k, v in other.state[two].items())
