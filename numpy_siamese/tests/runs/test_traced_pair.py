"""A traced pair as the page takes it: its moments, its target, and what it holds."""

import shutil
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest

from numpy_siamese.architectures import ARCHITECTURES, MNIST, Scale
from numpy_siamese.errors import InputError
from numpy_siamese.model import SiameseNet
from numpy_siamese.runs import traced_pair as module
from numpy_siamese.runs.checkpoint import load_checkpoint, save_checkpoint
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.finished_run import read_finished_run
from numpy_siamese.runs.kept_checkpoints import kept_files
from numpy_siamese.runs.traced_pair import TracedImage, traced_pair
from numpy_siamese.tests.support.evaluations import tiny_run
from numpy_siamese.tests.support.finished import write_finished_run
from numpy_siamese.tracing import Traced, trace

pytestmark = pytest.mark.slow


def image(label: str | None, seed: int = 0) -> TracedImage:
    pixels = np.random.default_rng(seed).integers(0, 256, (28, 28), dtype=np.uint8)
    return TracedImage(f"image {seed}", label, pixels)


def pair_of(folder, target=None, labels=("7", "7"), torch=None, **changed):
    run = replace(read_finished_run(folder, TrainConfig), **changed)
    images = image(labels[0], 0), image(labels[1], 1)
    start = SiameseNet(run.config.seed).state_dict()
    return traced_pair(run, images, target, "numpy-siamese", trace, start, torch)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A run of twelve batches that has kept checkpoints."""
    flags = ("--keep-checkpoints", "--batches", "4", "--epochs", "3")
    return tiny_run(tmp_path_factory.mktemp("kept"), *flags)


@pytest.fixture
def plain(tmp_path):
    """A finished run that has kept nothing."""
    return write_finished_run(tmp_path / "run", SiameseNet(1), seed=1)


def test_each_moment_says_when_it_was(kept):
    """Broken otherwise: the slider tells another moment than it shows."""
    states = pair_of(kept).about["states"]
    assert [state["batches"] for state in states] == sorted({0, 12, *kept_files(kept)})
    assert states[0]["label"] == "0 batches: untrained"
    assert states[1]["label"] == "1 batch of 12"
    assert states[-1]["label"] == "12 batches of 12"


def test_a_run_without_checkpoints_has_its_start_and_its_end(plain):
    """Broken otherwise: an older run cannot be traced."""
    found = pair_of(plain)
    assert [state["batches"] for state in found.about["states"]] == [0, 5000]
    assert any("kept no checkpoints" in note for note in found.about["notes"])
    assert not [name for name in found.tensors if ".momentum." in name]
    start = SiameseNet(1).state_dict()["net.conv1.weight"]
    assert np.array_equal(found.tensors["0.weight.net.conv1.weight"], start)


@pytest.mark.parametrize(
    ("target", "labels", "expected", "assumed"),
    [
        (None, ("7", "7"), 1, False),
        (None, ("7", "1"), 0, False),
        (None, (None, "1"), 1, True),
        (0, ("7", "7"), 0, False),
        (1, (None, None), 1, False),
    ],
)
def test_the_target_follows_the_classes_or_the_flag(plain, target, labels, expected, assumed):
    """Broken otherwise: gradients are of another loss than the page says."""
    about = pair_of(plain, target, labels).about
    assert (about["target"], about["assumed"]) == (expected, assumed)


def test_the_last_moment_has_all_weights_and_momentum(kept):
    """Broken otherwise: a weight's next value is computed from another momentum."""
    found, checkpoint = pair_of(kept), load_checkpoint(kept / "checkpoint.safetensors")
    last = len(found.about["states"]) - 1
    for name, value in checkpoint.model.items():
        assert np.array_equal(found.tensors[f"{last}.weight.{name}"], value)
        assert np.array_equal(found.tensors[f"{last}.momentum.{name}"], checkpoint.momentum[name])
    assert "0.weight.net.fc1.weight" not in found.tensors
    assert {value.dtype for value in found.tensors.values()} == {np.dtype(np.float32)}


def test_the_order_in_which_weights_are_read_does_not_matter(plain):
    """Broken otherwise: the same command gives other bytes each time."""
    weights = read_finished_run(plain, TrainConfig).weights
    backward = dict(reversed(weights.items()))
    found, again = pair_of(plain), pair_of(plain, weights=backward)
    assert list(found.tensors) == list(again.tensors)


