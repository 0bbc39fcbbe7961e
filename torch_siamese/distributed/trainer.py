"""A whole run of several ranks: rank 0 writes it, and all end at the same batch."""

from pathlib import Path
from typing import Any

from numpy_siamese.data.dataset import Dataset
from numpy_siamese.runs.checkpointer import Checkpointer
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.learner import Learner
from numpy_siamese.runs.results import Results
from numpy_siamese.runs.run_directory import RunDirectory
from numpy_siamese.runs.trainer import Trainer
from torch_siamese.distributed.checkpoints import CommonCheckpointer
from torch_siamese.distributed.group import Group
from torch_siamese.distributed.silent import SilentResults, opened


class OutputLostError(OSError):
    """Standard output of rank 0 cannot be written, so the other ranks end with it."""


class RankTrainer(Trainer):
    """Train as one of several ranks.

    All ranks do the same loop, with the same losses. Each judges all test pairs itself, so none
    waits for another meanwhile. A signal that reaches any of them ends all at the same batch: they
    ask each other after each group of batches.

    Parameters
    ----------
    group : Group
    config, dataset, learner, out, quiet, resume
        As `Trainer`.

    Raises
    ------
    InputError, ValueError
        As `Trainer`, on all ranks.
    """

    def __init__(
        self,
        group: Group,
        config: TrainConfig,
        dataset: Dataset,
        learner: Learner,
        out: Path,
        quiet: bool = False,
        resume: bool = False,
    ) -> None:
        self._group, self._asked = group, 0
        super().__init__(config, dataset, learner, out, quiet or group.rank > 0, resume)

    def stop(self, number: int = 0) -> None:
        """Ask all ranks to finish their batches, save and raise `Stopped`."""
        self._asked = number

    def environment(self) -> dict[str, Any]:
        """Return what `Trainer.environment` returns, with the number of ranks and their job."""
        launch = self._group.launch
        return super().environment() | {"world_size": launch.size, "job": launch.job}

    def _parts(self, out: Path, resume: bool) -> tuple[RunDirectory, Checkpointer, Results]:
        directory = opened(self._group, out, resume)
        results = SilentResults if self._group.rank else Results
        return (
            directory,
            CommonCheckpointer(self._group, self.config, self.learner, directory),
            results(self.config, self.dataset, directory),
        )

    def _learn(self, epoch: int, batches: range) -> None:
        super()._learn(epoch, batches)
        self._ask_all()

    def _end_if_asked(self) -> None:
        self._ask_all()
        super()._end_if_asked()

    def _one_shot_accuracy(self) -> float:
        """Return what rank 0 has found. Last bits may differ where ranks have other threads."""
        own = super()._one_shot_accuracy()
        return float.fromhex(self._group.content_of_first(own.hex().encode()).decode())

    def _ask_all(self) -> None:
        """Find out whether any rank has been asked to stop, or has lost its output."""
        asked, is_lost = self._group.largest([self._asked, self.progress.failure is not None])
        self._stop = asked or None
        if is_lost and self.progress.failure is None:
            self.progress.failure = OutputLostError()
