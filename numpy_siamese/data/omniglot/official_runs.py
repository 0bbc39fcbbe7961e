"""The official runs as places among the drawings, checked to ask what they mean to ask."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from numpy_siamese.data.omniglot.archives import Contents
from numpy_siamese.data.omniglot.catalogue import Catalogue
from numpy_siamese.data.omniglot.ink import Packed
from numpy_siamese.errors import InputError

Places = npt.NDArray[np.int64]


def find_runs(
    place: Path, runs: Contents, evaluation: Packed, known: Catalogue
) -> tuple[Places, Places]:
    """Find the images of official runs among all drawings.

    Parameters
    ----------
    place : Path
        Of the runs, for messages.
    runs : Contents
    evaluation : (n, 105, 14) uint8
    known : Catalogue

    Returns
    -------
    questions, choices : (runs, items) int64
        Places among all drawings, those of the background first.

    Raises
    ------
    InputError
        An image is no copy of a drawing to evaluate with. A run has several alphabets, or one not
        to test on. One half of it has several drawers, or both have one. An answer shows another
        character.
    """
    labels, alphabets, drawers = known.numbers()
    before = len(labels) - len(evaluation)
    drawing = {image.tobytes(): before + i for i, image in enumerate(evaluation)}
    shape = (known.runs, 2, known.items)
    places = np.array([drawing.get(image.tobytes(), -1) for image in runs.images])
    places = places.reshape(shape)
    for run, half, item in np.argwhere(places < 0):
        name = ("test/item", "training/class")[half]
        raise InputError(
            f"{place}: run{run + 1:02d}/{name}{item + 1:02d}.png: found an image that no drawer "
            "of images_evaluation drew, expected a copy of one"
        )
    names = [*known.all_alphabets()]
    assert runs.answers is not None
    for number, (halves, answers) in enumerate(zip(places, runs.answers, strict=True), 1):
        run_alphabets = np.unique(alphabets[halves])
        first = names[run_alphabets[0]]
        by = [np.unique(drawers[half]) for half in halves]
        found = None
        if len(run_alphabets) > 1:
            found = f"characters of {len(run_alphabets)} alphabets, expected those of one"
        elif first not in known.test:
            found = f"characters of {first}, expected those of an alphabet to test on"
        elif [len(who) for who in by] != [1, 1] or by[0] == by[1]:
            found = "other drawers, expected one to test and another one to train on"
        elif (labels[halves[1]][answers] != labels[halves[0]]).any():
            found = "answers that show other characters, expected the same ones"
        if found:
            raise InputError(f"{place}: run{number:02d}: found {found}")
    return places[:, 0], places[:, 1]
