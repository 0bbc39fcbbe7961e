"""Going on with PyTorch, and from one package to the other."""

import random
import shlex
import signal

import pytest
import torch

from numpy_siamese.tests.support.processes import Server
from numpy_siamese.tests.support.same_run import SMALL, WRITTEN, assert_same_run
from numpy_siamese.tests.support.signals import SIGNALS, kill_in_writing, send_in_step

DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
    ),
]
MOMENTS = 6


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Start runs of torch-siamese."""
    server = Server("torch_siamese", tmp_path_factory.mktemp("printed"))
    yield server
    server.close()


@pytest.fixture(scope="module", params=DEVICES)
def whole(request, server, twelve_images, tmp_path_factory):
    """The device and the run that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole") / "run"
    on_device = ("--device", request.param, "--algorithms", "deterministic")
    argv = ("train", "--data", twelve_images, "--out", out, *SMALL, "--threads", 1, *on_device)
    assert server.run(*argv) == (0, "")
    return request.param, out


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_killed_run_goes_on_bit_for_bit(server, twelve_images, whole, tmp_path, moment):
    """Broken otherwise: going on with PyTorch gives another run, without its momentum or place."""
    dice, (device, expected) = random.Random(moment), whole
    out, on_device = tmp_path / "run", ("--device", device, "--algorithms", "deterministic")
    killing = kill_in_writing(dice.randint(2, WRITTEN), dice.choice(["half", "renamed"]))
    argv = ("train", "--data", twelve_images, "--out", out, *SMALL, "--threads", 1, *on_device)
    assert server.run(*argv, setup=killing) == (-signal.SIGKILL, "")
    assert server.run("train", "--resume", out) == (0, "")
    assert_same_run(out, expected)


@SIGNALS
def test_a_signal_saves_and_says_how_to_go_on(server, twelve_images, whole, tmp_path, number, word):
    """Broken otherwise: stopping works in one package only, or names the other's command."""
    device, expected = whole
    setup = send_in_step(9, number, learner="torch_siamese.training:TorchLearner")
    on_device = ("--device", device, "--algorithms", "deterministic")
    place = ("--data", twelve_images, "--out", tmp_path / "run")
    argv = ("train", *place, *SMALL, "--threads", 1, *on_device)
    status, err = server.run(*argv, setup=setup)
    assert status == 128 + number
    assert err.startswith(f"torch-siamese: {word}; saved after epoch 2, batch 3, go on with: ")
    program, *again = shlex.split(err.split("go on with: ")[1])
    assert program == "torch-siamese"
    assert server.run(*again) == (0, "")
    assert_same_run(tmp_path / "run", expected)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_command_gives_the_same_bytes_killed_or_not(
    server, twelve_images, tmp_path, threads
):
    """Broken otherwise: with one number of threads a result cannot be repeated, or gone on with."""
    flags = ("--epochs", 1, "--batches", 4, "--batch-size", 16, "--test-pairs", 10, "--window", 3)
    flags += ("--device", "cpu", "--threads", threads, "--checkpoint-every", 1)
    runs = [tmp_path / name for name in ("first", "second", "killed")]
    for run in runs[:2]:
        assert server.run("train", "--data", twelve_images, "--out", run, *flags) == (0, "")
    argv = ("train", "--data", twelve_images, "--out", runs[2], *flags)
    assert server.run(*argv, setup=kill_in_writing(9, "unnamed")) == (-signal.SIGKILL, "")
    assert server.run("train", "--resume", runs[2]) == (0, "")
    for run in runs[1:]:
        assert_same_run(run, runs[0])
