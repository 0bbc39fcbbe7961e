"""results.json: what was saved comes back, and damaged or hostile files end in one clear line."""

import json
from dataclasses import asdict
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import benchmarks
from benchmarks.results import Cell, Memory, Results
from benchmarks.results_file import MOST_BYTES, load, save
from benchmarks.tests.hostile_results import READERS
from numpy_siamese.errors import InputError
from numpy_siamese.tests.robustness.spoiling import outcome, spoil

READER = READERS["results"]


def test_valid_files_are_read(tmp_path: Path) -> None:
    """The check of what was read holds for what was saved."""
    for seed in READER.seeds():
        assert outcome(READER, tmp_path / "results.json", seed) == "data"


@pytest.mark.slow
def test_spoilt_files_give_their_data_or_one_clear_line(tmp_path: Path) -> None:
    """No traceback, and nothing that the file does not hold."""
    found = set()

    @settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.randoms(use_true_random=False), st.sampled_from(READER.seeds()))
    def spoil_and_read(random: Random, seed: bytes) -> None:
        found.add(outcome(READER, tmp_path / "results.json", spoil(random, READER, seed)))

    spoil_and_read()
    assert found == {"data", "refused"}


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
        (b'"numpy"', b'"num\\u001bpy"', "expected a line of text"),
        (b'"numpy"', b"null", "None, expected a line of text"),
        (b"0.031", b"0.0", "0, expected a number above it"),
        (b"0.031", b"NaN", "nan, expected a number from 0"),
        (b"0.031", b"true", "True, expected a number from 0"),
        (b"0.031", b"1" * 400, "expected a number from 0"),
        (b'"size": 100', b'"size": -1', "-1, expected a count"),
        (b'"size": 100', b'"size": true', "True, expected a count"),
        (b'"size": 100', b'"size": 9223372036854775808', "expected a count"),
        (b"0.031", b"1e300", "2 samples, expected at most 1000 of seconds"),
        (b"0.031", b"0.03," * 1000 + b"0.03", "1002 samples, expected at most 1000"),
        (b'"version": 2', b'"version": true', "found version True, expected version 1 or 2"),
        (b'"version": 2', b'"version": 2.0', "found version 2.0, expected version 1 or 2"),
        (b"0.031", b"1e-13", "2 samples, expected at most 1000 of seconds"),
        (b'"waited": 0.25', b'"waited": -1', "-1, expected a number from 0"),
        (b'"1": {', b'"0": {', "'0', expected a number of threads"),
        (b'"size": 100', b'"size": 1.5', "1.5, expected a count"),
        (b'"size": 100', b'"sizes": 100', "expected a cell"),
        (b'"size": 100,', b"", "no size"),
        (b'"backend": "numpy",', b"", "no backend"),
        (b'"peak": 12', b'"peaks": 12', "expected a memory"),
        (b'"missing": "not run: no device"', b'"missing": ""', "a cell without samples"),
        (b'"copy_bytes"', b'"bytes"', "expected the limits of a machine"),
        (b'"1": {', b'"01": {', "'01', expected a number of threads"),
        (b'"1": {', b'"one": {', "'one', expected a number of threads"),
        (b'"cores": "2"', b'"cores": 2', "2, expected a line of text"),
        (b'"version": 2', b'"version": 3', "found version 3, expected version 1 or 2"),
        (b'"format"', b'"formats"', "found no results of these benchmarks"),
        (b'"environment"', b'"environments"', "None, expected an object"),
        (b'"memory"', b'"memories"', "None, expected a list"),
        (b"{", b"[" * 20_000, "found no JSON"),
        (b"{", b"\xff", "found no JSON"),
    ],
)
def test_the_line_says_what_is_wrong(tmp_path: Path, old: bytes, new: bytes, said: str) -> None:
    """What was found, and what was expected."""
    path, valid = tmp_path / "results.json", READER.seeds()[0]
    assert old in valid
    path.write_bytes(valid.replace(old, new, 1))
    with pytest.raises(InputError) as refused:
        load(path)
    assert str(refused.value).startswith(f"{path}: found ")
    assert said in str(refused.value)


@pytest.mark.parametrize("depth", range(800, 1010))
def test_nesting_of_any_depth_is_refused(tmp_path: Path, depth: int) -> None:
    """To quote what was found goes deeper into it than to parse it."""
    path, valid = tmp_path / "results.json", READER.seeds()[1]
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    path.write_bytes(valid.replace(b'"limits": {}', b'"limits": {"1": ' + deep + b"}"))
    with pytest.raises(InputError):
        load(path)


def test_a_file_larger_than_any_is_refused_unread(tmp_path: Path) -> None:
    """A file of gigabytes takes no memory."""
    path = tmp_path / "results.json"
    with open(path, "wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(InputError, match=f"found {MOST_BYTES + 1} bytes"):
        load(path)
