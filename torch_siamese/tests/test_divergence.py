"""A network that diverges: told before the device is asked for the loss; the learner goes on."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from torch_siamese.tests.test_settings import BATCH, learner


@pytest.mark.parametrize("spoilt", ["net.conv1.bias", "net.fc2.weight", "fc1.bias"])
def test_a_loss_of_nan_is_never_asked_of_the_device(spoilt, monkeypatch):
    """Broken otherwise: CUDA's cross-entropy asserts on the device that it is given probabilities,
    after which the process can use it no more, and --on-nan continue cannot hold.
    """
    own = learner()
    good = own.model_state()
    good = {name: value.copy() for name, value in good.items()}
    bad = good[spoilt].copy()
    bad.flat[0] = np.nan
    cross_entropy = F.binary_cross_entropy

    def asserting(probs, *others):
        assert torch.isfinite(probs).all(), "device-side assert triggered"
        return cross_entropy(probs, *others)

    monkeypatch.setattr(F, "binary_cross_entropy", asserting)
    own.load_state(good | {spoilt: bad}, {})
    with pytest.raises(RuntimeError, match="not finite"):
        own.step(*BATCH)
    for name, value in own.model_state().items():
        np.testing.assert_array_equal(value, bad if name == spoilt else good[name])
    assert own.momentum_state() == {}
    own.load_state(good, {})
    assert np.isfinite(own.step(*BATCH)[0])  # the learner goes on


def test_a_step_waits_for_the_device_once(monkeypatch):
    """Broken otherwise: the device idles at every question, which costs most in small batches."""
    asked = []
    cpu = torch.Tensor.cpu
    monkeypatch.setattr(torch.Tensor, "cpu", lambda self: asked.append(self.shape) or cpu(self))
    learner().step(*BATCH)
    assert asked == [(8, 1)]
