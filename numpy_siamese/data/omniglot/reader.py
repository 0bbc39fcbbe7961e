"""The reader of Omniglot: archives or folders become a data set, by way of the cache."""

from pathlib import Path

import numpy as np

from numpy_siamese.data.dataset import Dataset, Split
from numpy_siamese.data.omniglot import catalogue
from numpy_siamese.data.omniglot.archives import read_archive, refuse_others
from numpy_siamese.data.omniglot.catalogue import (
    BACKGROUND,
    EVALUATION,
    RUNS,
    TEST_DRAWERS,
    TRAIN_DRAWERS,
    VALIDATION_DRAWERS,
    Catalogue,
)
from numpy_siamese.data.omniglot.ink import SIZES
from numpy_siamese.data.omniglot.official_runs import find_runs
from numpy_siamese.data.omniglot.sources import Sources
from numpy_siamese.data.omniglot.stored import Stored, read_stored, write_stored
from numpy_siamese.data.one_shot_images import Drawings, OfficialRun, OneShotImages
from numpy_siamese.errors import InputError, in_one_line


def read_omniglot(
    name: str, sources: Sources, cache: Path, side: int, official: bool = False
) -> Dataset:
    """Read Omniglot, from the cache if it was read before.

    To train on: the background alphabets by drawers 1 to 12. To validate on: ten alphabets by
    drawers 13 to 16. To test on: the ten alphabets of the official runs by drawers 17 to 20. This
    is the split of Koch, Zemel & Salakhutdinov (2015).

    Parameters
    ----------
    name : str
    sources : Sources
    cache : Path
        A folder. One file is kept there for each content of the sources and each side.
    side : int
        28 or 105.
    official : bool
        Whether other contents than the official ones are refused.

    Returns
    -------
    Dataset
        With alphabets, a validation split and images for one-shot trials. Ink is 255 on black.

    Raises
    ------
    InputError
        There is no such side. A source is damaged, or lacks something.
    """
    if side not in SIZES:
        raise InputError(f"{name}: found no images of {side}×{side}, expected 28×28 or 105×105")
    key, known = sources.checksum(), catalogue.OFFICIAL
    path = cache / f"omniglot-{side}-{key[:16]}.safetensors"
    stored, remarks = read_stored(path, key, side), []
    if stored is None:
        stored = _read(sources, side, known)
        try:
            write_stored(path, key, stored)
        except OSError as error:
            remarks.append(f"not kept for the next time: {in_one_line(error)}")
    if official:
        for archive, place in sources.places():
            refuse_others(place, archive, stored.checksums[archive])
    if sources.runs is None:
        remarks.append("without all_runs.zip: no official runs")
    return _dataset(name, stored, known, tuple(remarks))


def _read(sources: Sources, side: int, known: Catalogue) -> Stored:
    found = {archive: read_archive(place, archive) for archive, place in sources.places()}
    evaluation = found[EVALUATION].images
    questions = choices = answers = np.empty((0, known.items), np.int64)
    if sources.runs is not None:
        runs = found[RUNS]
        questions, choices = find_runs(sources.runs, runs, evaluation, known)
        assert runs.answers is not None
        answers = runs.answers
    packed = np.concatenate([found[BACKGROUND].images, evaluation])
    checksums = {archive: contents.checksum for archive, contents in found.items()}
    return Stored(side, Stored.drawings_of(packed, side), questions, choices, answers, checksums)


def _dataset(name: str, stored: Stored, known: Catalogue, remarks: tuple[str, ...]) -> Dataset:
    labels, owners, drawers = known.numbers()
    names = [*known.all_alphabets()]
    characters = dict(enumerate(known.characters()))

    def images_of(alphabets: list[str], by: tuple[int, int] = (1, 20)) -> Drawings:
        numbers = [names.index(alphabet) for alphabet in alphabets]
        is_drawn = (by[0] <= drawers) & (drawers <= by[1])
        (index,) = np.nonzero(np.isin(owners, numbers) & is_drawn)
        return Drawings(stored.take(index), labels[index], owners[index], drawers[index])

    def split_of(alphabets: list[str], by: tuple[int, int]) -> Split:
        found = images_of(alphabets, by)
        return Split(found.images, found.labels)

    runs = tuple(
        OfficialRun(
            names[owners[questions[0]]], stored.take(questions), stored.take(choices), answers
        )
        for questions, choices, answers in zip(
            stored.questions, stored.choices, stored.answers, strict=True
        )
    )
    return Dataset(
        name,
        split_of([*known.background], TRAIN_DRAWERS),
        split_of([*known.test], TEST_DRAWERS),
        {label: character for label, (_, character) in characters.items()},
        remarks=remarks,
        alphabets={label: alphabet for label, (alphabet, _) in characters.items()},
        validation=split_of([*known.validation], VALIDATION_DRAWERS),
        one_shot=OneShotImages(images_of([*known.validation]), images_of([*known.test]), runs),
    )
