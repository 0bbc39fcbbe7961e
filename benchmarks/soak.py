"""Train for 50,000 steps on small batches: does memory stay flat, and the time of a step.

    python -m benchmarks.soak                       # 50,000 steps, some minutes
    python -m benchmarks.soak --package torch

It is a whole run, with its metrics, checkpoints, tests and pictures, in a folder that is removed
afterwards. The first tenth of the steps warms up; the second is compared with the last: resident
memory may grow by less than 1 %, and the last tenth's lower quartile of the step's time may not be
above the second's upper one. Reads /proc/self/statm, so it needs Linux.
"""

import argparse
import importlib
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from numpy_siamese.data import load
from numpy_siamese.run import Run

MOST_GROWTH = 0.01
TENTHS, EPOCHS = 10, 50


class Watched:
    """A learner whose every step is timed, and after which memory is read.

    A step's time runs to the beginning of the next one: metrics, checkpoints and tests count.
    """

    def __init__(self, learner: Any, steps: int) -> None:
        self._learner = learner
        self.began, self.resident = np.full(steps, 0.0), np.full(steps, 0.0)  # all in memory
        self.done = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._learner, name)

    def step(self, *batch: Any) -> tuple[float, float]:
        """Do what the learner does."""
        self.began[self.done] = time.perf_counter()
        self.resident[self.done] = resident_bytes()
        self.done += 1
        return self._learner.step(*batch)


def resident_bytes() -> int:
    """Return how much of the process is in memory."""
    with open("/proc/self/statm") as file:  # a Path would intern its parts at every step: it grows
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def soak(package: str, steps: int, batch_size: int, threads: int) -> Watched:
    """Train for so many steps."""
    training = importlib.import_module(f"{package}_siamese.training")
    batches = steps // EPOCHS
    config = training.TrainConfig(
        epochs=EPOCHS,
        batches=batches,
        batch_size=batch_size,
        threads=threads,
        test_pairs=100,
        **({"device": "cpu"} if package == "torch" else {}),
    )
    dataset = load(config.data)
    learner = Watched(training.Learner(config, dataset.train.images), EPOCHS * batches)
    with tempfile.TemporaryDirectory() as folder:
        Run(config, dataset, learner, Path(folder) / "run", quiet=True).train()
    return learner


def main() -> int:
    """Run the command; return 1 where something grew."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--package", choices=("numpy", "torch"), default="numpy")
    parser.add_argument("--steps", type=int, default=50_000, help="a multiple of 50")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    seen = soak(arguments.package, arguments.steps, arguments.batch_size, arguments.threads)

    resident = [np.median(part) for part in np.split(seen.resident, TENTHS)]
    times = [
        np.quantile(np.diff(part), [0.25, 0.5, 0.75]) * 1e3 for part in np.split(seen.began, TENTHS)
    ]
    print(f"{arguments.package}, {seen.done:,} steps of {arguments.batch_size} pairs")
    print("tenth   memory (median)   step (median, quartiles)")
    for number, (memory, (low, median, high)) in enumerate(zip(resident, times, strict=True), 1):
        print(f"{number:5d} {memory / 2**20:12.2f} MiB {median:9.3f} ms  ({low:.3f} to {high:.3f})")
    growth = resident[-1] / resident[1] - 1
    ratio = times[-1][1] / times[1][1]
    slower = times[-1][0] > times[1][2]
    print(f"memory, last tenth against the second: {growth:+.2%}, allowed below {MOST_GROWTH:.0%}")
    print(f"step time, last tenth against the second: {ratio:.3f}, beyond its quartiles: {slower}")
    return 0 if growth < MOST_GROWTH and not slower else 1


if __name__ == "__main__":
    sys.exit(main())