def test_the_layers_are_those_of_the_architecture(plain):
    """Broken otherwise: the page computes another network."""
    layers = pair_of(plain).about["layers"]
    assert [tuple(layer["in"]) for layer in layers] == [shape for _, shape in MNIST.with_shapes()]
    named = {layer["name"]: tuple(layer["weight"]) for layer in layers if "name" in layer}
    assert named | {"fc1": (1, 84)} == MNIST.weight_shapes()


def test_a_scaled_input_is_in_the_page(plain, monkeypatch):
    """Broken otherwise: a network with scaled input has no page, or one that does not scale."""
    scaled = replace(MNIST, layers=(Scale(1 / 255), *MNIST.layers))
    monkeypatch.setitem(ARCHITECTURES, "mnist", scaled)
    first, second, *_ = pair_of(plain).about["layers"]
    shape = [1, 28, 28]
    assert first == {"kind": "scale", "in": shape, "out": shape, "factor": 1 / 255}
    assert second["kind"] == "conv2d"


@pytest.mark.parametrize(("spare", "fits"), [(0, True), (-1, False)])
def test_a_network_that_is_too_large_for_a_page_is_refused(plain, monkeypatch, spare, fits):
    """Broken otherwise: a page that no browser opens."""
    monkeypatch.setattr(module, "MOST_PARAMETERS", MNIST.parameter_count() + spare)
    with nullcontext() if fits else pytest.raises(InputError, match="found a network of 221,185"):
        pair_of(plain)


def test_a_run_in_float64_is_rounded_and_says_so(tmp_path):
    """Broken otherwise: the page claims that its numbers are the run's."""
    run = write_finished_run(tmp_path / "run", SiameseNet(dtype=np.float64))
    about = pair_of(run).about
    assert any("float64" in note and "rounded" in note for note in about["notes"])


def test_pytorchs_numbers_belong_to_the_last_moment(kept):
    """Broken otherwise: they stand beside those of other weights."""
    asked = []

    def torch(config, parameters, found, target):
        asked.append((parameters, found.logit.value, target))
        tensors = {"logit": np.ones(1, np.float32)}
        return {"version": "0", "whole": "w", "layers": ["l"], "tensors": tensors}

    found = pair_of(kept, torch=torch)
    ((parameters, logit, target),) = asked
    weights = load_checkpoint(kept / "checkpoint.safetensors").model
    assert all(np.array_equal(parameters[name], weights[name]) for name in weights)
    assert logit == found.about["states"][-1]["logit"]
    assert target == 1
    assert found.about["torch"] == {"version": "0", "whole": "w", "layers": ["l"]}
    assert f"{len(found.about['states']) - 1}.torch.logit" in found.tensors


def test_a_momentum_that_is_not_finite_is_refused(kept, tmp_path):
    """Broken otherwise: the page tells a next value of a weight that is none."""
    run = shutil.copytree(kept, tmp_path / "run")
    checkpoint = load_checkpoint(run / "checkpoint.safetensors")
    momentum = {name: value * np.nan for name, value in checkpoint.momentum.items()}
    save_checkpoint(run / "checkpoint.safetensors", replace(checkpoint, momentum=momentum))
    with pytest.raises(InputError, match=r"checkpoint\.safetensors: found"):
        pair_of(run)


def test_numbers_that_are_not_finite_behind_the_logit_are_refused(plain, monkeypatch):
    """Broken otherwise: a gradient that overflowed is a colour."""

    right = trace

    def overflowing(*arguments):
        found = right(*arguments)
        value, gradient = found.difference
        return replace(found, difference=Traced(value, gradient * np.float32(np.inf)))

    monkeypatch.setitem(globals(), "trace", overflowing)
    with pytest.raises(InputError, match="found numbers that are not finite"):
        pair_of(plain)


def test_the_step_is_the_runs(tmp_path):
    """Broken otherwise: a weight's next value is that of another learning rate."""
    run = write_finished_run(tmp_path / "run", SiameseNet(), lr=0.25, momentum=0.5)
    assert pair_of(run).about["sgd"] == {"lr": 0.25, "momentum": 0.5}


def test_a_network_that_overflows_is_refused(tmp_path):
    """Broken otherwise: the page shows infinities as colours."""
    net = SiameseNet()
    for value in net.parameters().values():
        value[...] = 3e38
    with pytest.raises(InputError, match="a logit that is not, expected a network that has"):
        pair_of(write_finished_run(tmp_path / "run", net))
