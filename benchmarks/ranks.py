"""Measure a training of one rank and of several, by torchrun on this machine.

    python -m benchmarks.ranks --ranks 1 2 --pairs 100 1000 --rounds 5

Each has one thread. A round starts every combination once, so what else the machine does meets all
of them. A run's first window of batches warms it up, and the others are timed. The table has the
medians over the rounds.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from numpy_siamese.cli.parser import Parser
from numpy_siamese.errors import InputError
from numpy_siamese.terminal.numbers import whole_number

BATCHES, WINDOW = 40, 10
"""Batches of a run of 100 pairs, and of a window. Larger batches are fewer."""

Measure = Callable[[int, int], float]


def batches_of(pairs: int) -> tuple[int, int]:
    """Return how many batches a run and a window have, for so many pairs in a batch."""
    window = max(WINDOW * 100 // max(pairs, 100), 2)
    return window * (BATCHES // WINDOW), window


def pairs_per_second(ranks: int, pairs: int) -> float:
    """Train by torchrun, and return the rate after the first window.

    Raises
    ------
    InputError
        The run has failed.
    """
    batches, window = batches_of(pairs)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        launcher = (sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={ranks}")
        flags = {
            "--epochs": 1,
            "--batches": batches,
            "--window": window,
            "--batch-size": pairs,
            "--test-pairs": 2,
            "--threads": 1,
            "--device": "cpu",
            "--out": out,
        }
        words = [str(word) for pair in flags.items() for word in pair]
        done = subprocess.run(
            (*launcher, "-m", "torch_siamese", "train", "--quiet", *words),
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise InputError(f"torchrun failed with {ranks} ranks: {done.stderr[:400]}")
        return rate(pd.read_csv(out / "metrics.csv"), pairs)


def rate(metrics: pd.DataFrame, pairs: int) -> float:
    """Return the pairs per second between the first window and the last."""
    seconds = metrics["seconds"].iloc[-1] - metrics["seconds"].iloc[0]
    return float((metrics["batch"].iloc[-1] - metrics["batch"].iloc[0]) * pairs / seconds)


def rounds_of(
    ranks: Sequence[int], pairs: Sequence[int], rounds: int, measure: Measure
) -> dict[tuple[int, int], list[float]]:
    """Return rates by ranks and pairs, measured in interleaved rounds."""
    found: dict[tuple[int, int], list[float]] = {(k, n): [] for n in pairs for k in ranks}
    for _ in range(rounds):
        for (k, n), rates in found.items():
            rates.append(measure(k, n))
    return found


def table(found: dict[tuple[int, int], list[float]]) -> str:
    """Return the medians as Markdown, each beside its ratio to the fewest ranks."""
    rows = [
        "| pairs in a batch | ranks | pairs per second | against the first |",
        "|---|---|---|---|",
    ]
    first: dict[int, float] = {}
    for (k, n), rates in found.items():
        median = statistics.median(rates)
        ratio = median / first.setdefault(n, median)
        spread = f"{min(rates):,.0f} to {max(rates):,.0f}"
        rows.append(f"| {n:,} | {k} | {median:,.0f} ({spread}) | {ratio:.2f}× |")
    return "\n".join(rows)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = Parser(prog="python -m benchmarks.ranks", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--ranks", type=whole_number, nargs="+", default=[1, 2])
    parser.add_argument("--pairs", type=whole_number, nargs="+", default=[100, 1000])
    parser.add_argument("--rounds", type=whole_number, default=5)
    arguments = parser.parse_args(argv)
    try:
        print(table(_checked(arguments)))
    except InputError as error:
        parser.error(str(error))


def _checked(arguments: argparse.Namespace) -> dict[tuple[int, int], list[float]]:
    """Measure, if all numbers can be.

    Raises
    ------
    InputError
    """
    for name in ("ranks", "pairs", "rounds"):
        found = getattr(arguments, name)
        if min(found if isinstance(found, list) else [found]) < 1:
            raise InputError(f"--{name}: found {found}, expected numbers of at least 1")
    return rounds_of(arguments.ranks, arguments.pairs, arguments.rounds, pairs_per_second)


if __name__ == "__main__":
    main()
