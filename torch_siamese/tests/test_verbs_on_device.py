"""The verbs of `torch-siamese` on a simulated CUDA device: the CPU's results, and the copies."""

import json

import numpy as np
import pytest

import torch_siamese
from numpy_siamese.tests.support.commands import SMALL, end_of
from numpy_siamese.tests.support.drawings import write_drawings
from numpy_siamese.tests.support.tiny import split
from numpy_siamese.tests.support.trained import write_run
from torch_siamese.cli import main
from torch_siamese.config import TrainConfig
from torch_siamese.inference import TorchNetwork
from torch_siamese.tests.support.copies import TO_DEVICE, TO_HOST

ON_CUDA = ["--device", "cuda", "--threads", "1"]


def on_both(argv, capfd):
    """Run a command on the device and on the CPU; return what both print."""
    told = []
    for kind in ("cuda", "cpu"):
        assert end_of(main, [*argv, "--device", kind]) == 0
        told.append(capfd.readouterr().out)
    return told


@pytest.mark.slow
@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("algorithms", ["fast", "deterministic"])
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_train_goes_on_there(device, data, tmp_path, algorithms, precision):
    """Broken otherwise: the first machine with a device finds out what does not run there."""
    out = tmp_path / "run"
    flags = ["--algorithms", algorithms, "--precision", precision]
    argv = ["train", "--data", str(data), "--out", str(out), *SMALL, "--batches", "5", *flags]
    assert end_of(main, [*argv, *ON_CUDA, "--quiet"]) == 0
    environment = json.loads((out / "config.json").read_text())["environment"]
    assert environment["device"] == "simulated CUDA device"
    assert environment["precision"] == precision
    assert environment["mode"] == "graph"
    assert environment["deterministic_algorithms"] == (algorithms == "deterministic")
    launches = device.launches
    assert end_of(main, ["train", "--resume", str(out), "--epochs", "2", "--quiet"]) == 0
    assert device.launches > launches
    assert len((out / "metrics.csv").read_text().splitlines()) == 3, "a window each"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run of whole numbers, whose logits are exact, and pictures to use it on."""
    monkeypatch.chdir(tmp_path)
    write_drawings(tmp_path / "shapes", 2)
    return write_run(tmp_path / "run", 0.75)


@pytest.mark.parametrize(
    "rest", [["shapes/square/1.png"], ["--references", "shapes"], ["shapes/cross/1.png"]]
)
def test_predict_answers_as_on_the_cpu(device, run, capfd, rest):
    """Broken otherwise: a verdict depends on the device, or each reference is waited for."""
    ours, theirs = on_both(["predict", str(run), "shapes/cross/0.png", *rest, "--json"], capfd)
    assert json.loads(ours) == json.loads(theirs)
    assert device.copies_to(TO_HOST)
    assert device.waits == []


def test_embed_copies_once_each_way(device, run, capfd):
    """Broken otherwise: each micro-batch of a gallery is waited for."""
    found = []
    for kind in ("cuda", "cpu"):
        argv = ["embed", str(run), "shapes", "--out", f"{kind}.npz", "--device", kind]
        assert end_of(main, argv) == 0
        with np.load(f"{kind}.npz") as file:
            found.append(dict(file))
    assert found[0].keys() == found[1].keys()
    for name, value in found[1].items():
        np.testing.assert_array_equal(found[0][name], value, err_msg=name)
    assert len(device.copies_to(TO_HOST)) <= 3, "the embeddings, weight and bias of the head"
    assert device.waits == []


@pytest.mark.parametrize("count", [3, 300])
def test_a_network_at_work_copies_images_once(device, count):
    """Broken otherwise: micro-batches are copied, or read, one by one."""
    images = np.resize(split([4, 4]).images, (count, 28, 28))
    network, expected = (
        TorchNetwork(TrainConfig(device=kind, threads=1)) for kind in ("cuda", "cpu")
    )
    device.reset()
    embeddings = network.embed(images)
    np.testing.assert_array_equal(embeddings, expected.embed(images))
    assert [copy.direction for copy in device.copies] == [TO_DEVICE, TO_HOST]
    found = network.compare(embeddings, embeddings[::-1].copy())
    np.testing.assert_array_equal(found, expected.compare(embeddings, embeddings[::-1].copy()))
    assert device.waits == []


@pytest.mark.parametrize("verb", ["evaluate", "trace"])
def test_other_verbs_run_there(device, finished, tmp_path, capfd, verb):
    """Broken otherwise: a run that was trained on a device can be looked at on a CPU alone."""
    rest = {
        "evaluate": ["--pairs", "20", "--out", str(tmp_path / "evaluation")],
        "trace": ["--left", "0", "--right", "1", "--out", str(tmp_path / "trace.html")],
    }
    assert end_of(main, [verb, str(finished), *rest[verb], *ON_CUDA]) == 0
    assert device.launches > 20
    assert device.copies_to(TO_HOST)


def test_auto_is_the_device_where_there_is_one(device, run):
    """Broken otherwise: a device stays unused unless one asks for it."""
    assert torch_siamese.load_run(run).network.device.type == "cuda"
