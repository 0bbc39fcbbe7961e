"""A network that diverges, and batches several at a time: what the device is asked, and when."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.errors import NotFiniteError
from torch_siamese import modes, training
from torch_siamese.tests.test_settings import BATCH, IMAGES, LABELS, learner

BATCHES = [PairSampler(LABELS, 8, seed=1).batch(0, k) for k in range(6)]


@pytest.fixture
def asserting(monkeypatch):
    """Let cross-entropy do what CUDA's does of NaN: end all."""
    cross_entropy = F.binary_cross_entropy

    def asserting(probs, *others):
        assert torch.isfinite(probs).all(), "device-side assert triggered"
        return cross_entropy(probs, *others)

    monkeypatch.setattr(F, "binary_cross_entropy", asserting)


def spoil(own, name):
    """Make one number of a weight NaN; return the weights before and after."""
    good = {name: value.copy() for name, value in own.model_state().items()}
    bad = good[name].copy()
    bad.flat[0] = np.nan
    own.load_state(good | {name: bad}, {})
    return good, good | {name: bad}


@pytest.mark.usefixtures("asserting")
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("spoilt", ["net.conv1.bias", "net.fc2.weight", "fc1.bias"])
def test_a_loss_of_nan_is_never_asked_of_the_device(spoilt, count):
    """Broken otherwise: CUDA's cross-entropy asserts on the device that it is given probabilities,
    after which the process can use it no more, and --on-nan continue cannot hold.
    """
    own = learner()
    good, bad = spoil(own, spoilt)
    losses, accuracies = own.learn([BATCH] * count)
    assert np.isnan(losses).all()
    assert np.isnan(accuracies).all()
    assert len(losses) == len(accuracies) == count
    for name, value in own.model_state().items():
        np.testing.assert_array_equal(value, bad[name])
    assert own.momentum_state() == {}
    assert np.isnan(own.evaluate(IMAGES, *BATCH).loss)
    own.load_state(good, {})
    assert np.isfinite(own.learn([BATCH])[0]).all()  # the learner goes on
    assert np.isfinite(own.evaluate(IMAGES, *BATCH).loss)


@pytest.mark.usefixtures("asserting")
def test_the_step_tells_a_network_that_has_diverged():
    """Broken otherwise: whoever trains without a learner goes on with gradients of NaN."""
    own = learner()
    spoil(own, "fc1.weight")
    pixels = torch.ones(2, 1, 28, 28)
    with pytest.raises(NotFiniteError, match="not finite"):
        training.loss_and_gradients(own.net, pixels, pixels, torch.ones(2, 1))
    own = learner()
    good = own.model_state()
    own.load_state(good | {"net.conv1.weight": np.full((32, 1, 3, 3), 1e38, np.float32)}, {})
    training.loss_and_gradients(own.net, pixels * 0, pixels * 0, torch.ones(2, 1))
    pixels[0] = 0  # the other pair is ∞ − ∞
    with pytest.raises(NotFiniteError, match="not finite"):
        training.loss_and_gradients(own.net, 9 * pixels, 9 * pixels, torch.ones(2, 1))


class Spoiling:
    """Gradients that are computed as ever, and once, at the given call, of a net that diverged."""

    def __init__(self, monkeypatch, fails):
        of_pairs = modes.Backward.__call__

        def spoiling(backward, left, right, targets):
            loss, probs = of_pairs(backward, left, right, targets)
            if left[0].sum() == fails:
                probs = probs.clone()
                probs[-1] = torch.nan
                for weight in backward.forward.parameters():
                    weight.grad *= torch.nan
            return loss, probs

        monkeypatch.setattr(modes.Backward, "__call__", spoiling)


@pytest.mark.parametrize("mode", ["eager", "tuned", "tuned in bf16"])
@pytest.mark.parametrize("at_a_time", [2, 6])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("bad", [None, 0, 2, 5])
def test_how_many_are_given_at_a_time_does_not_change_a_bit(
    monkeypatch, at_a_time, momentum, bad, mode
):
    """Broken otherwise: a device learns something else than the CPU, or a batch that was left out
    leaves its mark on those after it, or on those that were learned with it.
    """
    first_image = None if bad is None else float(IMAGES[BATCHES[bad][0][0]].sum())
    Spoiling(monkeypatch, first_image)
    mode, _, half = mode.partition(" in ")
    flags = {"momentum": momentum, "mode": mode, "precision": half or "fp32"}
    alone, together = (learner(**flags) for _ in range(2))
    expected = np.concatenate([alone.learn([batch]) for batch in BATCHES], axis=1)
    parts = [BATCHES[start : start + at_a_time] for start in range(0, len(BATCHES), at_a_time)]
    found = np.concatenate([together.learn(part) for part in parts], axis=1)
    np.testing.assert_array_equal(found, expected)
    (nowhere,) = np.nonzero(np.isnan(expected[0]))
    assert nowhere.tolist() == ([] if bad is None else [bad])
    for state in ("model_state", "momentum_state"):
        ours, theirs = getattr(together, state)(), getattr(alone, state)()
        assert ours.keys() == theirs.keys()
        for name, value in theirs.items():
            np.testing.assert_array_equal(ours[name], value, err_msg=name)
            assert np.isfinite(value).all()


def test_batches_given_together_may_be_of_other_sizes_and_in_another_order():
    """Broken otherwise: a verdict is held against the truth about another pair."""
    batches = [PairSampler(LABELS, n, seed=1).batch(0, n) for n in (8, 2, 6)]
    batches[1:] = [tuple(array[::-1].copy() for array in batch) for batch in batches[1:]]
    alone, together = learner(), learner()
    expected = np.concatenate([alone.learn([batch]) for batch in batches], axis=1)
    np.testing.assert_array_equal(together.learn(batches), expected)


@pytest.mark.parametrize("count", [1, 3])
def test_any_number_of_batches_waits_for_the_device_once(monkeypatch, count):
    """Broken otherwise: the device idles at every question, which costs most in small batches."""
    asked = []
    cpu = torch.Tensor.cpu
    monkeypatch.setattr(torch.Tensor, "cpu", lambda self: asked.append(self.shape) or cpu(self))
    learner().learn(BATCHES[:count])
    assert asked == [(count, 2)]


def test_a_gpu_is_given_batches_for_about_half_a_second(monkeypatch):
    """Broken otherwise: a GPU idles after every batch, or Ctrl-C waits for minutes; on the CPU,
    Ctrl-C waits for several batches.
    """
    own = learner()
    own._pace(1, 0.001)
    assert own.batches_at_a_time == 1
    own.device = torch.device("meta")
    own.batches_at_a_time = training.AT_A_TIME
    own._pace(10, 0.02)  # 2 ms each: 250 in half a second, in two strides
    assert own.batches_at_a_time == 100
    own._pace(10, 0.02)  # fewer than wanted, before a checkpoint: they say nothing
    assert own.batches_at_a_time == 100
    own._pace(100, 0.2)
    assert own.batches_at_a_time == 250
    own._pace(10, 0.001)  # fewer than wanted
    assert own.batches_at_a_time == 250
    own._pace(250, 500.0)  # one takes 2 s
    assert own.batches_at_a_time == 1
