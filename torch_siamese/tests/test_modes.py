"""The modes of a step and its precisions: which one is taken, and what is refused."""

import shutil

import numpy as np
import pytest
import torch

from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.errors import InputError
from numpy_siamese.tests.support.tiny import split
from torch_siamese import modes, training, tuned
from torch_siamese.config import MODES, TrainConfig
from torch_siamese.initialization import initialize
from torch_siamese.modes import in_mode, selected

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
IMAGES, LABELS = split([8, 8, 8])
BATCHES = [PairSampler(LABELS, 8, seed=1).batch(0, k) for k in range(4)]

ROUNDED = 2.0**-8
"""What bfloat16 rounds to."""


def learner(**changes):
    config = {"lr": 1e-4, "momentum": 0.5, "batch_size": 8, "threads": 1, "device": "cpu"}
    return training.TorchLearner(TrainConfig(**config | changes), IMAGES)


def chosen(mode, device, **others):
    return selected(TrainConfig(mode=mode, device="cpu"), device, **others)


def test_auto_is_what_measured_best_on_the_device():
    """Broken otherwise: the default is slower than it has to be."""
    assert chosen("auto", CPU) == "tuned"
    assert chosen("auto", CUDA) == "graph"
    for mode in MODES[1:]:
        assert chosen(mode, CUDA) == mode


def test_several_processes_capture_no_graph():
    """Broken otherwise: the gradients of other ranks are averaged once, at the capture."""
    for device in (CPU, CUDA):
        assert chosen("auto", device, alone=False) == "tuned"
    with pytest.raises(InputError, match="--mode graph: found several processes, expected one"):
        chosen("graph", CUDA, alone=False)


@pytest.mark.parametrize("settings", [{"loss": "n-pair"}, {"rotations": True}, {"distortions": 1}])
def test_batches_of_images_are_not_captured(settings):
    """Broken otherwise: a graph repeats the images of its first step."""
    config = TrainConfig(device="cpu", **settings)
    assert selected(config, CUDA) == "tuned"
    said = modes.remarks(config, "tuned", CUDA, alone=True)
    assert said == ["--mode auto: tuned, as batches of images are not captured"]
    assert modes.remarks(config, "tuned", CPU, alone=True) == [modes.REMARKS["tuned"]]
    assert modes.remarks(config, "tuned", CUDA, alone=False) == [modes.OF_SEVERAL]
    with pytest.raises(InputError, match="--mode graph: found batches of images, expected --loss"):
        selected(TrainConfig(device="cpu", mode="graph", **settings), CUDA)


def test_all_pairs_are_for_one_process():
    """Broken otherwise: each rank compares its share alone, and nobody the pairs between them."""
    config = TrainConfig(device="cpu", loss="n-pair")
    with pytest.raises(InputError, match="--loss n-pair: found several processes, expected one"):
        selected(config, CPU, alone=False)


def test_a_graph_needs_a_gpu():
    """Broken otherwise: a run on the CPU ends in CUDA's traceback, after its folder is made."""
    with pytest.raises(InputError, match="--mode graph: found the device cpu, expected --device"):
        learner(mode="graph")


