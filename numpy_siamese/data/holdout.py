"""Held-out classes: a part of a data set that a run never sees."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from numpy_siamese.data.dataset import Dataset, Split
from numpy_siamese.data.pairs import checked_labels
from numpy_siamese.errors import InputError, did_you_mean, listed
from numpy_siamese.terminal.names import split_names

FLAG = "--holdout-classes"

MOST_CLASSES = 100
"""Names of classes that a message lists."""


def held_out_labels(dataset: Dataset, text: str | None) -> npt.NDArray[np.int64]:
    """Return the labels of classes that are held out.

    Parameters
    ----------
    dataset : Dataset
        With all classes.
    text : str or None
        Their names as in `Dataset.class_names`, with commas between (`split_names`). None for no
        class.

    Returns
    -------
    (k,) int64
        Rising.

    Raises
    ------
    InputError
        No class has such a name, or it stands there twice. Fewer than two classes are left to
        train or to test.
    """
    if text is None:
        return np.empty(0, np.int64)
    labels = {name: label for label, name in dataset.class_names.items()}
    found: list[int] = []
    for name in split_names(text):
        if name not in labels:
            raise InputError(
                f"{FLAG}: found {name!r:.400}{did_you_mean(name, labels)}, expected classes of "
                f"--data {dataset.name}, with commas between: {listed(labels, MOST_CLASSES)}"
            )
        if labels[name] in found:
            raise InputError(f"{FLAG}: found {name!r} twice, expected each class once")
        found.append(labels[name])
    held = np.array(sorted(found), np.int64)
    for half, split in _halves(dataset):
        left = np.setdiff1d(split.labels, held).tolist()
        if len(left) < 2:
            names = listed(dataset.class_names[label] for label in left)
            raise InputError(
                f"{FLAG} {text}: leaves {f'only class {names}' if left else 'no class'} to {half}, "
                "expected at least two"
            )
    return held


def without_classes(dataset: Dataset, labels: npt.ArrayLike) -> Dataset:
    """Return the data set without the images of some classes, to train on and to test on.

    The others keep their labels, names and order. `Dataset.whole` is the data set with all classes.

    Parameters
    ----------
    dataset : Dataset
    labels : (k,) integers
        As `held_out_labels` gives them. Without any, the data set is returned as it is.

    Returns
    -------
    Dataset

    Raises
    ------
    TypeError, ValueError
        No such labels, or labels of which the data set has no image.
    """
    held = checked_labels(labels)
    if not len(held):
        return dataset
    if unknown := np.setdiff1d(held, [*dataset.class_names]).tolist():
        raise ValueError(f"labels must be classes of the data set, got {unknown[0]}")
    train, test = (_without(split, held) for _, split in _halves(dataset))
    names = listed((dataset.class_names[label] for label in np.unique(held).tolist()), MOST_CLASSES)
    remark = (
        f"held out: {names} ({len(dataset.train.labels) - len(train.labels):,} training and "
        f"{len(dataset.test.labels) - len(test.labels):,} test images)"
        f"{'; to judge unseen pairs takes two classes' if len(np.unique(held)) == 1 else ''}"
    )
    return dataclasses.replace(
        dataset,
        train=train,
        test=test,
        remarks=(*dataset.remarks, remark),
        whole=dataset.whole or dataset,
    )


def _without(split: Split, held: np.ndarray) -> Split:
    kept = ~np.isin(split.labels, held)
    return Split(split.images[kept], split.labels[kept])


def _halves(dataset: Dataset) -> Iterator[tuple[str, Split]]:
    yield "train", dataset.train
    yield "test", dataset.test
