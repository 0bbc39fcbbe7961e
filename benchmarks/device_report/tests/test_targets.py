"""What a target's verdict is, and when there is none."""

from dataclasses import replace

import pytest

from benchmarks.device_report.findings import Findings
from benchmarks.device_report.recipe import PLAIN
from benchmarks.device_report.targets import targets
from benchmarks.device_report.tests.reports import recipe, scaling


def verdicts(findings: Findings) -> list[tuple[str, str]]:
    return [(target.found, target.verdict) for target in targets(findings)]


def test_verdicts_on_an_h100(findings: Findings) -> None:
    """1.0 s in tf32 and 1.5 s in fp32, accuracy, and a large batch by products or by copying."""
    assert verdicts(findings) == [
        ("0.75 s", "met"),
        ("1.75 s", "missed"),
        ("0.0001 apart at most, 0.0065 allowed", "met"),
        ("50%, 8%", "met"),
        ("10%, 13%", "missed"),
    ]
    words = [target.words for target in targets(findings)]
    assert words[0] == "the recipe in graph, tf32: under 1 s of training"
    assert words[1] == "the recipe in graph, fp32: under 1.5 s of training"
    assert words[3].startswith("a batch of 8,192 in fp32: 40% of the matrix rate or 70% of copy")


def test_the_bound_itself_is_missed(findings: Findings) -> None:
    """Under a second is under it."""
    findings.outcomes = [recipe("graph", "tf32", 1.0), recipe("graph", "fp32", 1.4999)]
    assert [verdict for _, verdict in verdicts(findings)[:2]] == ["missed", "met"]


def test_copying_is_enough(findings: Findings) -> None:
    """A batch that moves its bytes at 70 % of copy bandwidth needs no rate of products."""
    limits = findings.of("limits")
    limits[-1].found["flops"] = 1e15  # far out of reach
    fast = scaling(8192, "tf32", 0.0)
    seconds = fast.found["bytes"] / (0.7 * 3e12)
    findings.outcomes = [*limits, scaling(8192, "tf32", seconds * 0.999)]
    assert verdicts(findings)[-1][1] == "met"
    findings.outcomes = [*limits, scaling(8192, "tf32", seconds * 1.5)]
    assert verdicts(findings)[-1][1] == "missed"


def test_an_accuracy_far_from_the_plain_loop_s_is_missed(findings: Findings) -> None:
    """The worst of all modes counts, on either side."""
    findings.outcomes = [recipe(PLAIN, "fp32", 30.0), recipe("graph", "tf32", 0.5, 0.957)]
    assert verdicts(findings)[2] == ("0.0070 apart at most, 0.0065 allowed", "missed")


def test_what_was_not_measured_is_said_so(findings: Findings) -> None:
    """Nothing is met by being absent."""
    findings.outcomes = [replace(o, missing="failed", found={}) for o in findings.outcomes]
    assert verdicts(findings) == [("", "not measured")] * 3
    findings.outcomes = [scaling(8192, "fp32", 1.0)]  # without the limits
    assert verdicts(findings)[-1] == ("", "not measured")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"device": "cpu"}, "no CUDA device"),
        ({"share": 0.5}, "0.5 of the whole"),
        (
            {"environment": {"device": "NVIDIA H200"}},
            "the target is of an H100, this is NVIDIA H200",
        ),
    ],
)
def test_another_device_meets_no_target(findings: Findings, change: dict, reason: str) -> None:
    """Nor does a part of the work."""
    found = verdicts(replace(findings, **change))
    assert [verdict for _, verdict in found] == [f"not measured: {reason}"] * 5
    assert found[0][0] == "0.75 s"
