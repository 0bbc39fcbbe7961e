"""The targets of a report, each with what was found and the verdict."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.device_report import recipe
from benchmarks.device_report.findings import Findings
from benchmarks.device_report.limits import COPY

DEVICE = "H100"
"""The targets are of one such device."""

RECIPE_SECONDS = {"tf32": 1.0, "fp32": 1.5}
"""Of training in the mode graph."""

LARGE_BATCH, OF_PRODUCTS, OF_COPY = 8192, 0.4, 0.7

STANDARD_ERRORS = 3
"""By which an accuracy may differ from that of the plain loop."""

MET, MISSED, NOT_MEASURED = "met", "missed", "not measured"


@dataclass(frozen=True)
class Target:
    """One target.

    Parameters
    ----------
    words : what is aimed at
    found : what was measured, as text; empty where nothing was
    verdict : 'met', 'missed' or 'not measured', with the reason
    """

    words: str
    found: str
    verdict: str


def targets(findings: Findings) -> list[Target]:
    """Return all targets."""
    found = [*_recipe(findings), *_accuracy(findings), *_large_batch(findings)]
    aside = _aside(findings)
    return [Target(t.words, t.found, f"{NOT_MEASURED}: {aside}") if aside else t for t in found]


def _aside(findings: Findings) -> str:
    """Return why nothing that was found can be held against the targets, else nothing."""
    if findings.device == "cpu":
        return "no CUDA device"
    if findings.share < 1:
        return f"{findings.share:g} of the whole"
    if DEVICE not in findings.device_name:
        return f"the target is of an {DEVICE}, this is {findings.device_name}"
    return ""


def _recipe(findings: Findings) -> Iterator[Target]:
    taken = {(a["mode"], a["precision"]): f["seconds"] for a, f in findings.found("recipe")}
    for precision, most in RECIPE_SECONDS.items():
        words = f"the recipe in graph, {precision}: under {most:g} s of training"
        seconds = taken.get(("graph", precision))
        if seconds is None:
            yield Target(words, "", NOT_MEASURED)
        else:
            yield Target(words, f"{seconds:.2f} s", MET if seconds < most else MISSED)


def _accuracy(findings: Findings) -> Iterator[Target]:
    words = f"accuracy of every mode within {STANDARD_ERRORS} standard errors of the plain loop's"
    found = {a["mode"]: f for a, f in findings.found("recipe") if a["mode"] == recipe.PLAIN}
    others = [f for a, f in findings.found("recipe") if a["mode"] != recipe.PLAIN]
    if not found or not others:
        yield Target(words, "", NOT_MEASURED)
        return
    plain = found[recipe.PLAIN]
    share, pairs = plain["test accuracy"], plain["test pairs"]
    allowed = STANDARD_ERRORS * math.sqrt(2 * share * (1 - share) / pairs)
    worst = max(abs(f["test accuracy"] - share) for f in others)
    yield Target(
        words,
        f"{worst:.4f} apart at most, {allowed:.4f} allowed",
        MET if worst <= allowed else MISSED,
    )


def _large_batch(findings: Findings) -> Iterator[Target]:
    rates, copied = findings.rates(), findings.rates().get(COPY)
    own = {a["precision"]: f for a, f in findings.found("scaling") if a["pairs"] == LARGE_BATCH}
    for precision in dict.fromkeys(a["precision"] for a, _ in findings.found("scaling")):
        words = (
            f"a batch of {LARGE_BATCH:,} in {precision}: {OF_PRODUCTS:.0%} of the matrix rate "
            f"or {OF_COPY:.0%} of copy bandwidth"
        )
        if precision not in own or precision not in rates or copied is None:
            yield Target(words, "", NOT_MEASURED)
            continue
        found = own[precision]
        of_products = found["flops"] / found["seconds"] / rates[precision]
        of_copy = found["bytes"] / found["seconds"] / copied
        is_met = of_products >= OF_PRODUCTS or of_copy >= OF_COPY
        yield Target(words, f"{of_products:.0%}, {of_copy:.0%}", MET if is_met else MISSED)
