"""Batches of images on a simulated CUDA device: what is copied, who waits, and what is learned."""

import numpy as np
import pytest

from numpy_siamese.tests.support import tiny
from torch_siamese import training
from torch_siamese.config import TrainConfig
from torch_siamese.optim import SGD
from torch_siamese.tests.support.copies import TO_DEVICE, TO_HOST, Copy

IMAGES, _ = tiny.split([8, 8, 8])
N = 3
RNG = np.random.default_rng(4)
SIDES = [(IMAGES[RNG.permutation(24)[:N]], IMAGES[RNG.permutation(24)[:N]]) for _ in range(4)]
ALL_PAIRS = [(*sides, np.eye(N, dtype=np.float32)) for sides in SIDES]
SINGLE = [(*sides, np.array([[1], [0], [1]], np.float32)) for sides in SIDES]
KINDS = {"all pairs": ALL_PAIRS, "single pairs": SINGLE}

every_kind = pytest.mark.parametrize("kind", KINDS)
every_mode = pytest.mark.parametrize("mode", ["eager", "tuned"])


def learner(**changes):
    flags = {"device": "cuda", "threads": 1, "lr": 1e-4, "momentum": 0.9, "loss": "n-pair"}
    return training.TorchLearner(TrainConfig(**flags | changes), IMAGES)


def on_cpu(mode):
    """A learner that computes on the CPU what a device does, and updates as a device does."""
    own = learner(mode=mode, device="cpu")
    own.optimizer = own._stepper.optimizer = SGD(list(own.net.parameters()), 1e-4, 0.9, fused=True)
    return own


def sent(size):
    """A copy to the device that nobody waits for."""
    return Copy(TO_DEVICE, size, pinned=True, non_blocking=True)


@every_kind
@every_mode
def test_a_batch_costs_three_copies_and_no_wait_before_the_end(device, kind, mode):
    """Broken otherwise: the device idles at each batch, while the host asks for its loss."""
    own, batches = learner(mode=mode), KINDS[kind]
    own.learn(batches)
    device.reset()
    own.learn(batches)
    of_batch = [*[sent(N * 28 * 28)] * 2, sent(8 * batches[0][2].size)]
    results = Copy(TO_HOST, len(batches) * 2 * 8, pinned=False, non_blocking=False)
    assert device.copies == [*of_batch * len(batches), results]
    assert (device.waits, device.stops) == ([], 1)


@every_kind
@every_mode
def test_a_device_learns_what_the_cpu_does(device, kind, mode):
    """Broken otherwise: images are read before they have arrived, or in another order."""
    own, expected = learner(mode=mode), on_cpu(mode)
    one_by_one = [expected.learn([pairs]) for pairs in KINDS[kind]]
    np.testing.assert_array_equal(own.learn(KINDS[kind]), np.concatenate(one_by_one, axis=1))
    for state in ("model_state", "momentum_state"):
        ours, theirs = getattr(own, state)(), getattr(expected, state)()
        assert ours.keys() == theirs.keys()
        for name, value in theirs.items():
            np.testing.assert_array_equal(ours[name], value, err_msg=name)


@every_kind
@pytest.mark.parametrize("place", ["cuda", "cpu"])
def test_a_batch_that_is_not_finite_leaves_the_weights(device, kind, place):
    """Broken otherwise: one batch of NaN spoils every weight."""
    own = learner(mode="eager", device=place)
    huge = np.full((32, 1, 3, 3), 1e38, np.float32)
    state = own.model_state() | {"net.conv1.weight": huge}
    own.load_state(state, {})
    losses, accuracies = own.learn(KINDS[kind])
    assert np.isnan(losses).all()
    assert np.isnan(accuracies).all()
    for name, value in own.model_state().items():
        np.testing.assert_array_equal(value, state[name], err_msg=name)
    assert own.momentum_state() == {}


def test_kinds_may_follow_each_other(device):
    """Broken otherwise: results come in another order than the batches, or some are left out."""
    index = np.arange(N)
    indices = [(index, index + N, SINGLE[0][2])]
    mixed = [ALL_PAIRS[0], *indices, SINGLE[1], SINGLE[2], ALL_PAIRS[3]]
    own, one_by_one = learner(mode="eager"), learner(mode="eager")
    found = own.learn(mixed)
    expected = [one_by_one.learn([pairs]) for pairs in mixed]
    np.testing.assert_array_equal(found, np.concatenate(expected, axis=1))
