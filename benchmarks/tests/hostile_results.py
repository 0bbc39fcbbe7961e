"""Damaged and hostile results.json, and what their reader may make of them.

python -m numpy_siamese.tests.robustness.fuzz --module benchmarks.tests.hostile_results
"""

import functools
import json
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.results import Cell, Memory, Results
from benchmarks.results_file import LEFT_OUT, load, save
from numpy_siamese.tests.robustness.hostile_runs import change_json
from numpy_siamese.tests.robustness.spoiling import Reader


@functools.cache
def _seeds() -> list[bytes]:
    measured = Cell("step", "step of 100 pairs", 100, "numpy", 1, [0.03, 0.031], flops=3e9)
    measured = replace(measured, waited=0.25)
    missing = Cell("step", "step of 100 pairs", 100, "cuda-eager", 1, missing="not run: no device")
    limits = {1: {"gemm_flops": 1e11, "copy_bytes": 1e10}}
    memory = [Memory("numpy", 100, 10, 12)]
    found = [Results({"cores": "2"}, limits, [measured, missing], memory), Results({})]
    contents = []
    with tempfile.TemporaryDirectory() as folder:
        for results in found:
            save(results, Path(folder, "results.json"))
            contents.append(Path(folder, "results.json").read_bytes())
    return contents


def _check(content: bytes, found: Results) -> None:
    """Everything that the file says was read, and nothing else."""
    told = json.loads(content)
    assert told["environment"] == found.environment
    assert told["limits"].keys() == {str(n) for n in found.limits}
    pairs = [(told["limits"][str(n)], limit) for n, limit in found.limits.items()]
    for kind, records in (("cells", found.cells), ("memory", found.memory)):
        pairs += zip(told[kind], map(asdict, records), strict=True)
    for its_own, fields in pairs:
        for name, value in its_own.items():
            if name in LEFT_OUT:
                continue
            assert _like(value, fields[name]) == fields[name]


def _like(told: Any, found: Any) -> Any:
    """Return whole numbers as floats where the field is of floats: those above 2⁵³ are rounded."""
    if isinstance(found, list):
        return [float(sample) for sample in told]
    return float(told) if isinstance(found, float) else told


READERS = {"results": Reader(load, _seeds, change_json, _check)}
