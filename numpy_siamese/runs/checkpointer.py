"""How the state of a run is saved when a checkpoint is due, and restored when the run goes on."""

from dataclasses import replace

from numpy_siamese.errors import InputError
from numpy_siamese.parallel import heap
from numpy_siamese.runs.checkpoint import Checkpoint
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.history import History
from numpy_siamese.runs.kept_checkpoints import remove_kept
from numpy_siamese.runs.learner import Learner
from numpy_siamese.runs.run_directory import CHECKPOINT, RunDirectory
from numpy_siamese.runs.schedule import Schedule, next_kept


class Checkpointer:
    """Save the state of a run to its folder, and bring a learner back to it.

    The checkpoint is the one file that counts. It holds the weights, the momentum, the place and
    all rows of metrics. It replaces the last checkpoint in one step.

    Parameters
    ----------
    config : TrainConfig
    learner : Learner
    directory : RunDirectory

    Attributes
    ----------
    batches_saved : int
        How many batches were done at the last checkpoint.
    """

    def __init__(self, config: TrainConfig, learner: Learner, directory: RunDirectory) -> None:
        self._config, self._learner, self._directory = config, learner, directory
        self._schedule = Schedule(config.checkpoint_every)
        self.batches_saved = 0

    @property
    def place(self) -> str:
        """Epoch and batch of the last checkpoint, as text."""
        return _words(self.batches_saved, self._config.batches)

    def is_due(self, batches_done: int) -> bool:
        """Return whether a checkpoint is due."""
        return self._schedule.is_due(batches_done - self.batches_saved)

    def until_due(self, batches_done: int) -> int:
        """Return after how many more batches to ask again, or to keep a checkpoint."""
        until = self._schedule.until_due(batches_done - self.batches_saved)
        if self._config.keep_checkpoints:
            until = min(until, next_kept(batches_done, self._config.batches) - batches_done)
        return until

    def keep(self, batches_done: int) -> None:
        """Keep a checkpoint for good, if the run keeps one here and its numbers are finite.

        It comes before the checkpoint that a run goes on from. So a run that is killed in between
        keeps this one again.
        """
        before = max(batches_done - 1, 0)
        is_kept = batches_done in (0, next_kept(before, self._config.batches))
        if not (self._config.keep_checkpoints and is_kept):
            return
        state = self._state(batches_done)
        if state.is_finite():
            self._directory.write_kept(batches_done, state)
            heap.give_back()

    def save(
        self, batches_done: int, seconds: float, history: History, with_model: bool = False
    ) -> bool:
        """Write the checkpoint. If a number in it is not finite, the last one stays instead.

        Returns
        -------
        bool
            Whether it was written.
        """
        state = replace(self._state(batches_done), seconds=seconds, history=history)
        if not state.is_finite():
            return False
        with self._schedule.writing():
            if with_model:  # first, as nobody who goes on from the checkpoint writes it again
                self._directory.write_model(state)
            self._directory.write_checkpoint(state)
            self.batches_saved = batches_done
            heap.give_back()
        return True

    def save_model(self, batches_done: int) -> None:
        """Write the weights as those of the run."""
        self._directory.write_model(self._state(batches_done))
        heap.give_back()

    def save_best(self, batches_done: int) -> None:
        """Write the weights as those of the best epoch so far."""
        self._directory.write_best(self._state(batches_done))
        heap.give_back()

    def restore(self) -> Checkpoint | None:
        """Bring the learner back to the last checkpoint and return it, or None if there is none.

        What was kept after it is removed, to be kept anew.

        Raises
        ------
        InputError
            The checkpoint cannot be read, is of another run, or lies beyond the run's end.
        """
        saved = self._directory.read_checkpoint()
        if saved is None:
            self._take_back_kept(-1)
            return None
        path, batches = self._directory.path / CHECKPOINT, self._config.batches
        done = saved.epoch * batches + saved.batch
        if done > self._config.epochs * batches:
            raise InputError(
                f"--epochs {self._config.epochs}: found {_words(done, batches)} done in {path}, "
                f"expected at least {-(-done // batches)}"
            )
        fault = saved.fault(self._config, self._learner.model_state())
        if fault:
            raise InputError(f"{path}: {fault}, expected the checkpoint of this run")
        self._learner.load_state(saved.model, saved.momentum)
        self._learner.batches_done = done
        self.batches_saved = done
        self._take_back_kept(done)
        return saved

    def _take_back_kept(self, after: int) -> None:
        """Remove what was kept after so many batches, if the run keeps checkpoints."""
        if self._config.keep_checkpoints:
            remove_kept(self._directory.path, after)

    def _state(self, batches_done: int) -> Checkpoint:
        """Return weights and momentum, without times and metrics."""
        return Checkpoint(
            self._learner.model_state(),
            self._learner.momentum_state(),
            *divmod(batches_done, self._config.batches),
        )


def _words(done: int, batches: int) -> str:
    """Return the epoch and batch that end after this many batches, as text."""
    epoch, batch = divmod(done, batches)
    return f"epoch {epoch + 1}, batch {batch}" if batch or not epoch else f"epoch {epoch}"
