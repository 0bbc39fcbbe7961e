"""The document: every table, what is missing with the reason, and what figures are not."""

from dataclasses import replace

import pytest

from benchmarks.device_report.dataset import SYNTHETIC
from benchmarks.device_report.findings import Findings
from benchmarks.device_report.recipe import PLAIN
from benchmarks.device_report.tables import as_markdown
from benchmarks.device_report.tasks import Outcome

LINES = [
    "# NVIDIA H100 80GB HBM3: parity, recipe, scaling, roofline",
    "`python -m benchmarks cuda` did the whole in 321 s.",
    "Data: mnist-5k.",
    "| the recipe in graph, tf32: under 1 s of training | 0.75 s | met |",
    "| NumPy against PyTorch, Hypothesis profile default | 700 | 0 | 2 | yes | 99 s |",
    "| graph | tf32 | 750 ms | 250 ms | 2 s | 500 ms | 666,667 | 40.00× | 0.1250 | 0.9500 |",
    f"| {PLAIN} | fp32 | 30 s | 250 ms | 2 s | 500 ms | 16,667 | 1.00× | 0.1250 | 0.9500 |",
    "Missing: “eager, bf16”: failed.",
    "| 8,192 | fp32 | graph | 10.1 ms | 813,108 | 25,000 | 50% | 8% | 3 MiB |",
    "fp32: the largest batch that fits has 8,192 pairs; memory did not suffice for 16,384.",
    "| copying, read and written | 3,000.0 GB/s |",
    "| matrix products, fp32 | 50,000.0 GFLOP/s |",
    "| conv2 | fp32 | forward | 16,384 | 50,000.0 | 3,000.0 | 2 ms | 1 ms | copying | 50% |",
    "| relu1 | tf32 | backward | 16,384 | 0.0 | 6,000.0 | 8 ms | 2 ms | copying | 25% |",
    "| device | NVIDIA H100 80GB HBM3 |",
    "| what | at the start | after recipe |",
    "| power | 70 W | 300 W |",
    "![Scaling](scaling.png)",
]


@pytest.mark.parametrize("line", LINES)
def test_a_line(findings: Findings, line: str) -> None:
    """Of a whole report."""
    assert line in as_markdown(findings, ["scaling.png"]).splitlines()


def test_only_pictures_that_there_are_are_shown(findings: Findings) -> None:
    """A picture that could not be drawn leaves no broken one."""
    assert "![" not in as_markdown(findings, [])
    assert as_markdown(findings, ["recipe.png", "roofline.png", "scaling.png"]).count("![") == 3


def test_what_figures_are_not(findings: Findings) -> None:
    """Not MNIST's, not a device's, not the whole, not to the end: each is said at the top."""
    changed = replace(findings, data=SYNTHETIC, device="cpu", share=0.1, interrupted=True)
    head = as_markdown(changed, []).split("## ")[0]
    for words in (
        "did 0.1 of the whole in",
        "accuracies here are not MNIST's",
        "no target is of a CPU",
        "It was interrupted",
    ):
        assert words in head
        assert words not in as_markdown(findings, [])


def test_one_reason_is_given_once(findings: Findings) -> None:
    """With all that it concerns."""
    findings.outcomes += [Outcome("scaling", n, {"precision": "x"}, missing="no") for n in "ab"]
    assert "Missing: “a”, “b”: no." in as_markdown(findings, []).splitlines()
    findings.outcomes += [Outcome("limits", n, {}, missing="no") for n in "cdefghijk"]
    named = "“c”, “d”, “e”, “f”, “g”, “h” and 3 more"
    assert f"Missing: {named}: no." in as_markdown(findings, []).splitlines()


def test_an_empty_report_says_so(findings: Findings) -> None:
    """Interrupted before anything was measured, or a part that failed as a whole."""
    findings.outcomes, findings.states = [], {}
    text = as_markdown(findings, [])
    assert text.count("Nothing was measured.") == 6
    assert "not measured" in text


def test_a_bar_within_a_cell_does_not_end_it(findings: Findings) -> None:
    """Names come from drivers and folders."""
    findings.environment["device"] = "a|b"
    assert "| device | a\\|b |" in as_markdown(findings, []).splitlines()
