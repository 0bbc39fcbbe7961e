"""Trials: one-shot classification within an alphabet, as Lake's Omniglot challenge has it.

A run is one alphabet, N of its characters and two of its drawers. Each of the first drawer's N
drawings is classified among the N of the second. So a run has N trials of N ways. They share both
drawers, and are not independent.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arguments
from numpy_siamese.data.one_shot_images import OfficialRun
from numpy_siamese.data.pairs import checked_labels

Array = np.ndarray

WAYS = 20
"""The characters of a run; all of an alphabet that has fewer."""

TRIALS = 4000
"""How many are drawn by default: 200 runs of 20."""

VALIDATION_TRIALS = 320
"""How many Koch et al. draw after each epoch, to stop early."""

STREAM = 6
"""The last word of the random numbers' counter. Pairs, bootstrap and episodes have lower ones."""


class _Table(NamedTuple):
    """An alphabet: its characters, its drawers, and the image of each by each, (C, D)."""

    alphabet: int | str
    characters: Array
    drawers: Array
    images: Array


class Run(NamedTuple):
    """N trials of N ways, as indices into the images.

    Attributes
    ----------
    alphabet : int or str
    drawers : (2,) array or None
        Who drew the queries, and who the support. None where that is not known.
    query : (N,) int64
        The images to classify.
    support : (N,) int64
        The images that are known, one of each character.
    position : (N,) int64
        Which of the support is of each query's character.
    subset : int
        Which of the sets of characters it has, where sets are given.
    """

    alphabet: int | str
    drawers: Array | None
    query: Array
    support: Array
    position: Array
    subset: int = 0


