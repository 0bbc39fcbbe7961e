"""Train for 50,000 steps on small batches: does memory stay flat, and the time of a step.

    python -m benchmarks.soak                       # 50,000 steps, some minutes
    python -m benchmarks.soak --package torch

It is a whole run, with its metrics, checkpoints, tests and pictures, in a folder that is removed
afterwards. The first tenth of the steps warms up; the second is compared with the last: resident
memory may grow by less than 1 %, and the last tenth's lower quartile of the step's time may not be
above the second's upper one. Reads /proc/self/statm, so it needs Linux.
"""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.learners import cpu_config, new_learner
from benchmarks.timing import quartiles
from numpy_siamese.cli.parser import Parser
from numpy_siamese.data.sources import load
from numpy_siamese.errors import InputError
from numpy_siamese.runs.learner import Pairs
from numpy_siamese.runs.trainer import Trainer
from numpy_siamese.terminal import console
from numpy_siamese.terminal.numbers import whole_number

PROGRAM = "python -m benchmarks.soak"

STATM = "/proc/self/statm"

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

    def learn(self, batches: Sequence[Pairs]) -> tuple[np.ndarray, np.ndarray]:
        """Do what the learner does, which asks for one batch at a time on the CPU."""
        self.began[self.done] = time.perf_counter()
        self.resident[self.done] = resident_bytes()
        self.done += len(batches)
        return self._learner.learn(batches)


def resident_bytes() -> int:
    """Return how much of the process is in memory."""
    with open(STATM) as file:  # a Path would intern its parts at every step: memory would grow
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def soak(package: str, steps: int, batch_size: int, threads: int) -> Watched:
    """Train for so many steps."""
    batches = steps // EPOCHS
    config = cpu_config(
        package,
        epochs=EPOCHS,
        batches=batches,
        batch_size=batch_size,
        threads=threads,
        test_pairs=100,
    )
    dataset = load(config.data)
    learner = Watched(new_learner(package, config, dataset.train.images), EPOCHS * batches)
    with tempfile.TemporaryDirectory() as folder:
        Trainer(config, dataset, learner, Path(folder), quiet=True).train()
    return learner


@dataclass(frozen=True)
class Tenth:
    """Of a tenth of the steps: the median memory in bytes, quartiles of a step in seconds."""

    memory: float
    low: float
    median: float
    high: float


def tenths(seen: Watched) -> list[Tenth]:
    """Return what each tenth of the steps took."""
    return [
        Tenth(float(np.median(resident)), *quartiles(list(np.diff(began))))
        for resident, began in np.split(np.stack([seen.resident, seen.began]), TENTHS, axis=1)
    ]


def report(found: list[Tenth]) -> tuple[list[str], bool]:
    """Return the lines to show, and whether memory and time stayed flat."""
    lines = ["tenth   memory (median)   step (median, quartiles)"]
    for number, tenth in enumerate(found, 1):
        low, median, high = (value * 1e3 for value in (tenth.low, tenth.median, tenth.high))
        lines.append(
            f"{number:5d} {tenth.memory / 2**20:12.2f} MiB {median:9.3f} ms  "
            f"({low:.3f} to {high:.3f})"
        )
    second, last = found[1], found[-1]
    growth, slower = last.memory / second.memory - 1, last.low > second.high
    lines.append(
        f"memory, last tenth against the second: {growth:+.2%}, allowed below {MOST_GROWTH:.0%}"
    )
    lines.append(
        f"step time, last tenth against the second: {last.median / second.median:.3f}, "
        f"beyond its quartiles: {slower}"
    )
    return lines, growth < MOST_GROWTH and not slower


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return 1 where something grew."""
    parser = Parser(prog=PROGRAM, description=__doc__)
    parser.add_argument("--package", choices=("numpy", "torch"), default="numpy")
    parser.add_argument("--steps", type=whole_number, default=50_000, help="a multiple of 50")
    parser.add_argument("--batch-size", type=whole_number, default=4)
    parser.add_argument("--threads", type=whole_number, default=1)
    arguments = parser.parse_args(argv)
    if arguments.steps < EPOCHS or arguments.steps % EPOCHS:
        parser.error(f"--steps: found {arguments.steps}, expected a multiple of {EPOCHS} above 0")
    if not os.path.exists(STATM):
        parser.error(f"found no {STATM}, expected Linux")
    try:
        seen = soak(arguments.package, arguments.steps, arguments.batch_size, arguments.threads)
    except InputError as error:
        parser.error(str(error))
    lines, flat = report(tenths(seen))
    console.say(f"{arguments.package}, {seen.done:,} steps of {arguments.batch_size} pairs")
    console.show("\n".join(lines))
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
