"""The mirror's learner: the NumPy learner's weights, pixels and files, and torch's own step."""

import importlib
import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch

import numpy_siamese
import torch_siamese
from numpy_siamese import data as numpy_data
from numpy_siamese import training as numpy_training
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.runs.config import TrainConfig as NumpyTrainConfig
from numpy_siamese.runs.config_file import ONLY_TORCH
from numpy_siamese.runs.trainer import Trainer
from numpy_siamese.tests.support.tiny import dataset, replace_pictures, split
from torch_siamese import data, evaluation, inference, training
from torch_siamese.config import TrainConfig
from torch_siamese.settings import threads

DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


@pytest.fixture(autouse=True)
def one_thread():
    """Let what a test computes beside the learner be on one thread, as the learner does."""
    with threads(1):
        yield


def config(**changes):
    small = {"epochs": 1, "batches": 3, "batch_size": 8, "test_pairs": 10, "lr": 1e-5}
    of_test = {"threads": 1, "device": "cpu", "mode": "eager"}
    return TrainConfig(**small | of_test | changes)


def numpy_config(of):
    """Return the same configuration without what only PyTorch needs."""
    shared = {name: value for name, value in of.to_dict().items() if name not in ONLY_TORCH}
    return NumpyTrainConfig(**shared)


def assert_same_state(found, expected):
    """Check two state dicts, of either package, for the same names and bits."""
    assert list(found) == list(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(np.asarray(found[name]), np.asarray(value), strict=True)


# The same start


@DTYPES
@pytest.mark.parametrize("seed", [0, 1, 2**32, 2**64 - 1])
def test_both_learners_start_from_the_same_weights(seed, dtype):
    """Broken otherwise: two runs of one seed differ before their first batch."""
    settings = config(seed=seed, dtype=dtype)
    images = split([2, 2]).images
    learner = training.TorchLearner(settings, images)
    twin = numpy_training.NumpyLearner(numpy_config(settings), images)
    assert_same_state(learner.model_state(), twin.model_state())
    assert learner.momentum_state() == {}


@DTYPES
def test_both_packages_gather_the_same_pixels(dtype):
    """Broken otherwise: the packages train on different images."""
    images, index = split([4, 3]).images, np.array([6, 0, 3, 3])
    expected = numpy_data.gather(images, index, np.dtype(dtype).type)
    found = data.gather(torch.as_tensor(images), torch.as_tensor(index), getattr(torch, dtype))
    np.testing.assert_array_equal(found.numpy(), expected, strict=True)


@DTYPES
def test_weights_of_the_numpy_net_load_as_they_are(dtype):
    """Broken otherwise: weights cannot be handed from one package to the other."""
    twin = numpy_siamese.SiameseNet(5, np.dtype(dtype).type)
    net = torch_siamese.SiameseNet().to(getattr(torch, dtype))
    net.load_state_dict(twin.state_dict())
    assert_same_state(net.state_dict(), twin.state_dict())
    for value in twin.state_dict().values():
        value += 1
    with pytest.raises(AssertionError):
        assert_same_state(net.state_dict(), twin.state_dict())  # a copy, not the same memory


def test_a_state_dict_with_other_names_is_refused():
    """Broken otherwise: a wrong file leaves part of the network untrained without a word."""
    state = numpy_siamese.SiameseNet(0).state_dict()
    state["fc2.bias"] = state.pop("fc1.bias")
    with pytest.raises(RuntimeError, match=r"fc1\.bias"):
        torch_siamese.SiameseNet().load_state_dict(state)


# The step


@DTYPES
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_steps_are_those_of_autograd_and_torch_sgd(dtype, momentum):
    """Broken otherwise: the mirror is not the plain PyTorch program that it stands for."""
    images, labels = split([8, 8, 8])
    settings = config(seed=3, dtype=dtype, momentum=momentum)
    learner = training.TorchLearner(settings, images)
    net = torch_siamese.SiameseNet().to(getattr(torch, dtype))
    net.load_state_dict(numpy_siamese.SiameseNet(3, np.dtype(dtype).type).state_dict())
    optimizer = torch.optim.SGD(net.parameters(), lr=settings.lr, momentum=momentum)
    pixels = torch.as_tensor(images).to(getattr(torch, dtype)).unsqueeze(1)
    for k in range(3):
        left, right, targets = PairSampler(labels, 8, seed=0).batch(0, k)
        optimizer.zero_grad()
        probs = net(pixels[left], pixels[right])
        loss = torch.nn.BCELoss()(probs, torch.as_tensor(targets).to(probs.dtype))
        loss.backward()
        optimizer.step()
        verdicts_right = ((probs.detach().numpy() > 0.5) == (targets == 1)).sum()
        found = learner.learn([(left, right, targets)])
        assert [*map(list, found)] == [[loss.item()], [verdicts_right / 8]]
        assert_same_state(learner.model_state(), net.state_dict())
    buffers = [optimizer.state[p].get("momentum_buffer") for p in net.parameters()]
    found = learner.momentum_state()
    if momentum:
        assert_same_state(found, dict(zip(net.state_dict(), buffers, strict=True)))
    else:
        assert found == {}


def test_learning_changes_the_weights_and_lowers_the_loss():
    """Broken otherwise: a layer is left out, or the step goes uphill.

    Only the embedding's bias stays: in the difference of two embeddings it cancels.
    """
    images, labels = split([8, 8, 8])
    learner = training.TorchLearner(config(dtype="float64"), images)
    before = {name: value.copy() for name, value in learner.model_state().items()}
    batch = PairSampler(labels, 8, seed=0).batch(0, 0)
    losses = learner.learn([batch] * 5)[0].tolist()
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0]
    after = learner.model_state()
    assert {name for name in after if (after[name] == before[name]).all()} == {"net.fc2.bias"}


