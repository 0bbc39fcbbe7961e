"""PyTorch never sees held-out classes either, and goes on with a run of NumPy that holds out."""

import json

import pytest

from numpy_siamese.tests.support.processes import Server
from numpy_siamese.tests.support.same_run import SMALL, assert_same_run
from numpy_siamese.tests.support.signals import send_in_step

HELD = ("--holdout-classes", "1")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Start runs of torch-siamese."""
    server = Server("torch_siamese", tmp_path_factory.mktemp("printed"))
    yield server
    server.close()


def test_a_run_holds_out_and_goes_on_bit_for_bit(server, twelve_images, tmp_path):
    """Broken otherwise: the flag works in one package only."""
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    argv = ("train", "--data", twelve_images, *HELD, *SMALL, "--threads", 1, "--device", "cpu")
    assert server.run(*argv, "--out", whole) == (0, "")
    assert json.loads((whole / "config.json").read_text())["holdout_classes"] == "1"
    assert json.loads((whole / "summary.json").read_text())["images"] == {"train": 8, "test": 8}
    setup = send_in_step(9, 15, learner="torch_siamese.training:TorchLearner")
    assert server.run(*argv, "--out", stopped, setup=setup)[0] == 143
    assert server.run("train", "--resume", stopped) == (0, "")
    assert_same_run(stopped, whole)


def test_a_run_of_numpy_goes_on_with_its_held_out_classes(server, twelve_images, tmp_path):
    """Broken otherwise: a run that moves to PyTorch sees what it was never to see."""
    run = tmp_path / "run"
    numpy_server = Server("numpy_siamese", tmp_path)
    argv = ("train", "--data", twelve_images, *HELD, *SMALL, "--threads", 1, "--out", run)
    try:
        assert numpy_server.run(*argv) == (0, "")
    finally:
        numpy_server.close()
    process = server.start("train", "--resume", run, "--epochs", 3)
    assert (process.wait(), process.err) == (0, "")
    assert " ".join(process.out.split()).count("held out: 1 (4 training and 4 test images)") == 1
    assert json.loads((run / "summary.json").read_text())["images"] == {"train": 8, "test": 8}
