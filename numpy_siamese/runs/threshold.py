"""The threshold that an evaluation of a run has chosen, read back from its folder."""

from pathlib import Path
from typing import Any, NamedTuple

from numpy_siamese.errors import InputError
from numpy_siamese.files.reading import read_json
from numpy_siamese.runs.finished_run import FinishedRun

EVALUATION = Path("evaluation") / "evaluation.json"
"""Where the figures of an evaluation lie in the folder of its run."""

MOST_BYTES = 2**22
"""The most that an `evaluation.json` may have. A real one has some ten thousand."""


class Figure(NamedTuple):
    """A rate and its 95 % interval, from 0 to 1."""

    value: float
    low: float
    high: float


class Threshold(NamedTuple):
    """A threshold chosen on validation pairs, and its errors on test pairs.

    Attributes
    ----------
    value : float
        A pair is called *same* when its probability is above it.
    far : Figure
        False accept rate: of different pairs, the share called same.
    frr : Figure
        False reject rate: of same pairs, the share called different.
    model_sha256 : str or None
        Of the weights that were evaluated. None if the evaluation does not tell.
    """

    value: float
    far: Figure
    frr: Figure
    model_sha256: str | None = None


def validated_threshold(run: FinishedRun) -> Threshold | None:
    """Return the threshold of a run, or None if these weights were not evaluated.

    Raises
    ------
    InputError
        There is an `evaluation.json` that does not hold it.
    """
    path = run.path / EVALUATION
    if not path.exists():
        return None
    found = read_threshold(path)
    return found if found.model_sha256 in (None, run.model_sha256) else None


def read_threshold(path: Path) -> Threshold:
    """Read the threshold from an `evaluation.json`.

    Raises
    ------
    InputError
        The file cannot be read, or does not hold it.
    """
    found = read_json(path, "an evaluation in JSON", MOST_BYTES)
    if not isinstance(found, dict):
        raise InputError(f"{path}: found a {type(found).__name__}, expected a JSON object")
    far, frr = (_figure(path, name, found.get(name)) for name in ("far", "frr"))
    sha256 = found.get("model_sha256")
    if not isinstance(sha256, str | None):
        raise InputError(f"{path}: model_sha256: found {sha256!r:.80}, expected a string")
    return Threshold(_rate(path, "threshold", found.get("threshold")), far, frr, sha256)


def _figure(path: Path, name: str, found: Any) -> Figure:
    if not isinstance(found, dict):
        raise InputError(
            f"{path}: {name}: found {found!r:.80}, expected an object of value, low and high"
        )
    return Figure(*(_rate(path, f"{name} {end}", found.get(end)) for end in Figure._fields))


def _rate(path: Path, name: str, found: Any) -> float:
    if type(found) not in (int, float) or not 0 <= found <= 1:
        raise InputError(f"{path}: {name}: found {found!r:.80}, expected a number from 0 to 1")
    return float(found)
