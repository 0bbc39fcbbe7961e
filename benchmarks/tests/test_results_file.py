"""results.json: what was saved comes back, and a damaged file ends in one clear line."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

import benchmarks
from benchmarks.results import Cell, Memory, Results
from benchmarks.results_file import MOST_BYTES, load, save
from numpy_siamese.errors import InputError


def test_results_survive_a_file(tmp_path: Path) -> None:
    """What is loaded is what was saved, to the last digit, told or not."""
    told = Cell("step", "s", 3, "a", 2, [0.1, 1 / 3], "", 1e9, 6, 1e6, 1e-7, 9, 0.2, 0.3, 0.4, 0.5)
    assert None not in asdict(told).values()
    missing = Cell("step", "s", 3, "b", 2, missing=r"failed: bad type \x1b[31m, 0.5×")
    limits = {2: {"gemm_flops": 1e11, "copy_bytes": 1e10}}
    found = Results({"processor": "é"}, limits, [told, missing], [Memory("a", 3, 1, 2)])
    save(found, tmp_path / "results.json")
    assert load(tmp_path / "results.json") == found


def test_results_of_the_first_version_are_read(tmp_path: Path) -> None:
    """They had energy, and nothing of CPU times: those were not told."""
    cell = {"workload": "step", "label": "s", "size": 3, "backend": "a", "threads": 2}
    cell |= {"samples": [0.1], "joules": None, "device_bytes": None, "flops": 1e9}
    content = {"format": "siamese benchmarks", "version": 1, "environment": {"cores": "2"}}
    content |= {"limits": {}, "cells": [cell, cell | {"joules": 0.5}], "memory": []}
    (tmp_path / "results.json").write_text(json.dumps(content))
    expected = Cell("step", "s", 3, "a", 2, [0.1], flops=1e9)
    assert load(tmp_path / "results.json") == Results({"cores": "2"}, {}, [expected] * 2)


def test_the_results_that_are_kept_are_read() -> None:
    """Those in the repository, of whichever version."""
    kept = list(Path(benchmarks.__file__).parent.glob("results/*/results.json"))
    assert kept
    for path in kept:
        assert load(path).cells


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """It does not end in a traceback."""
    with pytest.raises(InputError, match="No such file"):
        load(tmp_path / "results.json")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"format"', '"formats"', "found no results of these benchmarks"),
        ('"version": 2', '"version": 3', "found version 3, expected version 1 or 2"),
        ('"version": 2', '"version": true', "found version True, expected version 1 or 2"),
        ('"memory"', '"memories"', "found damaged results ('memory')"),
        ('"1": {', '"one": {', "found damaged results (invalid literal for int"),
        ('"size": 100', '"sizes": 100', "got an unexpected keyword argument 'sizes'"),
        ('"backend": "numpy",', "", "missing 1 required positional argument: 'backend'"),
        ('"samples": [\n    0.03', '"samples": [\n    "x"', "found damaged results"),
        ('"missing": "not run"', '"missing": ""', "found damaged results"),
        ("{", "[" * 20_000, "found no JSON"),
    ],
)
def test_the_line_says_what_is_wrong(tmp_path: Path, old: str, new: str, said: str) -> None:
    """A file of another kind or version, or a damaged one, ends in one line."""
    measured = Cell("step", "step of 100 pairs", 100, "numpy", 1, [0.03, 0.031])
    missing = Cell("step", "step of 100 pairs", 100, "cuda-eager", 1, missing="not run")
    limits = {1: {"gemm_flops": 1e11, "copy_bytes": 1e10}}
    path = tmp_path / "results.json"
    save(Results({"cores": "2"}, limits, [measured, missing], [Memory("numpy", 100, 10, 12)]), path)
    valid = path.read_text()
    assert old in valid
    path.write_text(valid.replace(old, new, 1))
    with pytest.raises(InputError) as refused:
        load(path)
    assert str(refused.value).startswith(f"{path}: found ")
    assert said in str(refused.value)


def test_a_file_larger_than_any_is_refused_unread(tmp_path: Path) -> None:
    """A file of gigabytes takes no memory."""
    path = tmp_path / "results.json"
    with open(path, "wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(InputError, match=f"found {MOST_BYTES + 1} bytes"):
        load(path)
