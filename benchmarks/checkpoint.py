"""What checkpoints cost: the time to write one, beside that of the batches between two.

    python -m benchmarks.checkpoint --package torch --folder /where/runs/are/kept

At the recipe's size: 100 pairs, float32, momentum; a checkpoint every 100 batches. Steps and writes
alternate, so that a change of the machine's pace meets both. Writing includes waiting for the disk.
"""

import argparse
import importlib
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.timing import quartiles
from numpy_siamese.checkpoint import Checkpoint, save_checkpoint
from numpy_siamese.cores import available_cores
from numpy_siamese.data import load
from numpy_siamese.history import History, Metrics
from numpy_siamese.pairs import PairSampler
from numpy_siamese.schedule import EVERY

WARM_UP = 3
ROWS = 50
"""Rows of metrics at the end of the recipe."""


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--package", choices=("numpy", "torch"), default="numpy")
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--folder", type=Path, help="a folder of the disk that is asked about")
    arguments = parser.parse_args()
    training = importlib.import_module(f"{arguments.package}_siamese.training")
    config = training.TrainConfig(threads=arguments.threads)
    images, labels = load(config.data).train
    learner = training.Learner(config, images)
    sampler = PairSampler(labels, config.batch_size, config.seed)
    history = History([Metrics(1, 1, 0.5, 0.5, 1.0)] * ROWS, window=[(0.5, 0.5)] * config.window)
    times: dict[str, list[float]] = {"step": [], "write": []}
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for k in range(WARM_UP + arguments.rounds):
            start = time.perf_counter()
            learner.step(*sampler.batch(0, k))
            middle = time.perf_counter()
            weights, momentum = learner.model_state(), learner.momentum_state()
            state = Checkpoint(weights, momentum, 0, k, 0.0, history)
            assert state.is_finite()
            save_checkpoint(Path(folder) / "checkpoint.safetensors", state)
            if k >= WARM_UP:
                times["step"].append(middle - start)
                times["write"].append(time.perf_counter() - middle)
    print(f"{arguments.package}, {arguments.threads} threads, {arguments.rounds} rounds")
    for name, samples in times.items():
        low, median, high = (value * 1e3 for value in quartiles(samples))
        print(f"{name:6s} {median:7.2f} ms  (quartiles {low:.2f} to {high:.2f})")
    step, write = (float(np.median(samples)) for samples in times.values())
    print(f"a checkpoint every {EVERY} batches: {write / (EVERY * step + write):.3%} of the time")


if __name__ == "__main__":
    main()
