"""What a report keeps, and the largest batch that fits."""

import json
from dataclasses import replace
from pathlib import Path

from benchmarks.device_report.findings import Findings, save
from benchmarks.device_report.tests.reports import scaling


def test_the_largest_batch_that_fits(findings: Findings) -> None:
    """By precision; without a failure for want of memory there is no largest one."""
    assert findings.largest_batches() == {"fp32": (8192, 16_384), "tf32": (8192, None)}
    failed = [replace(o, no_memory=False) for o in findings.outcomes]
    assert replace(findings, outcomes=failed).largest_batches()["fp32"] == (8192, None)
    said = "out of memory --batch-size 16384: found CUDA out of memory, expected at most 12345"
    told = [replace(o, missing=said if o.no_memory else o.missing) for o in findings.outcomes]
    assert replace(findings, outcomes=told).largest_batches()["fp32"] == (12_345, 16_384)
    none = [replace(o, no_memory=True, missing="no") for o in [scaling(100, "fp32", 1.0)]]
    assert replace(findings, outcomes=none).largest_batches() == {"fp32": (0, 100)}


def test_everything_is_kept(findings: Findings, tmp_path: Path) -> None:
    """As JSON, by field names, with the format's name."""
    save(findings, tmp_path / "results.json")
    found = json.loads((tmp_path / "results.json").read_text())
    assert (found["format"], found["version"]) == ("siamese device report", 1)
    assert len(found["outcomes"]) == len(findings.outcomes)
    assert found["outcomes"][1]["found"]["seconds"] == 0.75
    assert found["states"]["after recipe"]["power"] == "300 W"


def test_rates_by_precision(findings: Findings) -> None:
    """Operations a second, and bytes a second of copying."""
    assert findings.rates() == {"copy": 3e12, "fp32": 5e13, "tf32": 4e14}