def test_compiling_for_the_cpu_needs_a_compiler(monkeypatch):
    """Broken otherwise: the first batch ends in a traceback of the compiler's wrapper."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(InputError, match=r"--mode compile: found no C\+\+ compiler"):
        learner(mode="compile")
    assert chosen("compile", CUDA) == "compile"
    monkeypatch.setattr(shutil, "which", lambda name: name if name == "mine" else None)
    monkeypatch.setenv("CXX", "mine")
    assert modes.has_compiler()


def test_tf32_needs_a_gpu():
    """Broken otherwise: a CPU is said to round to TF32, and does not."""
    with pytest.raises(InputError, match="--precision tf32: found the device cpu"):
        learner(precision="tf32")


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_float64_is_never_rounded(precision):
    """Broken otherwise: a precision is asked for that the dtype makes void."""
    with pytest.raises(InputError, match=f"--precision {precision}: found --dtype float64"):
        learner(precision=precision, dtype="float64")


@pytest.mark.parametrize("mode", ["eager", "tuned"])
def test_bf16_rounds_and_still_learns(mode):
    """Broken otherwise: --precision bf16 computes in float32, or takes the loss in bfloat16, whose
    eight bits would show.
    """
    own, plain = learner(mode=mode, precision="bf16"), learner(mode=mode)
    losses, expected = own.learn(BATCHES[:1])[0], plain.learn(BATCHES[:1])[0]
    assert 0 < abs(losses - expected).max() < 4 * ROUNDED
    assert losses != np.float64(torch.tensor(losses).bfloat16())
    for name, value in own.model_state().items():
        assert value.dtype == np.float32, name
    assert own.learn(BATCHES[:1] * 5)[0][-1] < losses[0]
    assert own.environment()["precision"] == "bf16"
    assert own.environment()["mode"] == mode


@pytest.mark.parametrize("mode", ["eager", "tuned"])
def test_bf16_leaves_probabilities_their_bits(mode):
    """Broken otherwise: a confident verdict is rounded to 1. A mistake then costs 100, and no
    gradient corrects it.
    """
    net = initialize(0, torch.float32)
    with torch.no_grad():
        net.fc1.weight.zero_()
        net.fc1.bias.fill_(8.0)  # p = 0.99966
    images = torch.rand(2, 1, 28, 28)
    loss, probs = in_mode(mode, net, CPU, half=True)(images, images, torch.zeros(2, 1))
    assert probs.dtype == torch.float32
    assert (probs == torch.sigmoid(torch.tensor(8.0))).all()
    assert 8 < loss < 8.1
    assert abs(net.fc1.bias.grad - 1) <= ROUNDED


def test_the_test_pairs_are_judged_without_rounding():
    """Broken otherwise: `evaluate` finds another accuracy than the run reported."""
    rounded, plain = learner(precision="bf16"), learner()
    found, expected = (each.evaluate(IMAGES, *BATCHES[0]) for each in (rounded, plain))
    np.testing.assert_array_equal(found.probs, expected.probs)


@pytest.mark.slow
def test_each_mode_computes_the_same_loss():
    """Broken otherwise: a mode learns something else. In float64 no difference but rounding's."""
    found = {}
    for mode in ("eager", "tuned", "compile"):
        found[mode] = learner(mode=mode, dtype="float64").learn(BATCHES)[0]
    for mode in ("tuned", "compile"):
        assert abs(found[mode] - found["eager"]).max() < 1e-10  # ten digits, as claimed


def test_large_batches_are_worked_on_in_parts(monkeypatch):
    """Broken otherwise: parts count for the wrong share, or the last one is lost."""
    monkeypatch.setattr(modes, "MICRO_BATCH", 3)
    monkeypatch.setattr(tuned, "TOGETHER", 2)  # so the last part, of 2 pairs, is one batch
    found = learner(dtype="float64").learn(BATCHES)[0]
    expected = learner(dtype="float64", mode="eager").learn(BATCHES)[0]
    assert abs(found - expected).max() < 1e-10  # ten digits, as claimed


def test_twins_are_one_batch_where_that_is_faster():
    """Broken otherwise: a GPU is given twice as many kernels of half the size."""
    seen = []
    for device, pairs in ((CPU, 3), (CUDA, 3)):
        net = tuned.tuned(initialize(0, torch.float32), device)
        net._together = min(net._together, 2) if device is CPU else net._together
        net._layers.insert(0, lambda x: seen.append(len(x)) or x)
        images = torch.zeros(pairs, 1, 28, 28)
        net(images, images)
    assert seen == [3, 3, 6]


def test_the_tuned_network_shares_its_weights():
    """Broken otherwise: it learns, and the network that is saved does not."""
    net = initialize(0, torch.float32)
    backward = in_mode("tuned", net, CPU)
    assert {id(p) for p in backward.forward.parameters()} == {id(p) for p in net.parameters()}
    images = torch.rand(2, 1, 28, 28)
    backward(images, images.flip(0), torch.ones(2, 1))
    assert all(weight.grad is not None for weight in net.parameters())
