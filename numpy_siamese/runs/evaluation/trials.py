"""The trials within alphabets of an evaluation: the official runs, and those that are drawn."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from numpy_siamese.data.official_characters import official_characters
from numpy_siamese.data.trials import Run, draw_trials, official_trials, renumbered
from numpy_siamese.data.views import view
from numpy_siamese.errors import InputError
from numpy_siamese.evaluation.one_shot import Embedded
from numpy_siamese.evaluation.within_alphabet import Scores, score
from numpy_siamese.runs.evaluation.config import EvaluationConfig
from numpy_siamese.runs.evaluation.embedding import check_finite, embedded
from numpy_siamese.runs.evaluation.subject import Subject

Array = np.ndarray

FILES = {
    "official": "trials-official.csv",
    "official_characters": "trials-official-characters.csv",
    "test": "trials.csv",
    "validation": "trials-validation.csv",
}
"""The files of trials, by the key of their figures."""

CALLED = {kind: kind for kind in FILES} | {"official_characters": "characters"}
"""What trials are called in a table."""


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
        A drawer has not drawn each character of an alphabet once, or an official run is of other
        drawings.
    """
    one_shot, names = subject.dataset.one_shot, subject.dataset.alphabets
    if subject.split != "test" or one_shot is None:
        return {}
    found, official = {}, one_shot.runs
    if len(official) > 1:
        found["official"] = Drawn(*official_trials(official))
    for kind, drawings in (("test", one_shot.test), ("validation", one_shot.validation)):
        labels, alphabets = drawings.labels, drawings.alphabets
        if names:
            alphabets = np.array([names[label] for label in labels.tolist()])
        try:
            columns = labels, alphabets, drawings.drawers, config.trials, config.seed
            runs = draw_trials(*columns)
            if kind == "test" and "official" in found:
                subsets = official_characters(official, drawings)
                of_subsets = draw_trials(*columns, subsets)
                found["official_characters"] = Drawn(drawings.images, of_subsets)
        except ValueError as error:
            raise InputError(
                f"--data {subject.dataset.name}: found drawings to {kind} of which no trials "
                f"can be drawn, expected a whole alphabet of each drawer: {error}"
            ) from error
        found[kind] = Drawn(drawings.images, runs)
    return found


def played(
    subject: Subject,
    drawn: Mapping[str, Drawn],
    config: EvaluationConfig,
    begin: Callable[[str], Callable[[float], None]],
) -> dict[str, Trials]:
    """Play trials.

    Parameters
    ----------
    subject : Subject
    drawn : mapping of str to Drawn
    config : EvaluationConfig
        Its `views`, and the seed that they are distorted by.
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
        views = _views(subject, images, places, config, begin(f"playing trials, {CALLED[kind]}"))
        found[kind] = Trials(images, places, score(images, views, runs))
    return found


def _views(
    subject: Subject,
    images: Array,
    places: Array,
    config: EvaluationConfig,
    progress: Callable[[float], None],
) -> Iterator[Embedded]:
    """Yield the embeddings of one view of the images after the other."""
    number = 0

    def show(share: float) -> None:
        progress((number + share) / config.views)

    for number in range(config.views):
        seen = view(images, places, number, config.seed)
        with np.errstate(over="ignore", invalid="ignore"):  # a network that diverged is told
            network = embedded(subject.trained, seen, show)
        check_finite(subject.run.path, *network)
        yield network
