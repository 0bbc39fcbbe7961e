"""The trials within alphabets of an evaluation: the official runs, and those that are drawn."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from numpy_siamese.data.trials import Run, draw_trials, official_trials, renumbered
from numpy_siamese.errors import InputError
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


class Drawn(NamedTuple):
    """Trials that are not played yet.

    Attributes
    ----------
    images : (n, H, W) uint8
        All drawings.
    runs : list of Run
        Indices into them.
    """

    images: Array
    runs: list[Run]


def drawn_trials(subject: Subject, config: EvaluationConfig) -> dict[str, Drawn]:
    """Draw the trials that there are: none but of images to test. Alphabets go by their names.

    Parameters
    ----------
    subject : Subject
    config : EvaluationConfig

    Returns
    -------
    dict of str to Drawn
        By the keys of `FILES`. Official runs may not be at hand. An interval needs two.

    Raises
    ------
    InputError
        A drawer has not drawn each character of an alphabet once.
    """
    one_shot, names = subject.dataset.one_shot, subject.dataset.alphabets
    if subject.split != "test" or one_shot is None:
        return {}
    found = {}
    if len(one_shot.runs) > 1:
        found["official"] = Drawn(*official_trials(one_shot.runs))
    for kind, drawings in (("test", one_shot.test), ("validation", one_shot.validation)):
        labels, alphabets = drawings.labels, drawings.alphabets
        if names:
            alphabets = np.array([names[label] for label in labels.tolist()])
        try:
            runs = draw_trials(labels, alphabets, drawings.drawers, config.trials, config.seed)
        except ValueError as error:
            raise InputError(
                f"--data {subject.dataset.name}: found drawings to {kind} of which no trials "
                f"can be drawn, expected a whole alphabet of each drawer: {error}"
            ) from error
        found[kind] = Drawn(drawings.images, runs)
    return found


def played(
    subject: Subject, drawn: Mapping[str, Drawn], begin: Callable[[str], Callable[[float], None]]
) -> dict[str, Trials]:
    """Play trials.

    Parameters
    ----------
    subject : Subject
    drawn : mapping of str to Drawn
    begin : callable
        Takes what begins, and returns what is told which share of it is done.

    Returns
    -------
    dict of str to Trials
        By the keys of `drawn`.

    Raises
    ------
    InputError
        The network has diverged: a number of it is not finite.
    """
    found = {}
    for kind, (whole, all_runs) in drawn.items():
        places, runs = renumbered(all_runs)
        images = whole[places]
        with np.errstate(over="ignore", invalid="ignore"):  # a network that diverged is told
            network = embedded(subject.trained, images, begin(f"playing trials, {kind}"))
        check_finite(subject.run.path, *network)
        found[kind] = Trials(images, places, score(images, network, runs))
    return found