def test_accuracy_is_that_of_the_numpy_package():
    """Broken otherwise: the packages count other verdicts as right."""
    above, below = np.nextafter(np.float32(0.5), np.float32([1, 0]))
    probs = torch.tensor([[above], [0.5], [below]])
    truth = torch.tensor([[1.0], [0.0], [0.0]])
    assert evaluation.accuracy(probs, truth) == 1.0
    assert evaluation.accuracy(probs, 1 - truth) == 0.0
    assert evaluation.accuracy(probs[:2], truth[1:]) == 0.5


@pytest.mark.parametrize("mode", ["eager", "tuned"])
@pytest.mark.parametrize("steps", [0, 1])
def test_a_learner_takes_over_the_whole_state_of_another(steps, mode):
    """Broken otherwise: it goes on with its own momentum, or changes that of the other."""
    images, labels = split([8, 8, 8])
    batches = [PairSampler(labels, 8, seed=0).batch(0, k) for k in range(3)]
    flags = config(momentum=0.9, mode=mode)
    first, second = (training.TorchLearner(flags, images) for _ in range(2))
    first.learn(batches[:steps])
    second.learn(batches[1:])
    states = [first.model_state(), first.momentum_state()]
    before = [{name: value.copy() for name, value in state.items()} for state in states]
    second.load_state(*states)
    assert_same_state(second.momentum_state(), before[1])
    found = second.learn(batches[2:])
    for state, old in zip(states, before, strict=True):
        assert_same_state(state, old)
    np.testing.assert_array_equal(first.learn(batches[2:]), found)
    assert_same_state(second.model_state(), first.model_state())
    assert_same_state(second.momentum_state(), first.momentum_state())


# Verdicts on pairs


def test_predicting_records_no_gradients():
    """A known mistake: gradients left on while predicting, which costs memory and time."""
    net, images = torch_siamese.SiameseNet(), torch.as_tensor(split([2, 2]).images)
    index = torch.arange(4)
    assert net(data.gather(images, index, torch.float32), torch.zeros(4, 1, 28, 28)).requires_grad
    assert not inference.embed_images(net, images).requires_grad
    assert not inference.pair_probabilities(net, images, index, index).requires_grad


def test_probabilities_are_of_the_pairs_that_were_asked_for():
    """Broken otherwise: predictions belong to other pairs than the truth beside them."""
    learner = training.TorchLearner(config(), split([8, 8, 8]).images)
    images, left, right = split([4, 4], seed=9).images, np.array([0, 5, 7]), np.array([1, 5, 2])
    found = learner.evaluate(images, left, right, [[1], [1], [0]]).probs
    with torch.no_grad():
        embeddings = inference.embed_images(learner.net, torch.as_tensor(images))
        expected = learner.net.compare(embeddings[left], embeddings[right])
    np.testing.assert_array_equal(found, expected.numpy(), strict=True)
    assert len(np.unique(found)) == 3
    bias = learner.model_state()["fc1.bias"]
    assert found[1] == torch.sigmoid(torch.tensor(bias)).numpy()  # an image with itself


@pytest.mark.parametrize("batch", [1, 3, 7, 500])
def test_embeddings_keep_the_order_of_the_images(batch):
    """Broken otherwise: a piece of the images is lost or embedded at another's place.

    An image's embedding is compared with that of the same piece of images embedded alone.
    """
    net, images = torch_siamese.SiameseNet(), torch.as_tensor(split([4, 3]).images)
    found = inference.embed_images(net, images, batch)
    with torch.no_grad():
        pieces = [net.embed(part.unsqueeze(1).float()) for part in images.split(batch)]
    np.testing.assert_array_equal(found.numpy(), torch.cat(pieces).numpy(), strict=True)


# A run


@pytest.mark.slow
@DTYPES
def test_a_model_file_of_either_package_loads_in_both(tmp_path, monkeypatch, dtype):
    """Broken otherwise: a network trained with one package cannot be used with the other."""
    replace_pictures(monkeypatch)
    digits, settings = dataset(), config(dtype=dtype)
    learners = {
        "numpy": (numpy_config(settings), numpy_training.NumpyLearner),
        "torch": (settings, training.TorchLearner),
    }
    for package, (its_settings, make_learner) in learners.items():
        learner = make_learner(its_settings, digits.train.images)
        Trainer(its_settings, digits, learner, tmp_path / package, quiet=True).train()
        path = tmp_path / package / "model.safetensors"
        twin = numpy_siamese.SiameseNet(9, np.dtype(dtype).type)
        twin.load_state_dict(safetensors.numpy.load_file(path))
        net = torch_siamese.SiameseNet().to(getattr(torch, dtype))
        net.load_state_dict(safetensors.torch.load_file(path))
        trained = learner.model_state()
        assert_same_state(twin.state_dict(), trained)
        assert_same_state(net.state_dict(), trained)


# The packages


def test_a_package_imports_no_network_until_asked():
    """Broken otherwise: the command line's --help waits for PyTorch."""
    loaded = (
        "import sys, numpy_siamese, torch_siamese; print({'numpy', 'torch'} & sys.modules.keys())"
    )
    said = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )
    assert said.stdout == "set()\n"


@pytest.mark.parametrize("package", [numpy_siamese, torch_siamese])
def test_a_package_has_its_network_and_says_what_it_has_not(package):
    """Broken otherwise: `hasattr` and `import` do not work as on any other package."""
    assert package.SiameseNet is importlib.import_module(f"{package.__name__}.model").SiameseNet
    message = f"module '{package.__name__}' has no attribute 'SiameseNets'"
    with pytest.raises(AttributeError, match=message):
        _ = package.SiameseNets
