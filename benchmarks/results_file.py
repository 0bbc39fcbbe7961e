"""The results as a file, results.json: the data classes of `results` by field names."""

import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.results import Cell, Memory, Results
from numpy_siamese.errors import InputError, reason
from numpy_siamese.files.atomic_write import write_atomically
from numpy_siamese.files.reading import read_json

FORMAT, VERSION = "siamese benchmarks", 2

READABLE = (1, VERSION)
"""Version 1 had no CPU times: what a cell does not hold was not told."""

LEFT_OUT = "joules"
"""A field of version 1 that is read over."""

MOST_BYTES = 2**24  # a run's have 200 kB

_EXPECTED = "a results.json"


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
        results = Results(
            found["environment"],
            {int(threads): limit for threads, limit in found["limits"].items()},
            [
                Cell(**{name: value for name, value in cell.items() if name != LEFT_OUT})
                for cell in found["cells"]
            ],
            [Memory(**memory) for memory in found["memory"]],
        )
        measured = [cell for cell in results.cells if not cell.missing]
        _ = [cell.median for cell in measured]  # of samples that there are, and that are numbers
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(
            f"{path}: found damaged results ({reason(error)}), expected a whole file"
        ) from None
    return results
