"""Print the tables of one-shot.md from the evaluations beside this file.

python docs/results/evaluations.py
python docs/results/evaluations.py --short  # the table of the README
"""

import argparse
import json
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy_siamese.evaluation.one_shot import METHODS

HERE = Path(__file__).parent / "evaluations"
SEEDS = (0, 1, 2)

Figures = Mapping[str, Any]

SETS = {
    "MNIST": ("numpy", None),
    "Fashion-MNIST": ("fashion", None),
    "digits 0 to 6, seen": ("heldout", None),
    "digits 7, 8, 9, unseen": ("heldout", "unseen"),
    "drawings": ("drawings", None),
    "drawings, shrunk": ("shrunk", None),
    "characters": ("characters", None),
}
"""What a column shows: the runs, and which part of their evaluation."""

WAYS = {
    "MNIST": (2, 5, 10),
    "digits 0 to 6, seen": (7,),
    "digits 7, 8, 9, unseen": (2, 3),
    "characters": (5, 20),
}
"""Numbers of classes to show. Of the others it is 10."""

MEASURES: dict[str, Callable[[Figures], float]] = {
    "accuracy at 0.5": lambda f: f["accuracy"]["value"],
    "ROC AUC": lambda f: f["roc_auc"]["value"],
    "equal error rate": lambda f: f["eer"]["value"],
    "FAR at the threshold": lambda f: f["far"]["value"],
    "FRR at the threshold": lambda f: f["frr"]["value"],
    "FRR where FAR is 1 %": lambda f: f["at_far"][0]["frr"]["value"],
    "Brier score": lambda f: f["brier"]["value"],
    "calibration error": lambda f: f["ece"]["value"],
}


def read(name: str, part: str | None = None) -> Figures:
    """Return the figures of an evaluation, or of the part of it for unseen classes."""
    found = json.loads((HERE / f"{name}.json").read_text("utf-8"))
    return found if part is None else found[part]


def of_seeds(name: str, part: str | None) -> list[Figures]:
    """Return the figures of all seeds."""
    return [read(f"{name}-seed{seed}", part) for seed in SEEDS]


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Return mean and standard deviation of a sample."""
    return f"{statistics.mean(values):.{digits}f} ± {statistics.stdev(values):.{digits}f}"


def row(*cells: str) -> str:
    """Return a row of a table."""
    return f"| {' | '.join(cells)} |"


def pairs_table() -> Iterator[str]:
    """Yield the measures of pairs, mean and standard deviation over the seeds."""
    yield row("", *SETS)
    yield "|---" * (1 + len(SETS)) + "|"
    columns = [of_seeds(*place) for place in SETS.values()]
    for name, value in MEASURES.items():
        yield row(name, *(spread([value(f) for f in figures]) for figures in columns))


def seeds_table() -> Iterator[str]:
    """Yield the measures of each MNIST run with their intervals."""
    names = [f"{package}-seed{seed}" for package in ("numpy", "torch") for seed in SEEDS]
    titles = [name.replace("-seed", ", seed ").replace("numpy", "NumPy") for name in names]
    yield row("", *titles)
    yield "|---" * (1 + len(names)) + "|"
    found = [read(name) for name in names]
    for title, key in {
        "accuracy at 0.5": "accuracy",
        "ROC AUC": "roc_auc",
        "equal error rate": "eer",
        "FAR at the threshold": "far",
        "FRR at the threshold": "frr",
        "Brier score": "brier",
        "calibration error": "ece",
    }.items():
        yield row(title, *(interval(figures[key]) for figures in found))
    for shots in (1, 5):
        entries = [setting(figures, 10, shots)["siamese"] for figures in found]
        yield row(f"10-way {shots}-shot", *map(interval, entries))


def interval(figure: Figures) -> str:
    """Return a figure with its 95 % interval."""
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def setting(figures: Figures, ways: int, shots: int) -> Figures:
    """Return the entry of N ways and K shots."""
    (entry,) = (e for e in figures["one_shot"] if (e["ways"], e["shots"]) == (ways, shots))
    return entry


def ways_table() -> Iterator[str]:
    """Yield N-way K-shot accuracies in %, the networks' with standard deviation over the seeds."""
    yield row("images", "ways", "shots", *(method.short for method in METHODS.values()), "chance")
    yield "|---" * (4 + len(METHODS)) + "|"
    for title, place in SETS.items():
        seeds = of_seeds(*place)
        for ways in WAYS.get(title, (10,)):
            for shots in (1, 5):
                entries = [setting(figures, ways, shots) for figures in seeds]
                values = []
                for method in METHODS:
                    rates = [100 * entry[method]["value"] for entry in entries]
                    alike = len(set(rates)) == 1  # pixels know no seed
                    values.append(f"{rates[0]:.1f}" if alike else spread(rates, 1))
                yield row(title, str(ways), str(shots), *values, f"{100 / ways:.1f}")


def short_table() -> Iterator[str]:
    """Yield the README's table."""
    yield row("", "accuracy", "ROC AUC", "FAR", "FRR")
    yield "|---" * 5 + "|"
    for title, place in {
        "test digits": SETS["MNIST"],
        "drawn digits": SETS["drawings"],
        "7, 8, 9, never seen in training": SETS["digits 7, 8, 9, unseen"],
    }.items():
        seeds = of_seeds(*place)
        keys = ("accuracy", "roc_auc", "far", "frr")
        yield row(
            title, *(f"{statistics.mean(f[key]['value'] for f in seeds):.3f}" for key in keys)
        )


TABLES = {"pairs": pairs_table, "seeds": seeds_table, "ways": ways_table}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--short", action="store_true", help="print the README's table")
    if parser.parse_args().short:
        print(*short_table(), sep="\n")
        raise SystemExit
    for name, table in TABLES.items():
        print(f"<!-- {name} -->", *table(), "<!-- end -->\n", sep="\n")