def draw_trials(
    labels: npt.ArrayLike,
    alphabets: npt.ArrayLike,
    drawers: npt.ArrayLike,
    trials: int = TRIALS,
    seed: int = 0,
    subsets: Sequence[npt.ArrayLike] | None = None,
) -> list[Run]:
    """Draw runs of within-alphabet trials.

    Alphabets take turns, in the order of their values. So each has as many runs as another, give or
    take one. Of a run's alphabet `WAYS` characters and two different drawers are drawn, every
    ordered choice equally likely. An alphabet of fewer characters takes part with all of them.

    Where sets of characters are given, such as those of the official runs, they take turns in place
    of alphabets, as they are ordered. Then drawers alone are by chance, if a set has `WAYS`.

    Runs are a pure function of labels, alphabets, drawers and seed, by a counter-based generator
    (Philox). More of them begin with the same ones.

    Parameters
    ----------
    labels, alphabets, drawers : (n,) integers, whole numbers, bools or strings
        The character, the alphabet and the drawer of each image. Taken by position. Every drawer
        of an alphabet has drawn each of its characters once. Drawers of one name in two alphabets
        are two drawers.
    trials : int
        At least 1. Runs are drawn until they have so many. The last one is whole.
    seed : int
        Taken modulo 2¹²⁸.
    subsets : sequence of (N,), optional
        Labels of at least two characters of one alphabet each. At least one set.

    Returns
    -------
    list of Run

    Raises
    ------
    TypeError
        No such arrays or numbers.
    ValueError
        No such arrays or numbers, or of several lengths. A character of two alphabets. An alphabet
        of one character or of one drawer. A character that a drawer of its alphabet has not drawn
        once. A set that is not of characters of one alphabet.

    References
    ----------
    Lake, Salakhutdinov & Tenenbaum 2015, *Human-level concept learning through probabilistic
    program induction*. Koch, Zemel & Salakhutdinov 2015, *Siamese neural networks for one-shot
    image recognition*: section 4.3.
    """
    trials, seed = _arguments.count("trials", trials, 1), _arguments.integer("seed", seed)
    names = {"labels": labels, "alphabets": alphabets, "drawers": drawers}
    columns = {name: checked_labels(values, name) for name, values in names.items()}
    for name, column in columns.items():
        if column.shape != columns["labels"].shape:
            n = len(columns["labels"])
            raise ValueError(f"{name} must be ({n},) as labels are, got {column.shape}")
    tables = [*_tables(**columns)]
    if subsets is not None:
        tables = [_of_characters(tables, checked_labels(chosen, "subsets")) for chosen in subsets]
        if not tables:
            raise ValueError("subsets must hold at least one set of characters")
    widest = max(len(table.characters) for table in tables)
    people = max(len(table.drawers) for table in tables)

    ways = np.array([min(WAYS, len(table.characters)) for table in tables])
    rounds = -(-trials // int(ways.sum()))
    before = np.cumsum(np.tile(ways, rounds)) - np.tile(ways, rounds)
    R = int((before < trials).sum())

    sets_given = int(subsets is not None)
    stream = np.random.Philox(key=seed % 2**128, counter=[0, 0, sets_given, STREAM])
    # a row for each run, so that more runs begin with the same ones
    unit = np.random.Generator(stream).random((R, widest + people))
    runs = []
    for r in range(R):
        alphabet, characters, drawn_by, images = tables[r % len(tables)]
        N = min(WAYS, len(characters))
        chosen = np.argsort(unit[r, : len(characters)], kind="stable")[:N]
        pair = np.argsort(unit[r, widest : widest + len(drawn_by)], kind="stable")[:2]
        query, support = images[chosen[:, None], pair].T
        subset = sets_given * (r % len(tables))
        runs.append(Run(alphabet, drawn_by[pair], query, support, np.arange(N), subset))
    return runs


def official_trials(official: Sequence[OfficialRun]) -> tuple[Array, list[Run]]:
    """Return the images of official runs as one array, and their trials as indices into it.

    Nobody tells who drew them. So no two are taken to share a drawer.

    Parameters
    ----------
    official : sequence of OfficialRun
        At least one.

    Returns
    -------
    images : (n, H, W) uint8
        Run after run, first what is asked for, then what is known.
    runs : list of Run
    """
    runs, start = [], 0
    for run in official:
        queries, known = len(run.test), len(run.training)
        query = np.arange(start, start + queries)
        support = np.arange(start + queries, start + queries + known)
        runs.append(Run(run.alphabet, None, query, support, run.answers))
        start += queries + known
    return np.concatenate([part for run in official for part in (run.test, run.training)]), runs


def renumbered(runs: Sequence[Run]) -> tuple[Array, list[Run]]:
    """Return the images that occur in runs, and the runs as indices into these.

    Parameters
    ----------
    runs : sequence of Run
        At least one.

    Returns
    -------
    images : (m,) int64
        Rising.
    runs : list of Run
    """
    images = np.unique(np.concatenate([part for run in runs for part in run[2:4]]))
    return images, [
        run._replace(
            query=np.searchsorted(images, run.query), support=np.searchsorted(images, run.support)
        )
        for run in runs
    ]


def _tables(labels: Array, alphabets: Array, drawers: Array) -> Iterator[_Table]:
    """Yield each alphabet, in the order of their values."""
    if len(labels) == 0:
        raise ValueError("labels must hold at least one image")
    home = dict(zip(labels.tolist(), alphabets.tolist(), strict=True))
    for label, alphabet in zip(labels.tolist(), alphabets.tolist(), strict=True):
        if home[label] != alphabet:
            raise ValueError(
                f"alphabets must be one for each label, got {alphabet} and {home[label]} "
                f"for {label}"
            )
    for alphabet in np.unique(alphabets).tolist():
        (members,) = np.nonzero(alphabets == alphabet)
        classes, row = np.unique(labels[members], return_inverse=True)
        people, column = np.unique(drawers[members], return_inverse=True)
        for name, values in (("labels", classes), ("drawers", people)):
            if len(values) < 2:
                raise ValueError(f"{name} must be at least two of an alphabet, got 1 of {alphabet}")
        count = np.zeros((len(classes), len(people)), np.int64)
        np.add.at(count, (row, column), 1)
        if (count != 1).any():
            c, d = np.argwhere(count != 1)[0]
            raise ValueError(
                f"labels must be drawn once by each drawer of their alphabet, got {count[c, d]} "
                f"drawings of {classes[c]} by {people[d]}"
            )
        images = np.empty_like(count)
        images[row, column] = members
        yield _Table(alphabet, classes, people, images)


def _of_characters(tables: Sequence[_Table], chosen: Array) -> _Table:
    """Return the part of an alphabet's table that is of some of its characters."""
    for table in tables:
        (places,) = np.nonzero(np.isin(table.characters, chosen))
        if 1 < len(places) == len(chosen):
            return table._replace(characters=table.characters[places], images=table.images[places])
    raise ValueError(
        f"subsets must be of two or more characters of one alphabet, each once, got {chosen}"
    )
