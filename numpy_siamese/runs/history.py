"""What a run has measured so far: its rows of metrics, and the window that is still open."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field, fields

import numpy as np

from numpy_siamese import _arguments, _arrays

Array = np.ndarray


@dataclass(frozen=True)
class Metrics:
    """Means over a window of training batches, or over the test pairs after an epoch.

    `epoch` and `batch` count from 1 and name the last batch seen. `loss` is in nats. It is NaN if
    a batch was left out (``--on-nan continue``). `seconds` is the time since the run began, without
    pauses.
    """

    epoch: int
    batch: int
    loss: float
    accuracy: float
    seconds: float


@dataclass(frozen=True)
class Validation:
    """The one-shot trials after an epoch.

    `epoch` counts from 1. `accuracy` is the share of the `trials` that the network got right, NaN
    if it had diverged. `seconds` is the time since the run began, without pauses.
    """

    epoch: int
    accuracy: float
    trials: int
    seconds: float


COLUMNS = tuple(column.name for column in fields(Metrics))
VALIDATION_COLUMNS = tuple(column.name for column in fields(Validation))


@dataclass
class History:
    """Rows of training windows, tests and validations, and the batches of the window still open.

    Attributes
    ----------
    train, test : list of Metrics
    window : list of (loss, accuracy)
        One for each batch since the last row.
    validation : list of Validation
        Empty where the data have no one-shot trials.
    """

    train: list[Metrics] = field(default_factory=list)
    test: list[Metrics] = field(default_factory=list)
    window: list[tuple[float, float]] = field(default_factory=list)
    validation: list[Validation] = field(default_factory=list)

    def to_tensors(self) -> dict[str, Array]:
        """Return all as float64: `train` and `test` (rows, 5), `window` (batches, 2).

        `validation` (rows, 4) is left out where it is empty, as in runs of earlier versions.
        """
        found = {
            "train": _table([astuple(row) for row in self.train], len(COLUMNS)),
            "test": _table([astuple(row) for row in self.test], len(COLUMNS)),
            "window": _table(self.window, 2),
        }
        rows = [astuple(row) for row in self.validation]
        return found | ({"validation": _table(rows, len(VALIDATION_COLUMNS))} if rows else {})

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Array]) -> "History":
        """Return the history of such tensors.

        Raises
        ------
        TypeError
            `tensors` is no mapping, or a value in it is no array.
        ValueError
            A tensor is missing or has another shape or dtype. An epoch or a batch is no count.
        """
        tensors = _arguments.mapping("tensors", tensors)
        shapes = {"train": len(COLUMNS), "test": len(COLUMNS), "window": 2}
        if "validation" in tensors:
            shapes["validation"] = len(VALIDATION_COLUMNS)
        for name, columns in shapes.items():
            if name not in tensors:
                raise ValueError(f"found no {name}")
            found = _arrays.array(name, tensors[name])
            if found.ndim != 2 or found.shape[1] != columns or found.dtype != np.float64:
                raise ValueError(f"found {name} {found.shape} of {found.dtype}")
        window = [(float(loss), float(accuracy)) for loss, accuracy in tensors["window"]]
        validation = _validations(tensors["validation"]) if "validation" in tensors else []
        return cls(_rows(tensors["train"]), _rows(tensors["test"]), window, validation)


def _table(rows: list, columns: int) -> Array:
    return np.array(rows, np.float64).reshape(len(rows), columns)


def _rows(table: Array) -> list[Metrics]:
    if not _are_counts(table[:, :2]):
        raise ValueError("found a row whose epoch or batch is no count")
    return [
        Metrics(int(epoch), int(batch), *measured) for epoch, batch, *measured in table.tolist()
    ]


def _validations(table: Array) -> list[Validation]:
    if not _are_counts(table[:, ::2]):
        raise ValueError("found a validation whose epoch or trials are no count")
    return [
        Validation(int(epoch), accuracy, int(trials), seconds)
        for epoch, accuracy, trials, seconds in table.tolist()
    ]


def _are_counts(numbers: Array) -> bool:
    return bool(((numbers >= 1) & (numbers < 2**53) & (numbers == np.floor(numbers))).all())
