"""Checkpoints at the same batch on all ranks."""

from numpy_siamese.runs.checkpointer import Checkpointer
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.history import History
from numpy_siamese.runs.learner import Learner
from numpy_siamese.runs.run_directory import RunDirectory
from torch_siamese.distributed.group import Group


class CommonCheckpointer(Checkpointer):
    """Save when rank 0 does, whose clock says when a checkpoint is due.

    Parameters
    ----------
    group : Group
    config : TrainConfig
    learner : Learner
    directory : RunDirectory
    """

    def __init__(
        self, group: Group, config: TrainConfig, learner: Learner, directory: RunDirectory
    ) -> None:
        super().__init__(config, learner, directory)
        self._group = group

    def is_due(self, batches_done: int) -> bool:
        """Return whether rank 0 has a checkpoint due."""
        return bool(self._group.of_first(super().is_due(batches_done)))

    def until_due(self, batches_done: int) -> int:
        """Return after how many more batches rank 0 asks again."""
        return self._group.of_first(super().until_due(batches_done))

    def save(
        self, batches_done: int, seconds: float, history: History, with_model: bool = False
    ) -> bool:
        """Save as `Checkpointer.save`. What another rank calls saved has been written."""
        before = self.batches_saved
        saved = super().save(batches_done, seconds, history, with_model)
        try:
            self._group.meet()
        except BaseException:
            if self._group.rank:
                self.batches_saved = before
            raise
        return saved

    def _take_back_kept(self, after: int) -> None:
        if self._group.rank == 0:
            super()._take_back_kept(after)
