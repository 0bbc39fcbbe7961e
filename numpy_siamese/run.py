"""A whole run: epochs of batches, the test after each, and what is written on the way."""

import platform
import time
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from numpy_siamese import plots
from numpy_siamese.config import TrainConfig
from numpy_siamese.data import Dataset
from numpy_siamese.errors import InputError
from numpy_siamese.evaluation import accuracy
from numpy_siamese.functional import binary_cross_entropy
from numpy_siamese.pairs import PairSampler
from numpy_siamese.progress import Progress
from numpy_siamese.run_directory import Metrics, RunDirectory

Array = np.ndarray

EACH_KIND = 10
"""Pairs of each kind, different and same, in a picture."""


class Learner(Protocol):
    """What a run needs of a network, in either package; see `numpy_siamese.training.Learner`."""

    def step(self, left_index: Array, right_index: Array, targets: Array) -> tuple[float, float]:
        """Learn from one batch; return its mean loss and its accuracy."""

    def probabilities(self, images: Array, left_index: Array, right_index: Array) -> Array:
        """Return the probability of *same* for each pair: (N, 1)."""

    def model_state(self) -> dict[str, Array]:
        """Return the weights by name."""

    def momentum_state(self) -> dict[str, Array]:
        """Return the momentum buffers by name."""

    def environment(self) -> dict[str, Any]:
        """Return what the package adds to the environment: its name, threads, device."""


