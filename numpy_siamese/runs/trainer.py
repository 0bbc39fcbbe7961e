"""A whole run: epochs of batches, and the test after each epoch."""

import math
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from numpy_siamese.data.dataset import Dataset
from numpy_siamese.data.holdout import held_out_labels
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.errors import InputError
from numpy_siamese.runs import environment
from numpy_siamese.runs.batches import batches_of
from numpy_siamese.runs.checkpointer import Checkpointer
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.early_stopping import best_epoch, has_stopped
from numpy_siamese.runs.history import History, Metrics, Validation
from numpy_siamese.runs.learner import Learner
from numpy_siamese.runs.one_shot_validation import validation_trials
from numpy_siamese.runs.progress import Progress
from numpy_siamese.runs.results import Results
from numpy_siamese.runs.run_directory import RunDirectory
from numpy_siamese.runs.signals import Stopped

Array = np.ndarray


class Trainer:
    """Train a learner on a data set and keep a run directory.

    An epoch's last checkpoint comes before its test. A run that goes on from there tests first.

    Parameters
    ----------
    config : TrainConfig
    dataset : Dataset
        Without held-out classes (`holdout.without_classes`).
    learner : Learner
        Holds the training images.
    out : Path
        The new run directory.
    quiet : bool
        Print nothing.
    resume : bool
        Go on from the last checkpoint in `out`. `config` and `dataset` must be those of the run.

    Raises
    ------
    InputError
        Classes of the data are too few or too small for pairs. `out` cannot be used. A checkpoint
        cannot be read or is of another run.
    ValueError
        The data set has images of held-out classes.
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
        held = held_out_labels(dataset.whole or dataset, config.holdout_classes)
        if np.isin(held, np.concatenate([train, test])).any():
            raise ValueError("dataset must be without held-out classes, see without_classes")
        try:
            self.batches = batches_of(config, dataset)
            self.test_pairs = PairSampler(
                test, config.test_pairs, config.seed, split="test", allow_self_pairs=False
            ).batch(0, 0)
        except InputError:
            raise
        except ValueError as error:
            raise InputError(f"--data {config.data}: {error}") from error
        self._trials = validation_trials(dataset, config.seed)
        if config.patience and self._trials is None:
            raise InputError(
                f"--patience {config.patience}: found no one-shot trials in --data {config.data}, "
                "expected omniglot, or --patience 0"
            )
        self.history, self.batches_done = History(), 0
        self._stop: int | None = None
        self._start = time.perf_counter()
        self.directory, self._checkpointer, self._results = self._parts(out, resume)
        try:
            self._resume() if resume else self._begin()
            self._results.write_metrics(self.history)
            self._results.draw_first_batch(self.batches.batches(0, [0])[0])
            self.progress = Progress(
                config.epochs, config.batches, config.batch_size, quiet, self.batches_done
            )
            remarks = (*dataset.remarks, *learner.remarks)
            self.progress.begin(config.data, len(train), len(test), self._place(out), remarks)
        except BaseException:
            self.batches.close()
            self.directory.discard()
            raise

    @property
    def is_kept(self) -> bool:
        """Whether the folder is worth keeping: it held a run before, or a batch is done."""
        return self.directory.existing or self.batches_done > 0

    @property
    def saved(self) -> str:
        """Epoch and batch of the last checkpoint, as text."""
        return self._checkpointer.place

    def stop(self, number: int = signal.SIGINT) -> None:
        """Ask the run to finish its batch or test, save its state and raise `Stopped`."""
        self._stop = number

    def train(self) -> dict[str, Any]:
        """Run all epochs that are left and return the summary.

        An exception passes through once the metrics so far and a summary are written. A `Stopped`
        that is `at_once` passes without that. The weights on disk are always those after a whole
        batch. An exception before the first batch of a new run leaves nothing of it. If standard
        output cannot be written, its OSError comes once the state is saved.
        """
        try:
            for epoch in range(len(self.history.test), self.config.epochs):
                self._end_if_asked()
                self._train_epoch(epoch)
                self._test(epoch)
                is_last = epoch + 1 == self.config.epochs or self._has_stopped()
                if is_last and self._best_is_kept():
                    self.directory.make_best_the_model()
                summary = self._write_results(finished=is_last)
                if is_last:
                    break
        except BaseException as error:
            if self.is_kept and not (isinstance(error, Stopped) and error.at_once):
                with suppress(OSError):  # the error on its way says more
                    self._write_results(finished=False)
            raise
        finally:
            self.progress.close()
            self.close()
        if self._best_is_kept():
            self.progress.best(self.history.validation, self.config.patience, self._has_stopped())
        self.progress.end(summary["seconds"], self.directory.path)
        if self.progress.failure is not None:
            raise self.progress.failure
        return summary

    def close(self) -> None:
        """Release the folder. A new run without a batch leaves nothing there."""
        self.batches.close()
        self.directory.close() if self.is_kept else self.directory.discard()

    def environment(self) -> dict[str, Any]:
        """Return what decides about the run's speed and its last bits."""
        return environment.describe() | self.learner.environment()

    def _parts(self, out: Path, resume: bool) -> tuple[RunDirectory, Checkpointer, Results]:
        """Return what writes the run. One of several processes has parts of its own."""
        directory = RunDirectory(out, existing=resume)
        return (
            directory,
            Checkpointer(self.config, self.learner, directory),
            Results(self.config, self.dataset, directory),
        )

    def _train_epoch(self, epoch: int) -> None:
        """Learn from the batches of an epoch that are left."""
        end = (epoch + 1) * self.config.batches
        while self.batches_done < end:
            self._learn(epoch, self._next_batches(epoch))
            self._checkpointer.keep(self.batches_done)
            is_complete = self.batches_done == end or self._is_to_end()
            if is_complete:
                self._save(with_model=True)
            elif self._checkpointer.is_due(self.batches_done):
                self._save()
            if is_complete:  # a signal that came later waits for the next batch
                self._end_if_asked()

    def _next_batches(self, epoch: int) -> range:
        """Return as many batches as the learner wants, up to the next one that ends in a write."""
        first = self.batches_done - epoch * self.config.batches
        count = min(
            self.learner.batches_at_a_time,
            self.config.batches - first,
            self._checkpointer.until_due(self.batches_done),
        )
        return range(first, first + count)

    def _learn(self, epoch: int, batches: range) -> None:
        """Learn from batches, and write the windows that they close."""
        windows = len(self.history.train)
        losses, accuracies = self.learner.learn(self.batches.batches(epoch, batches))
        self._count(epoch, batches, losses, accuracies)
        if len(self.history.train) > windows:
            self._results.write_windows(self.history)

    def _count(self, epoch: int, batches: range, losses: Array, accuracies: Array) -> None:
        """Count batches. One whose loss is not finite ends the run or is left out."""
        for k, loss, accuracy in zip(batches, losses.tolist(), accuracies.tolist(), strict=True):
            if not math.isfinite(loss):
                if self.config.on_nan == "stop":
                    raise self._diverged(epoch, k)
                self.progress.left_out(epoch + 1, k + 1)
            self.batches_done += 1
            self.history.window.append((loss, accuracy))
            self.progress.batch(loss, accuracy)
            is_last = k + 1 == self.config.batches
            if is_last or len(self.history.window) == self.config.window:
                self._close_window(epoch)

    def _close_window(self, epoch: int) -> None:
        batch = self.batches_done - epoch * self.config.batches
        loss, accuracy = np.mean(self.history.window, axis=0).tolist()
        row = Metrics(epoch + 1, batch, loss, accuracy, self._seconds())
        self.history.train.append(row)
        self.history.window.clear()
        self.progress.window(row)

    def _test(self, epoch: int) -> None:
        found = self.learner.evaluate(self.dataset.test.images, *self.test_pairs)
        row = Metrics(epoch + 1, self.config.batches, found.loss, found.accuracy, self._seconds())
        self.history.test.append(row)
        self.progress.test(row, self.config.test_pairs, self._validate(epoch))
        self._results.draw_predictions(epoch + 1, self.test_pairs, found.probs)

    def _validate(self, epoch: int) -> Validation | None:
        """Play the one-shot trials, if the data have any."""
        if self._trials is None:
            return None
        accuracy = self._one_shot_accuracy()
        row = Validation(epoch + 1, accuracy, self._trials.count, self._seconds())
        self.history.validation.append(row)
        if best_epoch(self.history.validation) == row.epoch:
            self._checkpointer.save_best(self.batches_done)
        return row

    def _one_shot_accuracy(self) -> float:
        assert self._trials is not None
        return self._trials.accuracy(self.learner)

    def _has_stopped(self) -> bool:
        """Return whether one-shot validation has not become better for too long."""
        return has_stopped(self.history.validation, self.config.patience)

    def _best_is_kept(self) -> bool:
        """Return whether the run ends with the weights of its best epoch."""
        return self.config.patience > 0 and best_epoch(self.history.validation) is not None

    def _is_to_end(self) -> bool:
        return self._stop is not None or self.progress.failure is not None

    def _end_if_asked(self) -> None:
        """End a run whose state is saved: after a signal, or if standard output has failed."""
        if self._stop is not None:
            raise Stopped(self._stop)
        if self.progress.failure is not None:
            raise self.progress.failure

    def _diverged(self, epoch: int, k: int) -> InputError:
        kept = f"; the last checkpoint, after {self.saved}, is in {self.directory.path}"
        return InputError(
            f"--lr {self.config.lr}, --momentum {self.config.momentum}: the network diverged at "
            f"epoch {epoch + 1}, batch {k + 1}, expected a lower rate, or --on-nan continue"
            f"{kept if self.is_kept else ''}"
        )

    def _save(self, with_model: bool = False) -> None:
        """Write a checkpoint. Weights that are not finite end the run or are not written."""
        done, history = self.batches_done, self.history
        saved = self._checkpointer.save(done, self._seconds(), history, with_model)
        if not saved and self.config.on_nan == "stop":
            raise self._diverged(*divmod(done - 1, self.config.batches))

    def _begin(self) -> None:
        """Write the configuration and the first checkpoint."""
        self._results.write_config(self.environment())
        self._save_start()

    def _save_start(self) -> None:
        self._checkpointer.keep(0)
        self._save()

    def _resume(self) -> None:
        """Go back to the last checkpoint. Record a number of epochs that has changed."""
        saved = self._checkpointer.restore()
        if saved is None:
            self._save_start()
        else:
            self.history, self.batches_done = saved.history, self._checkpointer.batches_saved
            self._start -= saved.seconds
        end = {"epochs": self.config.epochs, "patience": self.config.patience}
        if not self.directory.has_end(end):
            self._write_summary(finished=False)
            if saved is not None and saved.epoch and not saved.batch:
                self._checkpointer.save_model(self.batches_done)  # it may be of the best epoch
            self.directory.set_end(end)

    def _place(self, out: Path) -> str:
        """Return the run's folder and its last checkpoint, as text."""
        if not self.directory.existing:
            return f"writing {out}"
        if self.batches_done == self.config.epochs * self.config.batches:
            return f"{out} is finished, after {self.saved}; --epochs sets another end"
        return f"going on in {out} after {self.saved}"

    def _write_results(self, finished: bool) -> dict[str, Any]:
        self._results.write_metrics(self.history)
        self._results.draw_curves(self.history)
        return self._write_summary(finished)

    def _write_summary(self, finished: bool) -> dict[str, Any]:
        return self._results.write_summary(
            self.history, self.batches_done, self._seconds(), self.environment(), finished
        )

    def _seconds(self) -> float:
        return time.perf_counter() - self._start
