"""A run that one package began and the other ended is, in float64, the run of either alone."""

import csv
import json
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from numpy_siamese import training as numpy_training
from numpy_siamese.cli import main as numpy_cli
from numpy_siamese.data.folder import CSV_FILES
from numpy_siamese.runs.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from numpy_siamese.tests.support.tiny import replace_pictures
from parity_tests.machinery.digits import digits
from parity_tests.machinery.error_bounds import same_bits
from parity_tests.trajectory import CLAIMED_DIGITS, Pair, significant_digits
from torch_siamese import cli as torch_cli
from torch_siamese import training as torch_training

PACKAGES = {
    "numpy": (numpy_cli.main, numpy_training.NumpyLearner),
    "torch": (torch_cli.main, torch_training.TorchLearner),
}
FLAGS = {"numpy": [], "torch": ["--device", "cpu"]}
"""CUDA's losses differ in their last bits. `torch_siamese/tests/test_resume.py` is about CUDA."""

EPOCHS, BATCHES, STOP = 2, 4, 6


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of the suite's digits."""
    folder = tmp_path_factory.mktemp("digits")
    images, labels = digits()
    table = np.column_stack([labels, images.reshape(len(images), -1)])
    for name in CSV_FILES:
        np.savetxt(folder / name, table, fmt="%d", delimiter=",")
    return folder


@pytest.fixture
def begin(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, Path]]:
    """Return a function that begins a run and stops it after some steps, or never."""
    replace_pictures(monkeypatch)

    def run(package: str, stop: int | None = None, epochs: int = EPOCHS) -> tuple[int, Path]:
        main, learner = PACKAGES[package]
        out = tmp_path / f"{package}-{stop}-{epochs}"
        settings = {"data": data, "out": out, "dtype": "float64", "epochs": epochs, "window": 1}
        settings |= {"batches": BATCHES, "batch-size": 20, "test-pairs": 40, "momentum": 0.9}
        settings |= {"lr": 0.0001, "threads": 1}
        argv = [text for name, value in settings.items() for text in (f"--{name}", str(value))]
        steps = 0
        learn = learner.learn

        def counted(self: object, batches: object) -> object:
            nonlocal steps
            steps += 1
            if steps == stop:
                signal.raise_signal(signal.SIGTERM)
            return learn(self, batches)

        with monkeypatch.context() as patch:
            patch.setattr(learner, "learn", counted)
            return main(["train", "--quiet", *argv, *FLAGS[package]]), out

    return run


def resume(package: str, run: Path, *flags: str) -> int:
    return PACKAGES[package][0](["train", "--quiet", "--resume", str(run), *flags])


def losses(run: Path) -> list[float]:
    """Return the losses of every batch, then those of the tests."""
    found = []
    for name in ("metrics.csv", "test_metrics.csv"):
        with open(run / name, newline="") as file:
            found += [float(row["loss"]) for row in csv.DictReader(file)]
    return found


@pytest.mark.parametrize(("first", "second"), [("numpy", "torch"), ("torch", "numpy")])
def test_a_run_goes_on_in_the_other_package(
    begin: Callable[..., tuple[int, Path]], first: str, second: str
) -> None:
    """Broken otherwise: weights, momentum, place or configuration are lost on the way.

    Up to the stop the run is, to the bit, that of the first package alone; then it stays as close
    to it as two packages that start from one seed.
    """
    status, alone = begin(first)
    assert status == 0
    status, shared = begin(first, STOP)
    assert status == 143
    assert load_checkpoint(shared / "checkpoint.safetensors").batch == STOP - BATCHES
    assert resume(second, shared) == 0
    summary = json.loads((shared / "summary.json").read_text())
    assert summary["environment"]["package"] == f"{second}_siamese"
    assert summary["finished"]
    found, expected = losses(shared), losses(alone)
    assert len(found) == len(expected) == EPOCHS * (BATCHES + 1)
    assert found[:STOP] == expected[:STOP]
    for ours, theirs in zip(found, expected, strict=True):
        assert significant_digits(abs(ours - theirs) / abs(theirs)) >= CLAIMED_DIGITS


@pytest.mark.parametrize(("first", "second"), [("numpy", "torch"), ("torch", "numpy")])
def test_a_finished_run_gets_more_epochs_in_the_other_package(
    begin: Callable[..., tuple[int, Path]], first: str, second: str
) -> None:
    """Broken otherwise: a run can be made longer only in the package that began it."""
    status, alone = begin(first, epochs=EPOCHS + 1)
    assert status == 0
    status, shared = begin(first)
    assert status == 0
    assert resume(second, shared, "--epochs", str(EPOCHS + 1)) == 0
    assert (shared / "config.json").read_bytes() == (alone / "config.json").read_bytes()
    assert json.loads((shared / "summary.json").read_text())["finished"]
    found, expected = losses(shared), losses(alone)
    assert len(found) == len(expected) == (EPOCHS + 1) * (BATCHES + 1)
    assert found[: EPOCHS * BATCHES] == expected[: EPOCHS * BATCHES]
    for ours, theirs in zip(found, expected, strict=True):
        assert significant_digits(abs(ours - theirs) / abs(theirs)) >= CLAIMED_DIGITS


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize(("first", "second"), [("numpy", "torch"), ("torch", "numpy")])
def test_the_state_is_handed_over_to_the_bit(
    tmp_path: Path, dtype: str, first: str, second: str, momentum: float
) -> None:
    """Broken otherwise: a tensor is rounded, left out or swapped on the way."""
    images, labels = digits()
    pair = Pair(images, labels, dtype, seed=0, batch_size=4, threads=1, momentum=momentum)
    for _ in pair.train(steps=2):
        pass
    giving, taking = getattr(pair, first), getattr(pair, second)
    expected = giving.model_state(), giving.momentum_state()
    save_checkpoint(tmp_path / "file", Checkpoint(*expected, epoch=0, batch=2))
    given = load_checkpoint(tmp_path / "file")
    taking.load_state(given.model, given.momentum)
    assert bool(given.momentum) == bool(momentum)
    for found, wanted in zip(
        (taking.model_state(), taking.momentum_state()), expected, strict=True
    ):
        assert found.keys() == wanted.keys()
        for name, value in wanted.items():
            assert found[name].dtype == value.dtype == dtype
            assert same_bits(found[name], value).all(), name
