"""The one-shot trials that a run plays after each epoch."""

from dataclasses import dataclass

import numpy as np

from numpy_siamese.data.dataset import Dataset
from numpy_siamese.data.omniglot.catalogue import VALIDATION_DRAWERS
from numpy_siamese.data.trials import VALIDATION_TRIALS, Run, draw_trials, renumbered
from numpy_siamese.errors import InputError
from numpy_siamese.evaluation.within_alphabet import one_shot_validation
from numpy_siamese.runs.learner import Learner

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class ValidationTrials:
    """Trials within the alphabets to validate on, by the drawers that Koch et al. validate on.

    Attributes
    ----------
    images : (n, H, W) uint8
        Those that occur.
    runs : list of Run
        Indices into them.
    """

    images: Array
    runs: list[Run]

    @property
    def count(self) -> int:
        """How many trials there are."""
        return sum(len(run.query) for run in self.runs)

    def accuracy(self, learner: Learner) -> float:
        """Return how many of the trials a learner's network gets right, from 0 to 1.

        Parameters
        ----------
        learner : Learner

        Returns
        -------
        float
            NaN, if the network has diverged.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            weight, bias = learner.head()
            return one_shot_validation(learner.embed, weight, bias, self.images, self.runs)


def validation_trials(dataset: Dataset, seed: int) -> ValidationTrials | None:
    """Draw the trials of a run, once for all its epochs.

    Parameters
    ----------
    dataset : Dataset
    seed : int

    Returns
    -------
    ValidationTrials or None
        None, if the data have no drawings for one-shot trials.

    Raises
    ------
    InputError
        A drawer has not drawn each character of an alphabet once.

    References
    ----------
    Koch et al. 2015, section 3.2: 320 trials on the validation set. Drawers 13 to 16 validate.
    """
    if dataset.one_shot is None:
        return None
    drawings, (first, last) = dataset.one_shot.validation, VALIDATION_DRAWERS
    (kept,) = np.nonzero((first <= drawings.drawers) & (drawings.drawers <= last))
    try:
        runs = draw_trials(
            drawings.labels[kept],
            drawings.alphabets[kept],
            drawings.drawers[kept],
            VALIDATION_TRIALS,
            seed,
        )
    except ValueError as error:
        raise InputError(
            f"--data {dataset.name}: found drawings to validate of which no trials can be drawn, "
            f"expected whole alphabets by drawers {first} to {last}: {error}"
        ) from error
    used, renewed = renumbered(runs)
    return ValidationTrials(drawings.images[kept[used]], renewed)
