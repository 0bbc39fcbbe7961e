"""A whole run: epochs of batches, the test after each, and what is written on the way."""

import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from numpy_siamese.data.dataset import Dataset
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.errors import InputError
from numpy_siamese.evaluation.verification import accuracy
from numpy_siamese.functional import binary_cross_entropy
from numpy_siamese.parallel import heap
from numpy_siamese.pictures import plots
from numpy_siamese.pictures.examples import Examples, first_of_each_kind, surest_mistakes
from numpy_siamese.runs import environment
from numpy_siamese.runs.checkpoint import Checkpoint
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.config_file import read_object
from numpy_siamese.runs.history import History, Metrics
from numpy_siamese.runs.learner import Learner
from numpy_siamese.runs.progress import Progress, clock
from numpy_siamese.runs.run_directory import CHECKPOINT, CONFIG, RunDirectory
from numpy_siamese.runs.schedule import Schedule
from numpy_siamese.runs.signals import Stopped

Array = np.ndarray


class Run:
    """Train a learner on a data set and keep a run directory.

    The checkpoint is the one file that counts: it holds the weights, the momentum, the place and
    all rows of metrics, and replaces the last one in one step. Whatever else a run writes follows
    from it, and is written again when the run goes on. A checkpoint at an epoch's end comes before
    the epoch's test; whoever goes on from there tests first.

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
    resume : bool
        Go on from the last checkpoint in `out`, where `config` and `dataset` are those of the run.

    Raises
    ------
    InputError
        A data set whose classes are too few or too small for pairs; an `out` that cannot be used;
        a checkpoint that is none or is not of such a run.
    """

    def __init__(
        self,
        config: TrainConfig,
        dataset: Dataset,
        learner: Learner,
        out: Path,
        quiet: bool = False,
        resume: bool = False,
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
        self.history, self.batches_done, self.batches_saved = History(), 0, 0
        self._stop: int | None = None
        self._start = time.perf_counter()
        self._schedule = Schedule(config.checkpoint_every)
        self.directory = RunDirectory(out, existing=resume)
        try:
            self._resume() if resume else self._begin()
            self._write_metrics()
            first_pairs = first_of_each_kind(dataset.train.images, self.sampler.batch(0, 0))
            self._draw_pairs("pairs.png", "First training batch", first_pairs)
            self.progress = Progress(
                config.epochs, config.batches, config.batch_size, quiet, self.batches_done
            )
            self.progress.say(
                f"{config.data}:",
                f"{len(train):,} training and {len(test):,} test images",
                f"{_counted(config.epochs, 'epoch')} of "
                f"{_counted(config.batches, 'batch', 'es')} of {config.batch_size:,} pairs",
                self._place(out),
            )
        except BaseException:
            self.directory.discard()
            raise

    @property
    def is_kept(self) -> bool:
        """Whether what is in the folder is worth going on with: it was, or a batch is done."""
        return self.directory.existing or self.batches_done > 0

    @property
    def saved(self) -> str:
        """The place of the last checkpoint, in words."""
        return _words(self.batches_saved, self.config.batches)

    def stop(self, number: int = signal.SIGINT) -> None:
        """Ask a run to save its state and raise `Stopped`, once the batch or test is finished."""
        self._stop = number

    def train(self) -> dict[str, Any]:
        """Run all epochs that are left and return the summary.

        An exception passes through once the metrics so far and a summary are written (a `Stopped`
        at once passes at once). The weights on disk are always those after a whole batch. Before
        the first batch of a new run is done, an exception leaves nothing of it. The OSError of a
        standard output that cannot be written comes once the state is saved.
        """
        try:
            for epoch in range(len(self.history.test), self.config.epochs):
                self._end_if_asked()
                self._train_epoch(epoch)
                self._test(epoch)
                summary = self._write_results(finished=epoch + 1 == self.config.epochs)
        except BaseException as error:
            if self.is_kept and not (isinstance(error, Stopped) and error.at_once):
                with suppress(OSError):  # the error on its way says more
                    self._write_results(finished=False)
            raise
        finally:
            self.progress.close()
            self.close()
        self.progress.say(
            f"done in {clock(summary['seconds'])}", f"the run is in {self.directory.path}"
        )
        if self.progress.failure is not None:
            raise self.progress.failure
        return summary

    def close(self) -> None:
        """Let other runs write in the folder; of a run without a batch, leave nothing there."""
        self.directory.close() if self.is_kept else self.directory.discard()

    def summary(self, finished: bool) -> dict[str, Any]:
        """Return what `summary.json` holds."""
        train, test = self.dataset.train, self.dataset.test
        return {
            "finished": finished,
            "batches_done": self.batches_done,
            "last_window": vars(self.history.train[-1]) if self.history.train else None,
            "test": [vars(row) for row in self.history.test],
            "test_pairs": self.config.test_pairs,
            "images": {"train": len(train.labels), "test": len(test.labels)},
            "seconds": round(self._seconds(), 3),
            "environment": self.environment(),
        }

    def environment(self) -> dict[str, Any]:
        """Return what the run is made on: what decides about its speed and its last bits."""
        return environment.describe() | self.learner.environment()

    def _train_epoch(self, epoch: int) -> None:
        first = self.batches_done - epoch * self.config.batches
        for k in range(first, self.config.batches):
            loss, share_right = self._step(epoch, k)
            self.batches_done += 1
            self.history.window.append((loss, share_right))
            self.progress.batch(loss, share_right)
            last = k + 1 == self.config.batches
            if len(self.history.window) == self.config.window or last:
                self._close_window(epoch, k)
            if last or self._is_to_end():
                self._save(with_model=True)
            elif self._schedule.is_due(self.batches_done - self.batches_saved):
                self._save()
            self._end_if_asked()

    def _is_to_end(self) -> bool:
        return self._stop is not None or self.progress.failure is not None

    def _end_if_asked(self) -> None:
        """End once the state is saved: for a signal, or as nobody can read what is printed."""
        if self._stop is not None:
            raise Stopped(self._stop)
        if self.progress.failure is not None:
            raise self.progress.failure

    def _close_window(self, epoch: int, k: int) -> None:
        mean_loss, mean_accuracy = np.mean(self.history.window, axis=0).tolist()
        row = Metrics(epoch + 1, k + 1, mean_loss, mean_accuracy, self._seconds())
        self.history.train.append(row)
        self.history.window.clear()
        self.directory.write_metrics("metrics.csv", self.history.train)
        self.progress.window(row)

    def _step(self, epoch: int, k: int) -> tuple[float, float]:
        """Learn from one batch; a loss that is not finite ends the run, or is left out as NaN."""
        left_index, right_index, targets = self.sampler.batch(epoch, k)
        try:
            loss, share_right = self.learner.step(left_index, right_index, targets)
        except (ValueError, RuntimeError) as error:  # the loss of NaN is refused
            images = self.dataset.train.images[np.r_[left_index, right_index]]
            left_of_batch = np.arange(len(targets))
            probs = self.learner.probabilities(images, left_of_batch, left_of_batch + len(targets))
            if np.isfinite(probs).all():
                raise
            if self.config.on_nan == "stop":
                raise self._diverged(epoch, k) from error
            loss, share_right = np.nan, np.nan
        if not np.isfinite(loss):
            if self.config.on_nan == "stop":
                raise self._diverged(epoch, k)
            self.progress.say(f"epoch {epoch + 1}, batch {k + 1} left out: its loss is not finite")
        return loss, share_right

    def _diverged(self, epoch: int, k: int) -> InputError:
        kept = f"; the last checkpoint, after {self.saved}, is in {self.directory.path}"
        return InputError(
            f"--lr {self.config.lr}, --momentum {self.config.momentum}: the network diverged at "
            f"epoch {epoch + 1}, batch {k + 1}, expected a lower rate, or --on-nan continue"
            f"{kept if self.is_kept else ''}"
        )

    def _test(self, epoch: int) -> None:
        images, (left_index, right_index, targets) = self.dataset.test.images, self.test_pairs
        probs = self.learner.probabilities(images, left_index, right_index)
        loss = np.nan
        if np.isfinite(probs).all():
            loss = float(binary_cross_entropy(probs, targets.astype(probs.dtype))[0])
        row = Metrics(
            epoch + 1, self.config.batches, loss, accuracy(probs, targets), self._seconds()
        )
        self.history.test.append(row)
        self.progress.test(row, self.config.test_pairs)
        self._draw_pairs(
            "predictions.png",
            f"Test pairs after epoch {epoch + 1}",
            first_of_each_kind(images, self.test_pairs, probs),
            surest_mistakes(images, self.test_pairs, probs),
        )

    def _save(self, with_model: bool = False) -> None:
        """Write the checkpoint, unless a number in it is not finite: then the last one stays."""
        epoch, batch = divmod(self.batches_done, self.config.batches)
        state = Checkpoint(
            self.learner.model_state(),
            self.learner.momentum_state(),
            epoch,
            batch,
            self._seconds(),
            self.history,
        )
        if not state.is_finite():
            if self.config.on_nan == "stop":
                raise self._diverged(*divmod(self.batches_done - 1, self.config.batches))
            return
        with self._schedule.writing():
            if with_model:  # first, as nobody who goes on from the checkpoint writes it again
                self.directory.write_model(state)
            self.directory.write_checkpoint(state)
            self.batches_saved = self.batches_done
            heap.give_back()

    def _begin(self) -> None:
        """Record how the run is made, and its start."""
        self.directory.write_json(
            CONFIG,
            self.config.to_dict()
            | {"data_sha256": self.dataset.checksum(), "environment": self.environment()},
        )
        self._save()

    def _resume(self) -> None:
        """Go back to where the last checkpoint was written; record an end that has changed."""
        saved = self.directory.read_checkpoint()
        if saved is None:
            self._save()
        else:
            self._restore(saved)
        if read_object(self.directory.path / CONFIG).get("epochs") != self.config.epochs:
            self.directory.write_json("summary.json", self.summary(finished=False))
            self.directory.set_epochs(self.config.epochs)

    def _restore(self, saved: Checkpoint) -> None:
        path, batches = self.directory.path / CHECKPOINT, self.config.batches
        done = saved.epoch * batches + saved.batch
        if done > self.config.epochs * batches:
            raise InputError(
                f"--epochs {self.config.epochs}: found {_words(done, batches)} done in {path}, "
                f"expected at least {-(-done // batches)}"
            )
        fault = saved.fault(self.config, self.learner.model_state())
        if fault:
            raise InputError(f"{path}: {fault}, expected the checkpoint of this run")
        self.learner.load_state(saved.model, saved.momentum)
        self.history = saved.history
        self.batches_done = self.batches_saved = done
        self._start -= saved.seconds

    def _place(self, out: Path) -> str:
        """Say where the run is, on disk and in time."""
        if not self.directory.existing:
            return f"writing {out}"
        if self.batches_done == self.config.epochs * self.config.batches:
            return f"{out} is finished, after {self.saved}; --epochs sets another end"
        return f"going on in {out} after {self.saved}"

    def _write_results(self, finished: bool) -> dict[str, Any]:
        self._write_metrics()
        title, history = self._title("Training"), self.history
        curves = plots.curves(title, self.config.batches, history.train, history.test)
        self.directory.write_picture("curves.png", curves)
        summary = self.summary(finished)
        self.directory.write_json("summary.json", summary)
        heap.collect()
        return summary

    def _write_metrics(self) -> None:
        self.directory.write_metrics("metrics.csv", self.history.train)
        self.directory.write_metrics("test_metrics.csv", self.history.test)

    def _draw_pairs(self, name: str, what: str, *sections: Examples) -> None:
        self.directory.write_picture(name, plots.pair_grid(self._title(what), *sections))

    def _title(self, what: str) -> str:
        data = Path(self.config.data).name or self.config.data
        return f"{what}, {data}, seed {self.config.seed}"

    def _seconds(self) -> float:
        return time.perf_counter() - self._start


def _counted(n: int, thing: str, ending: str = "s") -> str:
    return f"{n:,} {thing}{ending if n != 1 else ''}"


def _words(done: int, batches: int) -> str:
    """Return after what so many batches end."""
    epoch, batch = divmod(done, batches)
    return f"epoch {epoch + 1}, batch {batch}" if batch or not epoch else f"epoch {epoch}"
