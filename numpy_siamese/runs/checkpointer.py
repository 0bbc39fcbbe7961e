"""How the state of a run is saved when a checkpoint is due, and restored when the run goes on."""

from numpy_siamese.errors import InputError
from numpy_siamese.parallel import heap
from numpy_siamese.runs.checkpoint import Checkpoint
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.history import History
from numpy_siamese.runs.learner import Learner
from numpy_siamese.runs.run_directory import CHECKPOINT, RunDirectory
from numpy_siamese.runs.schedule import Schedule


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
        """Return after how many more batches to ask again."""
        return self._schedule.until_due(batches_done - self.batches_saved)

    def save(
        self, batches_done: int, seconds: float, history: History, with_model: bool = False
    ) -> bool:
        """Write the checkpoint. If a number in it is not finite, the last one stays instead.

        Returns
        -------
        bool
            Whether it was written.
        """
        state = Checkpoint(
            self._learner.model_state(),
            self._learner.momentum_state(),
            *divmod(batches_done, self._config.batches),
            seconds,
            history,
        )
        if not state.is_finite():
            return False
        with self._schedule.writing():
            if with_model:  # first, as nobody who goes on from the checkpoint writes it again
                self._directory.write_model(state)
            self._directory.write_checkpoint(state)
            self.batches_saved = batches_done
            heap.give_back()
        return True

    def restore(self) -> Checkpoint | None:
        """Bring the learner back to the last checkpoint and return it, or None if there is none.

        Raises
        ------
        InputError
            The checkpoint cannot be read, is of another run, or lies beyond the run's end.
        """
        saved = self._directory.read_checkpoint()
        if saved is None:
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
        self.batches_saved = done
        return saved


def _words(done: int, batches: int) -> str:
    """Return the epoch and batch that end after this many batches, as text."""
    epoch, batch = divmod(done, batches)
    return f"epoch {epoch + 1}, batch {batch}" if batch or not epoch else f"epoch {epoch}"
