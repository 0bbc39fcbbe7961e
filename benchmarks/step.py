"""One training step of the recipe, NumPy beside PyTorch eager, on the same cores.

    python -m benchmarks.step --threads 2

A step is what training does for a batch of pairs in float32: take the images, forward, backward,
update. Both learn from the same pairs of real digits; their losses are compared before anything is
timed. Rounds are interleaved, NumPy, torch, NumPy, torch, …, so that a change of the machine's pace
meets both; the ratio of medians is what counts.
"""

import argparse
import time

import numpy as np

from numpy_siamese.config import TrainConfig
from numpy_siamese.data import load
from numpy_siamese.pairs import PairSampler
from numpy_siamese.threads import available_cores
from numpy_siamese.training import Learner
from torch_siamese.config import TrainConfig as TorchTrainConfig
from torch_siamese.training import Learner as TorchLearner

AGREEMENT = 1e-4
"""Largest relative difference of two float32 losses that compute the same thing."""


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=30)
    arguments = parser.parse_args()
    images, labels = load("mnist-5k").train
    shared = {"batch_size": arguments.batch_size, "threads": arguments.threads}
    learners = {
        "NumPy": Learner(TrainConfig(**shared), images),
        "PyTorch eager": TorchLearner(TorchTrainConfig(**shared, device="cpu"), images),
    }
    sampler = PairSampler(labels, arguments.batch_size, seed=0)
    times: dict[str, list[float]] = {name: [] for name in learners}
    warm_up = 3
    for k in range(warm_up + arguments.rounds):
        pairs = sampler.batch(0, k)
        losses = []
        for name, learner in learners.items():
            start = time.perf_counter()
            losses.append(learner.step(*pairs)[0])
            if k >= warm_up:
                times[name].append(time.perf_counter() - start)
        if k == 0 and not abs(losses[0] - losses[1]) <= AGREEMENT * abs(losses[0]):
            raise SystemExit(f"refused: the first losses differ, {losses}")
    print(f"{arguments.batch_size} pairs, {arguments.threads} threads, {arguments.rounds} rounds")
    for name, samples in times.items():
        low, median, high = np.quantile(samples, [0.25, 0.5, 0.75]) * 1e3
        print(f"{name:14s} {median:7.1f} ms  (quartiles {low:.1f} to {high:.1f})")
    numpy_time, torch_time = (np.median(samples) for samples in times.values())
    print(f"NumPy takes {numpy_time / torch_time:.2f} of PyTorch eager's time")


if __name__ == "__main__":
    main()
