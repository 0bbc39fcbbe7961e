"""The step of a share, in one process that is alone in its group."""

import datetime
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks

from torch_siamese.distributed.averaging import AveragedBackward
from torch_siamese.initialization import initialize
from torch_siamese.modes import in_mode

CPU = torch.device("cpu")
LEFT, RIGHT = torch.rand(2, 5, 1, 28, 28, generator=torch.manual_seed(0))
TARGETS = torch.tensor([[1.0], [0.0], [1.0], [0.0], [1.0]])


@pytest.fixture
def group():
    """A group of one rank."""
    wait = datetime.timedelta(seconds=20)
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1, timeout=wait)
    yield SimpleNamespace(in_touch=nullcontext)
    dist.destroy_process_group()


def both(group, mode, micro_batch=None):
    """Return a network's step alone and in the group, of equal weights, and the group's network."""
    nets = [initialize(0, torch.float32) for _ in range(2)]
    alone, share = (in_mode(mode, net, CPU) for net in nets)
    alone.micro_batch = share.micro_batch = micro_batch
    return alone, AveragedBackward(share, nets[1], group), nets


@pytest.mark.parametrize("mode", ["eager", "tuned"])
@pytest.mark.parametrize("micro_batch", [None, 2, 5])
def test_one_rank_computes_what_one_process_does(group, mode, micro_batch):
    """Broken otherwise: a share in parts counts twice, or the first step on blank images counts."""
    alone, averaged, nets = both(group, mode, micro_batch)
    for _ in range(2):
        expected, found = (step(LEFT, RIGHT, TARGETS) for step in (alone, averaged))
        assert all(map(torch.equal, found, expected))
        for theirs, ours in zip(*(net.parameters() for net in nets), strict=True):
            assert torch.equal(theirs.grad, ours.grad)


@pytest.mark.parametrize(("micro_batch", "parts"), [(None, 1), (2, 3)])
def test_ranks_tell_each_other_once_a_step(group, micro_batch, parts):
    """Broken otherwise: a share in several parts is averaged as often, and waits as often."""
    _, averaged, _ = both(group, "tuned", micro_batch)
    told, passes = [], []

    def hook(state, bucket):
        told.append(bucket.index())
        return default_hooks.allreduce_hook(state, bucket)

    averaged._parallel.register_comm_hook(None, hook)
    averaged._parallel.register_forward_hook(lambda *_: passes.append(1))
    averaged(LEFT, RIGHT, TARGETS)
    assert told == [0], "all gradients fit in one bucket"
    assert len(passes) == parts


@pytest.mark.parametrize("micro_batch", [None, 2])
@pytest.mark.parametrize("bad", [None, 0, 4])
def test_a_probability_that_is_not_finite_is_told_by_the_gradient(group, micro_batch, bad):
    """Broken otherwise: other ranks learn from a batch that this one leaves out."""
    _, averaged, nets = both(group, "eager", micro_batch)
    left = LEFT.clone()
    if bad is not None:
        left[bad] = torch.nan
    loss, probs = averaged(left, RIGHT, TARGETS)
    assert probs.isnan().all() if bad is not None else probs.isfinite().all()
    assert nets[1].fc1.bias.grad.isnan().all() == (bad is not None)
    assert loss.isfinite()
