"""Print the tables of one-shot.md on `--model modern` and Omniglot from the files in omniglot/.

python docs/results/omniglot.py

A file is the evaluation.json of a run: NAME-seedS.json, or NAME-views10-seedS.json with ten views.
ingredients.csv is what `ingredients.py` has measured.
"""

import csv
import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "omniglot"
SEEDS = (0, 1, 2)

Figures = Mapping[str, Any]

KINDS = {
    "official": "official runs, 400",
    "official_characters": "their characters, 4,000",
    "test": "test alphabets, 4,000",
    "validation": "validation alphabets, 4,000",
}
"""Kinds of trials, and what a column is called."""

NETWORKS = {
    "recipe": "the recipe",
    "modern": "`modern`",
    "modern-views10": "`modern`, ten views",
}

PIXELS = {"nearest_neighbor": "pixels, L2", "nearest_neighbor_cosine": "pixels, cosine"}

PUBLISHED = {
    "people": 95.5,
    "Bayesian program learning (Lake et al. 2015)": 96.7,
    "Siamese network (Koch et al. 2015)": 92.0,
    "prototypical network (Lake et al. 2019)": 86.3,
}
"""Accuracies in official runs, in %, as the papers have them."""

INGREDIENTS = {
    "base": "`modern`, with turned characters and verdicts that weigh 0.1",
    "whole": "whole drawings, neither cropped nor centred",
    "pairs": "single pairs, half of them of one class: `--loss bce`",
    "drawn head": "a head drawn as PyTorch's, in place of a constant one",
    "upright": "no turned characters",
    "constant": "a constant rate",
    "raw": "pixels 0..255, not scaled",
    "verdicts": "verdicts that weigh 1",
    "alphabets": "half of the batches alphabet by alphabet",
    "average": "an average of weights, decay 0.999",
    "sgd": "SGD, rate 0.03, momentum 0.9",
    "decay": "weight decay 0.01",
    "wide": "256 maps in the last convolution",
    "undistorted": "no distortions",
    "batch norm": "batch normalisation after each convolution, in PyTorch",
}
"""What each variant of `ingredients.py` is."""


def by_seed(name: str) -> dict[int, Figures]:
    """Return the evaluations of a network's seeds, those that there are."""
    paths = {seed: HERE / f"{name}-seed{seed}.json" for seed in SEEDS}
    return {s: json.loads(path.read_text("utf-8")) for s, path in paths.items() if path.exists()}


def read(name: str) -> list[Figures]:
    """Return the evaluations of a network, in the order of the seeds."""
    return [*by_seed(name).values()]


def row(*cells: str) -> str:
    """Return a row of a table."""
    return f"| {' | '.join(cells)} |"


def spread(values: Sequence[float], digits: int = 1, sign: str = "") -> str:
    """Return mean and standard deviation over the seeds."""
    form = f"{sign}.{digits}f"
    if not values:
        return "not measured"
    if len(values) == 1:
        return f"{values[0]:{form}}, one seed"
    seeds = "" if len(values) == len(SEEDS) else f", {len(values)} seeds"
    mean = round(statistics.mean(values), digits) + 0.0  # no −0
    return f"{mean:{form}} ± {statistics.stdev(values):.{digits}f}{seeds}"


def trials_table() -> Iterator[str]:
    """Yield 20-way accuracies in %, over the seeds, and what is published beside them."""
    yield row("20-way one-shot, %", *KINDS.values())
    yield "|---" * (1 + len(KINDS)) + "|"
    for name, title in NETWORKS.items():
        found = [figures["trials"] for figures in read(name)]
        yield row(title, *(spread([100 * f[k]["siamese"]["value"] for f in found]) for k in KINDS))
    one, *_ = (figures["trials"] for figures in read("modern"))
    for method, title in PIXELS.items():
        yield row(title, *(f"{100 * one[kind][method]['value']:.1f}" for kind in KINDS))
    for title, accuracy in PUBLISHED.items():
        yield row(title, f"{accuracy:.1f}", "", "", "")


def intervals_table() -> Iterator[str]:
    """Yield the accuracy of each seed of modern with its 95 % interval."""
    yield row("network", "seed", *KINDS.values())
    yield "|---" * (2 + len(KINDS)) + "|"
    for name, title in NETWORKS.items():
        for seed, figures in by_seed(name).items():
            cells = []
            for kind in KINDS:
                figure = figures["trials"][kind]["siamese"]
                value, low, high = (100 * figure[key] for key in ("value", "low", "high"))
                cells.append(f"{value:.1f} ({low:.1f} to {high:.1f})")
            yield row(title, str(seed), *cells)


def mnist_table() -> Iterator[str]:
    """Yield what networks are worth on MNIST's test digits."""
    yield row("trained on", "network", "pairs, accuracy at 0.5", "10-way 1-shot, %")
    yield "|---" * 4 + "|"
    places = {
        "modern-mnist": ("MNIST", "`modern`"),
        "modern-on-mnist": ("Omniglot", "`modern`"),
        "recipe-on-mnist": ("Omniglot", "the recipe"),
    }
    for name, (data, title) in places.items():
        found = read(name)
        pairs = spread([figures["accuracy"]["value"] for figures in found], 4)
        ways = spread([100 * _ten_way(figures) for figures in found])
        yield row(data, title, pairs if data == "MNIST" else "", ways)
    yield row("Omniglot", "Siamese network (Koch et al. 2015)", "", "70.3")
    yield row("nothing", "nearest neighbour (Koch et al. 2015)", "", "26.5")


def _ten_way(figures: Figures) -> float:
    """Return the accuracy among ten classes, given one image of each."""
    (found,) = (e for e in figures["one_shot"] if (e["ways"], e["shots"]) == (10, 1))
    return found["siamese"]["value"]


def ingredients_table() -> Iterator[str]:
    """Yield accuracies in validation trials in %, and the gain over the base, seed by seed."""
    found: dict[str, dict[str, float]] = {}
    with (HERE / "ingredients.csv").open(newline="") as file:
        for line in csv.DictReader(file):
            found.setdefault(line["variant"], {})[line["seed"]] = 100 * float(line["accuracy"])
    yield row("variant", "validation alphabets, 4,000", "against the first, points")
    yield "|---" * 3 + "|"
    for name, title in INGREDIENTS.items():
        by_seed = found.get(name, {})
        gains = [
            value - found["base"][seed] for seed, value in by_seed.items() if seed in found["base"]
        ]
        gain = "" if name == "base" else spread(gains, sign="+")
        yield row(title, spread([*by_seed.values()]), gain)


TABLES = {
    "ingredients": ingredients_table,
    "trials": trials_table,
    "trial-intervals": intervals_table,
    "modern-mnist": mnist_table,
}

if __name__ == "__main__":
    for name, table in TABLES.items():
        print(f"<!-- {name} -->", *table(), "<!-- end -->\n", sep="\n")
