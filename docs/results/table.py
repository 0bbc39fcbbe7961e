"""Print the tables of reproduction from the runs beside this file.

python docs/results/table.py           # the table of docs/reproduction.md
python docs/results/table.py --short   # the table of the README
"""

import argparse
import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

HERE = Path(__file__).parent

# The reference curve of the recipe on the full MNIST: (epoch, last batch) → loss, accuracy.
REFERENCE = {
    (1, 100): (0.614, 0.67), (1, 500): (0.343, 0.85), (1, 1000): (0.247, 0.90),
    (2, 100): (0.241, 0.91), (2, 500): (0.206, 0.92), (2, 1000): (0.183, 0.93),
    (3, 100): (0.167, 0.94), (3, 500): (0.161, 0.94), (3, 1000): (0.148, 0.94),
    (4, 100): (0.152, 0.94), (4, 500): (0.136, 0.95), (4, 1000): (0.128, 0.95),
    (5, 100): (0.124, 0.96), (5, 500): (0.128, 0.95), (5, 1000): (0.116, 0.96),
}  # fmt: skip

RUNS = [f"{package}-seed{seed}" for package in ("numpy", "torch") for seed in (0, 1, 2)]

SHORT_RUNS = ["numpy-seed0", "torch-seed0"]
SHORT_WINDOWS = [(1, 100), (2, 1000), (5, 1000)]

Figures = dict[tuple[int, int], tuple[float, float]]


def read(run: str, name: str) -> Figures:
    """Return (epoch, batch) → (loss, accuracy) of a run's metrics file."""
    with open(HERE / run / name, newline="") as file:
        return {
            (int(row["epoch"]), int(row["batch"])): (float(row["loss"]), float(row["accuracy"]))
            for row in csv.DictReader(file)
        }


def table(
    names: Iterable[str] = tuple(RUNS), windows: Iterable[tuple[int, int]] = tuple(REFERENCE)
) -> Iterator[str]:
    """Yield the lines of the table of some runs, for some windows."""
    names = list(names)
    runs = [read(name, "metrics.csv") for name in names]
    titles = [name.replace("-seed", ", seed ").replace("numpy", "NumPy") for name in names]
    yield " | ".join(["| epoch, batches", "reference", *titles]) + " |"
    yield "|---" * (2 + len(names)) + "|"
    for epoch, batch in windows:
        loss, accuracy = REFERENCE[epoch, batch]
        cells = [f"{loss:.3f} / {accuracy:.2f}"]
        cells += [
            f"{loss:.3f} / {accuracy:.3f}"
            for loss, accuracy in (figures[epoch, batch] for figures in runs)
        ]
        yield " | ".join([f"| {epoch}, {batch - 99}–{batch}", *cells]) + " |"
    tests = [read(name, "test_metrics.csv")[5, 1000] for name in names]
    cells = [f"**{loss:.3f} / {accuracy:.3f}**" for loss, accuracy in tests]
    yield " | ".join(["| **20,000 test pairs**", "not measured", *cells]) + " |"


def short_table() -> Iterator[str]:
    """Yield the lines of the README's table."""
    return table(SHORT_RUNS, SHORT_WINDOWS)


def largest_departure() -> float:
    """Return the largest difference of a window's accuracy from the reference, over all runs."""
    return max(
        abs(read(run, "metrics.csv")[window][1] - accuracy)
        for run in RUNS
        for window, (_, accuracy) in REFERENCE.items()
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--short", action="store_true", help="print the README's table")
    print("\n".join(short_table() if parser.parse_args().short else table()))
    print(f"\nlargest departure of an accuracy from the reference: {largest_departure():.4f}")
