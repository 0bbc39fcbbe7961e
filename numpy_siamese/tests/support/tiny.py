"""What makes a run small enough for a test: a few random images, and pictures not drawn."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpy_siamese.data.dataset import Dataset, Split
from numpy_siamese.evaluation.verification import Verification
from numpy_siamese.pictures import canvas, hard_trials, measures, mistakes, plots
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.trainer import Trainer
from numpy_siamese.tests.support.written import write_csv_folder, write_idx_folder

PATIENCE = 20
"""Seconds after which threads that wait for each other are taken for stuck, and a test fails."""


def split(counts: list[int], seed: int = 0) -> Split:
    """Return random images of classes 0, 1, …, as many of each as `counts` says, shuffled."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    return Split(rng.integers(0, 256, (len(labels), 28, 28), dtype=np.uint8), labels)


def dataset() -> Dataset:
    """Return 4 classes of 12 training and 5 test images."""
    return Dataset("tiny", split([12] * 4, seed=1), split([5] * 4, seed=2))


class FakeLearner:
    """Has the loss n/8 and the accuracy 1/n at its n-th step, and sees through every test pair.

    Sums of eighths are exact, so their means have one right value.
    """

    remarks: Sequence[str] = ()

    def __init__(
        self,
        digits: Dataset | None = None,
        fails: BaseException | None = None,
        at: int = -1,
        batches_at_a_time: int = 1,
    ) -> None:
        self.digits, self.fails, self.at = digits or dataset(), fails, at
        self.batches_at_a_time = batches_at_a_time
        self.batches: list[tuple] = []
        self.given: list[int] = []

    def learn(self, batches):
        self.given.append(len(batches))
        losses, accuracies = np.array([self.step(*batch) for batch in batches]).T
        return losses, accuracies

    def step(self, left_index, right_index, targets):
        if len(self.batches) == self.at:
            raise self.fails
        self.batches.append((left_index, right_index, targets))
        n = len(self.batches)
        return n / 8, 1 / n

    def evaluate(self, images, left_index, right_index, targets):
        assert images is self.digits.test.images
        labels = self.digits.test.labels
        same = labels[left_index] == labels[right_index]
        probs = np.where(same, 0.75, 0.25)[:, None]
        return Verification(probs, np.full(len(probs), -np.log(0.75)).mean(), 1.0)

    batches_done = 0

    def embed(self, images):
        return images.reshape(len(images), -1).astype(np.float32)

    def head(self):
        pixels = self.digits.test.images[0].size
        return np.full((1, pixels), -1, np.float32), np.zeros(1, np.float32)

    def model_state(self):
        return {"fc1.bias": np.full(1, len(self.batches), np.float32)}

    def momentum_state(self):
        return {"fc1.bias": np.full(1, -len(self.batches), np.float32)}

    def load_state(self, model, momentum):
        self.batches = [()] * int(model["fc1.bias"][0])

    def environment(self):
        return {"package": "fake"}


def config(**changes: Any) -> TrainConfig:
    """Return a configuration of two epochs of three batches, changed."""
    small = {"epochs": 2, "batches": 3, "batch_size": 4, "test_pairs": 10, "threads": 1}
    return TrainConfig(data="tiny", **small | changes)


def fake_run(
    out: Path, learner: FakeLearner | None = None, resume: bool = False, **changes: Any
) -> Trainer:
    """Return a run of a fake learner under `config(**changes)`."""
    learner = learner or FakeLearner()
    return Trainer(config(**changes), learner.digits, learner, out, quiet=True, resume=resume)


def csv_folder(folder: Path, counts: list[int]) -> Path:
    """Write a folder that `--data` takes, with the same images to train and to test."""
    write_csv_folder(folder, *split(counts))
    return folder


def idx_folder(folder: Path, counts: list[int]) -> Path:
    """Write the same as IDX files, which are read ten times as fast."""
    write_idx_folder(folder, *split(counts))
    return folder


def replace_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every picture of a run the same 2 × 2 pixels."""
    with canvas.own_settings():
        from matplotlib.image import imsave

        buffer = io.BytesIO()
        imsave(buffer, np.eye(2), format="png")
    for module, names in (
        (plots, ("curves", "pair_grid")),
        (measures, ("roc_picture", "reliability_picture", "one_shot_picture")),
        (mistakes, ("mistakes_picture",)),
        (hard_trials, ("trials_picture",)),
    ):
        for name in names:
            monkeypatch.setattr(module, name, lambda *_, **__: buffer.getvalue())
