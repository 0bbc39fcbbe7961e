"""`--model`: each verb builds the network of the run; another one is refused in one line."""

import json

import numpy as np
import pytest
from PIL import Image

from numpy_siamese import load_run
from numpy_siamese.architectures import ARCHITECTURES
from numpy_siamese.architectures import KOCH as KOCH_ITSELF
from numpy_siamese.inference import embed_images, pair_probabilities
from numpy_siamese.model import SiameseNet
from numpy_siamese.runs.checkpoint import load_model
from numpy_siamese.tests.support.commands import SMALL, assert_refused, status
from numpy_siamese.tests.support.evaluations import FEW
from numpy_siamese.tests.support.finished import write_finished_run
from numpy_siamese.tests.support.folders import contents
from numpy_siamese.tests.support.narrow import NARROW, dataset, drawings, narrowed, use_narrow
from numpy_siamese.tests.support.tiny import idx_folder

KOCH = ["--model", "koch", "--patience", "0"]


@pytest.fixture
def narrow(monkeypatch, tmp_path):
    """Let `--model koch` be narrow, in an empty folder with two pictures."""
    use_narrow(monkeypatch)
    monkeypatch.chdir(tmp_path)
    for name, image in zip("ab", drawings(2), strict=True):
        Image.fromarray(255 - image).save(f"{name}.png")


@pytest.fixture
def run(narrow, tmp_path):
    """A finished run of the narrow network."""
    return write_finished_run(tmp_path / "run", SiameseNet(1, architecture=NARROW), model="koch")


@pytest.mark.slow
def test_a_run_of_another_model_is_trained_and_goes_on(narrow, tmp_path):
    """Broken otherwise: the run does not say its network, or goes on with another."""
    train = ["train", "--quiet", *SMALL, *KOCH, "--out", "run"]
    assert status(train) == 0
    assert json.loads((tmp_path / "run" / "config.json").read_text())["model"] == "koch"
    first = load_model(tmp_path / "run" / "model.safetensors")
    assert {k: v.shape for k, v in first.items()} == {
        k: v.shape for k, v in SiameseNet(architecture=NARROW).state_dict().items()
    }
    assert status(["train", "--quiet", "--resume", "run", "--epochs", "2"]) == 0
    second = load_model(tmp_path / "run" / "model.safetensors")
    assert any(not np.array_equal(first[name], second[name]) for name in first)


def test_a_run_goes_on_with_its_own_model_alone(narrow, capfd, tmp_path):
    """Broken otherwise: weights of one network are read into another, or the run is lost."""
    assert status(["train", "--quiet", *SMALL, *KOCH, "--out", "run"]) == 0
    before = contents(tmp_path / "run")
    assert_refused(
        capfd,
        ["train", "--resume", "run", "--model", "mnist"],
        "expected no --model other than its koch",
    )
    assert contents(tmp_path / "run") == before


def test_weights_of_another_model_are_refused(run, capfd):
    """Broken otherwise: a traceback, or a verdict of a network that was never trained."""
    write_finished_run(run, SiameseNet(1), model="koch")
    for argv in (["predict", "run", "a.png", "b.png"], ["evaluate", "run", *FEW]):
        assert_refused(capfd, argv, "model.safetensors: found", "expected those of the network")


def test_a_checkpoint_of_another_model_is_refused(narrow, capfd, tmp_path, monkeypatch):
    """Broken otherwise: the run goes on from weights of another network, or in a traceback."""
    assert status(["train", "--quiet", *SMALL, *KOCH, "--out", "run"]) == 0
    before = contents(tmp_path / "run")
    monkeypatch.setitem(ARCHITECTURES, "koch", narrowed(KOCH_ITSELF, 16))
    assert_refused(capfd, ["train", "--resume", "run", "--epochs", "2"], "checkpoint.safetensors")
    assert contents(tmp_path / "run") == before


def test_data_of_another_size_are_refused_before_anything_is_written(capfd, tmp_path):
    """Broken otherwise: 28×28 pixels end a run of koch with a traceback, or leave half a folder."""
    (tmp_path / "digits").mkdir()
    data = str(idx_folder(tmp_path / "digits", [8, 8]))
    argv = ["train", "--data", data, *SMALL, *KOCH, "--out", str(tmp_path / "run")]
    assert_refused(capfd, argv, "digits: found 28×28 data, expected 105×105, which omniglot")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_every_verb_has_the_network_of_the_run(run, capfd):
    """Broken otherwise: what was trained cannot be used."""
    assert status(["predict", "run", "a.png", "b.png", "--json"]) == 0
    probability = json.loads(capfd.readouterr().out)["probability"]
    net = SiameseNet(1, architecture=NARROW)
    expected = pair_probabilities(net, drawings(2), [0], [1], threads=1)
    assert probability == float(expected[0, 0])
    assert status(["embed", "run", "a.png", "b.png", "--out", "e.npz"]) == 0
    embedded = np.load("e.npz")["embeddings"]
    np.testing.assert_array_equal(embedded, embed_images(net, drawings(2), threads=1))
    assert status(["evaluate", "run", *FEW]) == 0


def test_a_picture_as_large_as_the_network_reads_is_as_it_was_drawn(run):
    """Broken otherwise: strokes are moved or scaled, which the network never saw."""
    used = load_run(run)
    np.testing.assert_array_equal(used.images(["a.png", "b.png"]), drawings(2), strict=True)
    np.testing.assert_array_equal(used.images(drawings(2)), drawings(2), strict=True)


def test_a_trace_of_so_many_numbers_is_refused(monkeypatch, tmp_path, capfd):
    """Broken otherwise: a page of 300 MB, which no browser opens."""
    monkeypatch.chdir(tmp_path)
    use_narrow(monkeypatch)
    write_finished_run(tmp_path / "run", SiameseNet(1, architecture=NARROW), model="koch")
    argv = ["trace", "run", "--left", "0", "--right", "1"]
    assert_refused(capfd, argv, "--model koch: found a layer Sigmoid, which a page cannot show")
    assert not (tmp_path / "trace.html").exists()
    assert dataset().test.images.shape[1:] == NARROW.image_shape[1:]
