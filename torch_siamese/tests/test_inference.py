"""The mirror's network at work: the learner's verdicts, and settings that are put back."""

import numpy as np
import pytest
import torch

from numpy_siamese.evaluation.verification import Verification
from numpy_siamese.inference import NumpyNetwork
from numpy_siamese.runs.config import TrainConfig as NumpyTrainConfig
from numpy_siamese.runs.finished_run import FinishedRun
from numpy_siamese.tests.support.tiny import split
from torch_siamese import inference
from torch_siamese.config import TrainConfig
from torch_siamese.inference import TorchNetwork
from torch_siamese.training import TorchLearner

DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


def config(**changes):
    return TrainConfig(**{"seed": 3, "threads": 1, "device": "cpu"} | changes)


@DTYPES
def test_it_judges_as_the_learner_does(dtype):
    """Broken otherwise: a run is evaluated with another network or head than it was tested with."""
    digits, settings = split([3, 3]), config(dtype=dtype)
    learner = TorchLearner(settings, digits.images)
    pairs = np.array([0, 1, 2]), np.array([3, 4, 4]), np.array([[0.0], [1.0], [1.0]])
    found: Verification = learner.evaluate(digits.images, *pairs)
    weights = TorchLearner(config(dtype=dtype, seed=9), digits.images).model_state()
    for network in (
        TorchNetwork(settings),
        TorchNetwork(config(dtype=dtype), learner.model_state()),
    ):
        embeddings = network.embed(digits.images)
        logits, probs = network.compare(embeddings[pairs[0]], embeddings[pairs[1]])
        np.testing.assert_array_equal(probs, found.probs, strict=True)
        np.testing.assert_array_equal(torch.sigmoid(torch.tensor(logits)).numpy(), probs)
        weight, bias = network.head()
        np.testing.assert_array_equal(weight, learner.model_state()["fc1.weight"], strict=True)
        np.testing.assert_array_equal(bias, learner.model_state()["fc1.bias"], strict=True)
    np.testing.assert_array_equal(learner.embed(digits.images), embeddings, strict=True)
    for part, expected in zip(learner.head(), (weight, bias), strict=True):
        np.testing.assert_array_equal(part, expected, strict=True)
    other = TorchNetwork(settings, weights).embed(digits.images)
    assert not np.array_equal(other, embeddings)


@DTYPES
def test_both_packages_take_the_weights_of_a_run(dtype, tmp_path):
    """Broken otherwise: the packages' figures are of two networks."""
    digits = split([3, 3])
    weights = TorchLearner(config(dtype=dtype, seed=9), digits.images).model_state()
    ours = NumpyNetwork(NumpyTrainConfig(dtype=dtype, threads=1), weights).net.state_dict()
    run = FinishedRun(tmp_path, config(dtype=dtype), None, weights, "")
    theirs = run.network(TorchNetwork)
    for name, value in theirs.net.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), ours[name], strict=True)
    left, right = theirs.embed(digits.images).reshape(2, 3, -1)
    assert [x.dtype for x in (left, *theirs.compare(left, right))] == [np.dtype(dtype)] * 3


def test_settings_are_put_back():
    """Broken otherwise: a user's threads and gradients change when a run is evaluated."""
    before = torch.get_num_threads()
    network = TorchNetwork(config(threads=before + 1))
    network.compare(*np.zeros((2, 3, 84), np.float32))
    network.embed(split([1, 1]).images)
    assert torch.get_num_threads() == before
    assert torch.is_grad_enabled()


def test_a_network_at_work_is_where_the_configuration_says(monkeypatch):
    """Broken otherwise: `--device` of an evaluation counts for nothing."""
    asked = []

    def select(name):
        asked.append(name)
        return torch.device("cpu")

    monkeypatch.setattr(inference, "select_device", select)
    network = TorchNetwork(config(device="auto"))
    assert (asked, network.device) == (["auto"], torch.device("cpu"))


def test_large_layers_leave_room_for_fewer_images(monkeypatch):
    """Broken otherwise: 2,000 images of a large network do not fit a device."""
    network, parts = TorchNetwork(config()), []
    embed = network.net.embed
    monkeypatch.setattr(network.net, "embed", lambda x: parts.append(len(x)) or embed(x))
    monkeypatch.setattr(inference, "MOST_NUMBERS", 3 * 32 * 26 * 26)  # what conv1 gives
    network.embed(split([4, 3]).images)
    assert parts == [3, 3, 1]
