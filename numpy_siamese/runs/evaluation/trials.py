"""The trials within alphabets of an evaluation: the official runs, and those that are drawn."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from numpy_siamese.data.trials import Run, draw_trials, official_trials, renumbered
from numpy_siamese.evaluation.within_alphabet import Scores, score
from numpy_siamese.runs.evaluation.config import EvaluationConfig
from numpy_siamese.runs.evaluation.embedding import check_finite, embedded
from numpy_siamese.runs.evaluation.subject import Subject

Array = np.ndarray

FILES = {
    "official": "trials-official.csv",
    "test": "trials.csv",
    "validation": "trials-validation.csv",
}
"""The files of trials, by the key of their figures."""


class Trials(NamedTuple):
    """Trials and what the network says of them.

    Attributes
    ----------
    images : (n, H, W) uint8
        Those that occur.
    places : (n,) int64
        Where they stand among all drawings.
    scores : Scores
        Of runs into the images.
    """

    images: Array
    places: Array
    scores: Scores


def kinds(subject: Subject) -> list[str]:
    """Return which trials there are, as keys of `FILES`: none but of images to test.

    Official runs may not be at hand.
    """
    one_shot = subject.dataset.one_shot
    if subject.split != "test" or one_shot is None:
        return []
    return [name for name in FILES if name != "official" or one_shot.runs]


def played(
    subject: Subject, config: EvaluationConfig, begin: Callable[[str], Callable[[float], None]]
) -> dict[str, Trials]:
    """Play the trials that there are.

    Parameters
    ----------
    subject : Subject
    config : EvaluationConfig
    begin : callable
        Takes what begins, and returns what is told which share of it is done.

    Returns
    -------
    dict of str to Trials
        By `kinds`.

    Raises
    ------
    InputError
        The network has diverged: a number of it is not finite.
    """
    found = {}
    for kind in kinds(subject):
        whole, runs = _trials_of(subject, kind, config)
        places, runs = renumbered(runs)
        images = whole[places]
        with np.errstate(over="ignore", invalid="ignore"):  # a network that diverged is told
            network = embedded(subject.trained, images, begin(f"playing trials, {kind}"))
        check_finite(subject.run.path, *network)
        found[kind] = Trials(images, places, score(images, network, runs))
    return found


def _trials_of(subject: Subject, kind: str, config: EvaluationConfig) -> tuple[Array, list[Run]]:
    """Return all drawings, and trials as indices into them. Alphabets go by their names."""
    one_shot, names = subject.dataset.one_shot, subject.dataset.alphabets
    assert one_shot is not None
    if kind == "official":
        return official_trials(one_shot.runs)
    drawings = one_shot.test if kind == "test" else one_shot.validation
    alphabets = drawings.alphabets
    if names:
        alphabets = np.array([names[label] for label in drawings.labels.tolist()])
    runs = draw_trials(drawings.labels, alphabets, drawings.drawers, config.trials, config.seed)
    return drawings.images, runs
