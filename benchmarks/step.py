"""One training step of the recipe, NumPy beside PyTorch eager, on the same cores.

    python -m benchmarks.step --threads 2

A step is 100 pairs in float32: forward, backward and update. Both learn from the same pairs; their
losses are compared before anything is timed. Rounds are interleaved, NumPy, torch, NumPy, torch, …,
so that a change of the machine's pace meets both; the ratio of medians is what counts.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from numpy_siamese.model import SiameseNet
from numpy_siamese.optim import SGD
from numpy_siamese.threads import available_cores
from numpy_siamese.training import loss_and_gradients
from torch_siamese.training import initialize
from torch_siamese.training import loss_and_gradients as torch_loss_and_gradients

Step = Callable[[], float]

LR, MOMENTUM = 0.001, 0.1


def steps(batch_size: int, threads: int, seed: int = 0) -> dict[str, Step]:
    """Return one function per implementation that does a training step and returns its loss."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (2, 28, 28, batch_size)).astype(np.float32)
    left, right = images.transpose(0, 3, 1, 2)[:, :, None]  # the batch innermost in memory
    targets = np.repeat([0, 1], [batch_size // 2, batch_size - batch_size // 2])
    targets = targets.astype(np.float32)[:, None]

    net = SiameseNet(seed)
    optimizer = SGD(net.parameters(), LR, MOMENTUM)

    def numpy_step() -> float:
        loss, _, grads = loss_and_gradients(net, left, right, targets, threads)
        optimizer.step(grads)
        return loss

    torch.set_num_threads(threads)
    twin = initialize(seed, torch.float32)
    tensors = [torch.tensor(np.ascontiguousarray(a)) for a in (left, right, targets)]
    torch_optimizer = torch.optim.SGD(twin.parameters(), LR, MOMENTUM)

    def torch_step() -> float:
        loss, _, grads = torch_loss_and_gradients(twin, *tensors)
        for name, parameter in twin.named_parameters():
            parameter.grad = grads[name]
        torch_optimizer.step()
        return loss.item()

    return {"numpy": numpy_step, "torch eager": torch_step}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=30)
    arguments = parser.parse_args()
    candidates = steps(arguments.batch_size, arguments.threads)
    losses = [step() for step in candidates.values()]
    if abs(losses[0] - losses[1]) > 1e-4 * abs(losses[0]):
        raise SystemExit(f"refused: the implementations disagree, {losses}")
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(3):  # warm-up
        for step in candidates.values():
            step()
    for _ in range(arguments.rounds):
        for name, step in candidates.items():
            start = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - start)
    print(f"{arguments.batch_size} pairs, {arguments.threads} threads, {arguments.rounds} rounds")
    for name, samples in times.items():
        low, median, high = np.quantile(samples, [0.25, 0.5, 0.75]) * 1e3
        print(f"{name:12s} {median:7.1f} ms  (quartiles {low:.1f} to {high:.1f})")
    ratio = np.median(times["numpy"]) / np.median(times["torch eager"])
    print(f"NumPy takes {ratio:.2f} of PyTorch eager's time")


if __name__ == "__main__":
    main()
