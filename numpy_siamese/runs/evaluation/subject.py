"""What is evaluated: a run's network, trained and untrained, on images of a data set."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from numpy_siamese.data.dataset import Dataset, Split
from numpy_siamese.data.holdout import held_out_labels
from numpy_siamese.data.sources import load
from numpy_siamese.errors import InputError, counted
from numpy_siamese.files.paths import expanded
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.finished_run import FinishedRun, read_finished_run
from numpy_siamese.runs.network import Network

Array = np.ndarray

LEAST = {"seen": 4, "unseen": 2}
"""Images of a class. Two make a pair to judge. Of seen classes two others make one to validate."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A run's network and the images that it is evaluated on.

    Attributes
    ----------
    run : FinishedRun
    trained, untrained : Network
        With the run's weights, and with those that its seed gave before training.
    dataset : Dataset
    split : 'test' or 'train'
    is_own : bool
        Whether the run was trained on this data set.
    held : (k,) int64
        Labels of the classes that training never saw.
    """

    run: FinishedRun
    trained: Network
    untrained: Network
    dataset: Dataset
    split: str
    is_own: bool
    held: Array

    @property
    def images(self) -> Split:
        """The images and labels that are judged."""
        return self.dataset.test if self.split == "test" else self.dataset.train

    @property
    def seen(self) -> Array:
        """The images of classes that training saw, or of other data: (m,) int64."""
        return np.flatnonzero(~np.isin(self.images.labels, self.held))

    @property
    def unseen(self) -> Array:
        """The images of held-out classes: (m,) int64. None, if there are not two such classes."""
        images = np.flatnonzero(np.isin(self.images.labels, self.held))
        return images if len(np.unique(self.images.labels[images])) > 1 else images[:0]

    @property
    def untrained_classes(self) -> int:
        """How many of the classes that are judged have none of the names that training saw."""
        names = self.dataset.class_names
        trained = set(self.run.recorded.class_names.values())
        if self.is_own or dict(names) == self.run.recorded.class_names:
            own = np.setdiff1d(self.dataset.train.labels, self.held)
            trained = {names[label] for label in own.tolist()}
        judged = np.unique(self.images.labels).tolist()
        return sum(names[label] not in trained for label in judged)

    def names_of(self, images: Array) -> list[str]:
        """Return the names of the classes of images, in the order of their labels."""
        labels = np.unique(self.images.labels[images]).tolist()
        return [self.dataset.class_names[label] for label in labels]


def read_subject(
    path: Path,
    data: str | None,
    split: str,
    network_class: Any,
    config_class: type[TrainConfig],
    **of_use: Any,
) -> Subject:
    """Read a finished run and the data to evaluate it on.

    Parameters
    ----------
    path : Path
        The run's folder.
    data : str or None
        As `load` takes it. None for the run's own.
    split : 'test' or 'train'
    network_class : type
        `NumpyNetwork` or `TorchNetwork`.
    config_class : type
        `TrainConfig` of the same package.
    **of_use
        As `read_finished_run` takes them.

    Raises
    ------
    InputError
        The run is not finished, or its network is another one. The data cannot be read, or are no
        longer those that the run saw. A class has fewer images than `LEAST`.
    """
    run = read_finished_run(path, config_class, **of_use)
    trained = run.network(network_class)
    dataset, is_own = data_of(run, data)
    untrained, held = network_class(run.config), _held(run, dataset, is_own)
    subject = Subject(run, trained, untrained, dataset, split, is_own, held)
    _check_classes(subject)
    return subject


def data_of(run: FinishedRun, data: str | None) -> tuple[Dataset, bool]:
    """Return the data that a flag asks for, or the run's own, and whether they are its own.

    Raises
    ------
    InputError
        They cannot be read, are no longer those of the run, or are of another size than it reads.
    """
    config = run.config
    if data in (None, config.data):
        return run.own_data("--data"), True
    try:
        place = expanded(data)
    except InputError as error:
        raise InputError(f"--data: {error}") from error
    dataset = _as_the_run_would(place, config)
    return dataset, dataset.checksum() == run.recorded.data_sha256


def _as_the_run_would(data: str, config: TrainConfig) -> Dataset:
    """Load data with the run's share to test, where they have no test set of their own.

    A copy of the run's own folder is so split as it was in training.
    """
    if config.test_share is not None:
        try:
            return load(data, config.test_share, config.seed, config.image_size)
        except InputError:  # they may have one
            pass
    return load(data, None, config.seed, config.image_size)


def _held(run: FinishedRun, dataset: Dataset, is_own: bool) -> Array:
    """Return the labels of held-out classes, if the data have the classes of the run."""
    has_them = is_own or dict(dataset.class_names) == run.recorded.class_names
    return held_out_labels(dataset, run.config.holdout_classes if has_them else None)


def _check_classes(subject: Subject) -> None:
    """Refuse classes that are too small for pairs."""
    for kind, images in (("seen", subject.seen), ("unseen", subject.unseen)):
        labels, counts = np.unique(subject.images.labels[images], return_counts=True)
        least = LEAST[kind]
        few = np.flatnonzero(counts < least)
        if len(few):
            name, count = subject.dataset.class_names[int(labels[few[0]])], int(counts[few[0]])
            others = f" (and {len(few) - 1} more such classes)" if len(few) > 1 else ""
            reason = "2 to choose thresholds on, 2 to judge" if kind == "seen" else "for a pair"
            raise InputError(
                f"--data {subject.dataset.name}: found {counted(count, 'image')} of class "
                f"{name} to {subject.split}{others}, expected at least {least}: {reason}"
            )


def check_comparable(subjects: Sequence[Subject]) -> None:
    """Refuse runs whose figures have no mean.

    Raises
    ------
    InputError
        A run stands there twice, or differs from the first in data, their share to test or held-out
        classes.
    """
    first = subjects[0]
    seen: set[Path] = set()
    for subject in subjects:
        path = subject.run.path
        if path.resolve() in seen:
            raise InputError(f"{path}: found the run twice, expected each once")
        seen.add(path.resolve())
        if (
            subject.dataset.name != first.dataset.name
            and subject.dataset.checksum() != first.dataset.checksum()
        ):
            raise InputError(
                f"{path}: found a run on {subject.dataset.name}, expected one on "
                f"{first.dataset.name} as {first.run.path}, or --data for all"
            )
        counts, expected = (_counts(one) for one in (subject, first))
        if counts != expected:
            raise InputError(
                f"{path}: found a run with {sum(counts)} images to {subject.split}, expected "
                f"{sum(expected)} as {first.run.path}: --test-share differs"
            )
        if subject.held.tolist() != first.held.tolist():
            raise InputError(
                f"{path}: found a run with other held-out classes, expected those of "
                f"{first.run.path}"
            )


def _counts(subject: Subject) -> list[int]:
    """Return how many images each class has."""
    return np.unique(subject.images.labels, return_counts=True)[1].tolist()