class Run:
    """Train a learner on a data set and keep a run directory.

    Parameters
    ----------
    config : TrainConfig
    dataset : Dataset
    learner : Learner
        Holds the training images.
    out : Path
        The new run directory.
    quiet : bool
        Print nothing.

    Raises
    ------
    InputError
        A data set whose classes are too few or too small for pairs; an `out` that cannot be used.
    """

    def __init__(
        self,
        config: TrainConfig,
        dataset: Dataset,
        learner: Learner,
        out: Path,
        quiet: bool = False,
    ) -> None:
        self.config, self.dataset, self.learner = config, dataset, learner
        train, test = dataset.train.labels, dataset.test.labels
        try:
            self.sampler = PairSampler(train, config.batch_size, config.seed)
            self.test_pairs = PairSampler(
                test, config.test_pairs, config.seed, split="test", allow_self_pairs=False
            ).batch(0, 0)
        except ValueError as error:
            raise InputError(f"--data {config.data}: {error}") from error
        self.directory = RunDirectory(out)
        self.directory.write_json(
            "config.json", config.to_dict() | {"data_sha256": dataset.checksum()}
        )
        self.directory.write_metrics("metrics.csv", [])
        self.train_rows: list[Metrics] = []
        self.test_rows: list[Metrics] = []
        self.batches_done = 0
        self._stop = False
        self._draw_pairs(
            "pairs.png",
            "Pairs of the first training batch",
            dataset.train.images,
            self.sampler.batch(0, 0),
        )
        self.progress = Progress(config.epochs, config.batches, config.batch_size, quiet)
        self.progress.say(
            f"{config.data}: {len(train):,} training and {len(test):,} test digits; writing {out}"
        )
        self._start = time.perf_counter()

    def stop(self) -> None:
        """Ask a run to end with KeyboardInterrupt, its state saved.

        It ends after the batch under way, or after the test if that batch was an epoch's last.
        """
        self._stop = True

    def train(self) -> dict[str, Any]:
        """Run all epochs and return the summary.

        An exception passes through once the metrics so far and a summary are written. The weights
        on disk are always those after a whole batch: of the last epoch's end, or of `stop`.
        """
        try:
            for epoch in range(self.config.epochs):
                self._train_epoch(epoch)
                self._test(epoch)
                self._write_state()
                summary = self._write_results(finished=epoch + 1 == self.config.epochs)
                if self._stop and not summary["finished"]:
                    raise KeyboardInterrupt
        except BaseException:
            self._write_results(finished=False)
            raise
        finally:
            self.progress.close()
        self.progress.say(
            f"done in {summary['seconds']:.0f} s; the run is in {self.directory.path}"
        )
        return summary

    def summary(self, finished: bool) -> dict[str, Any]:
        """Return what `summary.json` holds."""
        train, test = self.dataset.train, self.dataset.test
        return {
            "finished": finished,
            "batches_done": self.batches_done,
            "last_window": vars(self.train_rows[-1]) if self.train_rows else None,
            "test": [vars(row) for row in self.test_rows],
            "test_pairs": self.config.test_pairs,
            "images": {"train": len(train.labels), "test": len(test.labels)},
            "seconds": round(self._seconds(), 3),
            "environment": {
                "python": platform.python_version(),
                "numpy": np.__version__,
                "machine": platform.machine(),
            }
            | self.learner.environment(),
        }

    def _train_epoch(self, epoch: int) -> None:
        window: list[tuple[float, float]] = []
        for k in range(self.config.batches):
            loss, share_right = self._step(epoch, k)
            self.batches_done += 1
            window.append((loss, share_right))
            self.progress.batch(loss, share_right)
            if len(window) == self.config.window or k + 1 == self.config.batches:
                mean_loss, mean_accuracy = np.mean(window, axis=0).tolist()
                row = Metrics(epoch + 1, k + 1, mean_loss, mean_accuracy, self._seconds())
                self.train_rows.append(row)
                self.directory.write_metrics("metrics.csv", self.train_rows)
                self.progress.window(row)
                window = []
            if self._stop and k + 1 < self.config.batches:
                self._write_state()
                raise KeyboardInterrupt

    def _step(self, epoch: int, k: int) -> tuple[float, float]:
        """Learn from one batch, or say where the network diverged."""
        diverged = InputError(
            f"--lr {self.config.lr}, --momentum {self.config.momentum}: the network diverged at "
            f"epoch {epoch + 1}, batch {k + 1}, expected a lower rate"
        )
        left_index, right_index, targets = self.sampler.batch(epoch, k)
        try:
            loss, share_right = self.learner.step(left_index, right_index, targets)
        except (ValueError, RuntimeError) as error:  # the loss of NaN is refused
            images = self.dataset.train.images[np.r_[left_index, right_index]]
            left_of_batch = np.arange(len(targets))
            probs = self.learner.probabilities(images, left_of_batch, left_of_batch + len(targets))
            if np.isfinite(probs).all():
                raise
            raise diverged from error
        if not np.isfinite(loss):
            raise diverged
        return loss, share_right

    def _test(self, epoch: int) -> None:
        images, (left_index, right_index, targets) = self.dataset.test.images, self.test_pairs
        probs = self.learner.probabilities(images, left_index, right_index)
        loss, _ = binary_cross_entropy(probs, targets.astype(probs.dtype))
        row = Metrics(
            epoch + 1, self.config.batches, float(loss), accuracy(probs, targets), self._seconds()
        )
        self.test_rows.append(row)
        self.progress.test(row, self.config.test_pairs)
        title = f"Test pairs after epoch {epoch + 1}, {self._title()}"
        self._draw_pairs("predictions.png", title, images, self.test_pairs, probs)

    def _write_state(self) -> None:
        self.directory.write_state(
            self.learner.model_state(),
            self.learner.momentum_state(),
            *divmod(self.batches_done, self.config.batches),
        )

    def _write_results(self, finished: bool) -> dict[str, Any]:
        self.directory.write_metrics("test_metrics.csv", self.test_rows)
        title = f"Training on {self._title()}"
        self.directory.write_picture(
            "curves.png",
            plots.curves(title, self.config.batches, self.train_rows, self.test_rows),
        )
        summary = self.summary(finished)
        self.directory.write_json("summary.json", summary)
        return summary

    def _draw_pairs(
        self,
        name: str,
        title: str,
        images: Array,
        pairs: tuple[Array, Array, Array],
        probs: Array | None = None,
    ) -> None:
        """Draw some pairs of each kind: from each half of the batch."""
        left_index, right_index, targets = pairs
        N, half = len(targets), len(targets) // 2
        shown = np.r_[0 : min(EACH_KIND, half), half : min(half + EACH_KIND, N)]
        png = plots.pair_grid(
            title,
            images[left_index[shown]],
            images[right_index[shown]],
            targets[shown, 0],
            None if probs is None else probs[shown, 0],
        )
        self.directory.write_picture(name, png)

    def _title(self) -> str:
        return f"{Path(self.config.data).name}, seed {self.config.seed}"

    def _seconds(self) -> float:
        return time.perf_counter() - self._start


def default_directory(package: str) -> Path:
    """Return a new folder's name for a run: runs/PACKAGE-DATE-TIME."""
    return Path("runs") / f"{package}-{time.strftime('%Y%m%d-%H%M%S')}"
