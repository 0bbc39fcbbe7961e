"""The figures of an evaluation, or their spread over runs, as a table of at most 80 columns."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from numpy_siamese.errors import printable
from numpy_siamese.evaluation.one_shot import METHODS
from numpy_siamese.evaluation.within_alphabet import METHODS as TRIAL_METHODS
from numpy_siamese.runs.evaluation.trials import CALLED

Figures = Mapping[str, Any]

WIDTH = 80

LABEL = 28
"""Columns of what a figure is called."""

CELL = 25
"""Columns of a figure with its interval."""

TRIAL, LONGEST, KIND = 32, 32, 12
"""Columns of what trials and what an alphabet are called, and of its accuracy in one kind."""

FEW = 100
"""Images below which a resample of them has too few to tell how far a figure may move."""

MEASURES = {
    "accuracy": "accuracy at 0.5",
    "roc_auc": "ROC AUC",
    "eer": "equal error rate",
    "brier": "Brier score",
    "ece": "calibration error",
}
"""Those that need no threshold from validation."""

AT_EQUAL = {"accuracy_at_threshold": "accuracy", "far": "FAR", "frr": "FRR"}
"""Those at the threshold of equal error rates."""


def table(figures: Figures) -> str:
    """Return the table of an `evaluation.json`, or of an `evaluations.json`.

    Of held-out classes the figures stand beside those of seen ones.
    """
    return "\n".join(line.rstrip() for line in _lines(figures))


def _lines(figures: Figures) -> Iterator[str]:
    parts = [figures, figures["unseen"]] if "unseen" in figures else [figures]
    yield from _head(figures)
    yield ""
    names = ("seen classes", "unseen classes") if len(parts) > 1 else ("",)
    if len(parts) > 1:
        yield _row("", names)
    for name, called in MEASURES.items():
        yield _row(called, [_cell(part[name]) for part in parts])
    yield f"at {_threshold(figures['threshold'])}, equal error rates in validation"
    for name, called in AT_EQUAL.items():
        yield _row(f"  {called}", [_cell(part[name]) for part in parts])
    for k, at in enumerate(figures["at_far"]):
        yield f"at {_threshold(at['threshold'])}, FAR {100 * at['target']:g} % in validation"
        for name in ("far", "frr"):
            yield _row(f"  {name.upper()}", [_cell(part["at_far"][k][name]) for part in parts])
    yield ""
    spread = "standard deviation" if "runs" in figures else "half the interval"
    episodes = figures["one_shot"][0]["episodes"]
    yield f"N-way K-shot accuracy in %, {episodes:,} episodes; +- is {spread}"
    for name, part in zip(names, parts, strict=True):
        yield ""
        yield from _one_shot(name, part["one_shot"])
    if "trials" in figures:
        yield ""
        yield from _trials(figures["trials"])


def _head(figures: Figures) -> Iterator[str]:
    data = f"on {figures['data']}, {figures['split']}"
    if "runs" in figures:
        yield _cut(f"mean +- standard deviation over {len(figures['runs'])} runs {data}")
    else:
        images = figures["images"]
        yield _cut(f"{figures['run']} {data}: value [95 % interval]")
        yield (
            f"{figures['pairs']:,} pairs of {images['pairs']:,} images, thresholds from "
            f"{images['validation']:,} others"
        )
        if min(images["pairs"], images["validation"]) < FEW:
            yield f"rough: with fewer than {FEW} images on a side the intervals say too little"
    judged = sum(len(part["classes"]) for part in (figures, figures.get("unseen")) if part)
    if figures["untrained_classes"] > len(figures["held_out"]):
        yield _untrained(figures["untrained_classes"], judged)
    if figures["held_out"]:
        alone = "" if "unseen" in figures else " (not judged: pairs need two classes)"
        yield _cut(f"held out: {', '.join(figures['held_out'])}{alone}")


def _untrained(count: int, judged: int) -> str:
    if count == judged:
        return f"the network was trained on none of these {judged:,} classes"
    return f"the network was not trained on {count:,} of these {judged:,} classes"


def _one_shot(name: str, entries: Sequence[Any]) -> Iterator[str]:
    if name:
        yield name
    names = "".join(f"{method.short:>16}" for method in METHODS.values())
    yield f"  N  K{names}{'chance':>8}"
    for entry in entries:
        cells = "".join(f"{_percent(entry[method]):>16}" for method in METHODS)
        yield f"{entry['ways']:3d} {entry['shots']:2d}{cells}{100 * entry['chance']:8.1f}"


def _trials(trials: Mapping[str, Any]) -> Iterator[str]:
    """Yield the accuracy of trials, and then of each alphabet."""
    each = [ways for entry in trials.values() for ways in entry["ways"]]
    least, most = min(each), max(each)
    ways = f"{most}-way" if least == most else f"{least}- to {most}-way"
    yield f"{ways} one-shot within an alphabet, accuracy in %"
    views = {entry["views"] for entry in trials.values()}
    if views != {1}:
        yield f"network: the mean logit of {max(views):,} views of each image"
    yield f"{'':{TRIAL}}" + "".join(f"{METHODS[name].short:>16}" for name in TRIAL_METHODS)
    for name, entry in trials.items():
        called = f"{CALLED[name]}, {entry['trials']:,} trials"
        cells = "".join(f"{_percent(entry[method]):>16}" for method in TRIAL_METHODS)
        yield f"{called:{TRIAL}}{cells}"
    official = trials.get("official")
    if official is not None and "mean" not in official["siamese"]:
        low, high = (100 * official["binomial"][end] for end in ("low", "high"))
        yield (
            f"official runs: {official['right']:g} of {official['trials']} right, "
            f"as independent trials [{low:.1f}, {high:.1f}]"
        )
    yield ""
    yield f"{'network, by alphabet':{LONGEST}}" + "".join(
        f"{CALLED[name]:>{KIND}}" for name in trials
    )
    by_name: dict[str, dict[str, Any]] = {}
    for name, entry in trials.items():
        for of in entry["alphabets"]:
            by_name.setdefault(of["alphabet"], {})[name] = of["siamese"]
    for alphabet in sorted(by_name):
        of_alphabet = by_name[alphabet]
        cells = "".join(f"{_mean_percent(of_alphabet.get(name)):>{KIND}}" for name in trials)
        yield f"{_shortened(printable(alphabet)):{LONGEST}}{cells}"


def _mean_percent(accuracy: Any) -> str:
    """Return an accuracy in percent, or its mean, or nothing."""
    if accuracy is None:
        return ""
    return f"{100 * (accuracy['mean'] if isinstance(accuracy, Mapping) else accuracy):.1f}"


def _shortened(name: str) -> str:
    return name if len(name) < LONGEST else f"{name[: LONGEST - 4]}..."


def _row(called: str, cells: Sequence[str]) -> str:
    return f"{called:{LABEL}}" + "".join(f"{cell:{CELL}}" for cell in cells)


def _cell(figure: Figures) -> str:
    if "mean" in figure:
        return f"{figure['mean']:.4f} +- {figure['std']:.4f}"
    return f"{figure['value']:.4f} [{figure['low']:.4f}, {figure['high']:.4f}]"


def _percent(figure: Figures) -> str:
    if "mean" in figure:
        return f"{100 * figure['mean']:.1f} +- {100 * figure['std']:4.1f}"
    half = (figure["high"] - figure["low"]) / 2
    return f"{100 * figure['value']:.1f} +- {100 * half:4.1f}"


def _threshold(threshold: Any) -> str:
    """Return a threshold, or what it is over several runs."""
    if isinstance(threshold, Mapping):
        return f"thresholds {threshold['mean']:.4f} +- {threshold['std']:.4f}"
    return f"threshold {threshold:.6g}"


def _cut(line: str) -> str:
    """Return a line that fits; of a long one its end, where the names of run and data are."""
    line = printable(line)
    return line if len(line) <= WIDTH else f"...{line[3 - WIDTH :]}"
