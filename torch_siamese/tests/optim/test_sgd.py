"""SGD that a batch which is not finite leaves as it was, by the host or by the fused kernel."""

import numpy as np
import pytest
import torch
from torch import nn

from torch_siamese.optim import SGD

GOOD, BAD = torch.tensor(False), torch.tensor(True)
U = 2.0**-53

both = pytest.mark.parametrize("fused", [False, True], ids=["plain", "fused"])
every_momentum = pytest.mark.parametrize("momentum", [0.0, 0.5])


def weights():
    rng = np.random.default_rng(0)
    return [nn.Parameter(torch.tensor(rng.standard_normal(n))) for n in (3, 5)]


def give(parameters, seed):
    """Give the parameters new gradients."""
    rng = np.random.default_rng(seed)
    for parameter in parameters:
        parameter.grad = torch.tensor(rng.standard_normal(len(parameter)))


@both
@every_momentum
def test_steps_are_those_of_pytorchs_sgd(fused, momentum):
    """Broken otherwise: the first step begins from a momentum other than zero, or a step is left
    out. A step rounds at most four times here and four times there, of numbers up to ten.
    """
    ours, theirs = weights(), weights()
    own, plain = SGD(ours, 0.1, momentum, fused), torch.optim.SGD(theirs, 0.1, momentum)
    for seed in range(5):
        give(ours, seed)
        give(theirs, seed)
        own.step_unless(GOOD)
        plain.step()
        for one, other in zip(ours, theirs, strict=True):
            assert (one - other).abs().max() <= 8 * U * 10 * (seed + 1)
            assert (own.buffer(one) is None) == (momentum == 0)
            if momentum:
                buffer = plain.state[other]["momentum_buffer"]
                assert (own.buffer(one) - buffer).abs().max() <= 8 * U * 10 * (seed + 1)


@both
@every_momentum
@pytest.mark.parametrize("spoilt", [0, 2])
def test_a_batch_that_is_not_finite_leaves_no_trace(fused, momentum, spoilt):
    """Broken otherwise: weights or momentum turn NaN, or what memory held becomes the momentum."""
    ours, theirs = weights(), weights()
    own, other = SGD(ours, 0.1, momentum, fused), SGD(theirs, 0.1, momentum, fused)
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
        if momentum:
            assert torch.equal(own.buffer(one), other.buffer(two))


def test_a_momentum_that_is_taken_stays_where_it_lies():
    """Broken otherwise: a captured graph goes on with the momentum of before, or frees it."""
    (weight, *_) = parameters = weights()
    own = SGD(parameters, 0.1, 0.5, fused=True)
    give(parameters, 0)
    own.step_unless(GOOD)
    place = own.buffer(weight).data_ptr()
    given = torch.arange(3.0, dtype=torch.float64)
    own.load_buffer(weight, given)
    assert own.buffer(weight).tolist() == [0, 1, 2]
    assert own.buffer(weight).data_ptr() == place != given.data_ptr()
    own.load_buffer(weight, None)
    assert own.buffer(weight).tolist() == [0, 0, 0]
    assert own.buffer(weight).data_ptr() == place


@both
def test_no_momentum_takes_the_place_of_another(fused):
    """Broken otherwise: a learner that goes back to a first step keeps its own momentum."""
    ours, theirs = weights(), weights()
    own, fresh = SGD(ours, 0.1, 0.5, fused), SGD(theirs, 0.1, 0.5, fused)
    give(ours, 0)
    own.step_unless(GOOD)
    for one, other in zip(ours, theirs, strict=True):
        own.load_buffer(one, None)
        with torch.no_grad():
            one.copy_(other)
    for parameters, optimizer in ((ours, own), (theirs, fresh)):
        give(parameters, 1)
        optimizer.step_unless(GOOD)
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one, other)


@both
def test_groups_have_settings_of_their_own(fused):
    """Broken otherwise: a layer learns at another's rate, or without its momentum or L2."""
    ours, theirs = weights(), weights()
    groups = [{"lr": 0.1, "momentum": 0.0}, {"lr": 0.5, "momentum": 0.5, "weight_decay": 0.1}]

    def parts(parameters):
        return [{"params": [p], **own} for p, own in zip(parameters, groups, strict=True)]

    own, plain = SGD(parts(ours), 0.1, 0.9, fused), torch.optim.SGD(parts(theirs), 0.1, 0.9)
    for seed in range(3):
        give(ours, seed)
        give(theirs, seed)
        own.step_unless(GOOD)
        plain.step()
    for one, other in zip(ours, theirs, strict=True):
        assert (one - other).abs().max() <= 8 * U * 10 * 3
    assert own.buffer(ours[0]) is None
    assert own.buffer(ours[1]) is not None
