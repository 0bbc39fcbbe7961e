"""`--model` in PyTorch: a run of another network is trained, used and exported as its own."""

import json

import numpy as np
import onnxruntime
import pytest

from numpy_siamese.files.onnx_file import load_onnx
from numpy_siamese.inference import NumpyNetwork
from numpy_siamese.model import SiameseNet
from numpy_siamese.runs.checkpoint import load_model
from numpy_siamese.runs.config import TrainConfig as NumpyTrainConfig
from numpy_siamese.tests.support.commands import SMALL, assert_refused, end_of
from numpy_siamese.tests.support.evaluations import FEW
from numpy_siamese.tests.support.finished import write_finished_run
from numpy_siamese.tests.support.narrow import NARROW, drawings, use_narrow
from torch_siamese.cli import main

KOCH = ["--model", "koch", "--patience", "0"]


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Let `--model koch` be narrow, in an empty folder."""
    use_narrow(monkeypatch)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_a_run_of_another_model_is_trained_and_judged(folder):
    """Broken otherwise: the run is of another network, or no verb takes it."""
    on_cpu = ["--device", "cpu", "--threads", "1"]
    assert end_of(main, ["train", "--quiet", *SMALL, *KOCH, *on_cpu, "--out", "run"]) == 0
    assert json.loads((folder / "run" / "config.json").read_text())["model"] == "koch"
    start = SiameseNet(architecture=NARROW).state_dict()
    weights = load_model(folder / "run" / "model.safetensors")
    assert {name: w.shape for name, w in weights.items()} == {
        name: w.shape for name, w in start.items()
    }
    assert any(not np.array_equal(weights[name], start[name]) for name in start)
    assert end_of(main, ["evaluate", "run", *FEW, *on_cpu]) == 0


def test_its_file_is_of_its_network(folder):
    """Broken otherwise: the exported network is the recipe's, or reads other images."""
    net = SiameseNet(1, architecture=NARROW)
    write_finished_run(folder / "run", net, model="koch")
    assert end_of(main, ["export", "run", "model.onnx"]) == 0
    for name, value in load_onnx(folder / "model.onnx", NARROW).items():
        np.testing.assert_array_equal(value, net.state_dict()[name], strict=True)
    runtime = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
    told = runtime.get_modelmeta().custom_metadata_map
    assert told["architecture"] == "koch"
    assert told["image"].startswith("105x105 grey levels from 0 to 255")
    assert "the whole picture" in told["image"]
    left, right = drawings(2)[:, None, None].astype(np.float32)
    probability, _ = runtime.run(None, {"left": left, "right": right})
    assert 0 < probability[0, 0] < 1


def test_both_packages_build_the_network_of_a_run(folder):
    """Broken otherwise: a run of one package is of another network in the other."""
    config = NumpyTrainConfig(model="koch", seed=5, threads=1)
    state = NumpyNetwork(config).net.state_dict()
    for name, value in SiameseNet(5, architecture=NARROW).state_dict().items():
        np.testing.assert_array_equal(state[name], value, strict=True)


def test_data_of_another_size_are_refused(capfd, tmp_path):
    """Broken otherwise: 28×28 pixels end in an error of PyTorch, or leave half a folder."""
    argv = ["train", "--device", "cpu", *SMALL, *KOCH, "--out", str(tmp_path / "run")]
    said = "mnist-5k: found 28×28 data, expected 105×105, which omniglot alone has"
    assert_refused(capfd, argv, said, main=main, program="torch-siamese")
    assert not (tmp_path / "run").exists()
