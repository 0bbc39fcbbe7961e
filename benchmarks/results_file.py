"""The results as a file, results.json: the data classes of `results` by field names."""

import json
import sys
from collections.abc import Callable
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.results import Cell, Memory, Results
from numpy_siamese.errors import InputError, reason
from numpy_siamese.files.atomic_write import write_atomically
from numpy_siamese.files.reading import read_json

FORMAT, VERSION = "siamese benchmarks", 2

READABLE = (1, VERSION)
"""Version 1 had no CPU times: what a cell does not hold was not told."""

LEFT_OUT = frozenset({"joules"})
"""Fields of version 1 that are read over."""

MOST_BYTES = 2**24  # a run's have 200 kB

MOST_SAMPLES, SHORTEST, LONGEST = 1000, 1e-12, 1e9
"""Of a cell: more samples than any run takes, fewer seconds, and more."""

_EXPECTED = "a results.json"

Record = TypeVar("Record", Cell, Memory)


def save(results: Results, path: Path) -> None:
    """Write the results as JSON."""
    content = {"format": FORMAT, "version": VERSION} | asdict(results)
    write_atomically(path, (json.dumps(content, indent=1) + "\n").encode())


def load(path: Path) -> Results:
    """Read results.

    Raises
    ------
    InputError
        A file that cannot be read, is damaged, or was written by another version.
    """
    found = read_json(path, _EXPECTED, MOST_BYTES)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InputError(f"{path}: found no results of these benchmarks, expected {_EXPECTED}")
    version = found.get("version")
    if type(version) is not int or version not in READABLE:
        raise InputError(f"{path}: found version {version!r:.80}, expected version 1 or {VERSION}")
    try:
        return Results(
            environment=_by_name(found.get("environment"), _text),
            limits={
                _threads(n): limit for n, limit in _by_name(found.get("limits"), _limit).items()
            },
            cells=[_record(Cell, cell) for cell in _list(found.get("cells"))],
            memory=[_record(Memory, memory) for memory in _list(found.get("memory"))],
        )
    except (ValueError, RecursionError) as error:  # to quote a value goes deeper than to parse it
        raise InputError(
            f"{path}: found damaged results ({reason(error)}), expected a whole file"
        ) from None


def _by_name(found: Any, check: Callable[[Any], Any]) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ValueError(f"{found!r:.80}, expected an object")
    return {_text(name): check(value) for name, value in found.items()}


def _list(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise ValueError(f"{found!r:.80}, expected a list")
    return found


def _threads(name: str) -> int:
    if not (name.isascii() and name.isdigit() and len(name) < 6 and str(int(name)) == name != "0"):
        raise ValueError(f"{name!r:.80}, expected a number of threads")
    return int(name)


def _limit(found: Any) -> dict[str, float]:
    limit = _by_name(found, _positive)
    if limit.keys() != {"gemm_flops", "copy_bytes"}:
        raise ValueError(f"{found!r:.80}, expected the limits of a machine")
    return limit


def _record(kind: type[Record], found: Any) -> Record:
    """Return a data class of what an object holds, every field of its type."""
    specs = {spec.name: spec for spec in fields(kind)}
    if not isinstance(found, dict) or found.keys() - specs.keys() - LEFT_OUT:
        raise ValueError(f"{found!r:.80}, expected a {kind.__name__.lower()}")
    values = {}
    for name, spec in specs.items():
        if name in found:
            values[name] = _CHECKS[spec.type](found[name])
        elif spec.default is MISSING and spec.default_factory is MISSING:
            raise ValueError(f"no {name}")
    record = kind(**values)
    if isinstance(record, Cell) and not record.missing and not record.samples:
        raise ValueError("a cell without samples")
    return record


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"{value!r:.80}, expected a line of text")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError(f"{value!r:.80}, expected a count")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= sys.float_info.max:
        raise ValueError(f"{value!r:.80}, expected a number from 0")
    return float(value)


def _positive(value: Any) -> float:
    if _number(value) == 0:
        raise ValueError("0, expected a number above it")
    return float(value)


def _samples(value: Any) -> list[float]:
    samples = [_positive(sample) for sample in _list(value)]
    if len(samples) > MOST_SAMPLES or not all(SHORTEST <= s <= LONGEST for s in samples):
        raise ValueError(f"{len(samples)} samples, expected at most {MOST_SAMPLES} of seconds")
    return samples


_CHECKS: dict[Any, Callable[[Any], Any]] = {
    str: _text,
    int: _count,
    float: _number,
    list[float]: _samples,
    float | None: lambda value: None if value is None else _number(value),
    int | None: lambda value: None if value is None else _count(value),
}
