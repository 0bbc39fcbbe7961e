"""Part: the time of a step against the size of its batch, in the mode that the product takes."""

import time
from typing import Any

import numpy as np

from benchmarks import memory
from benchmarks.backends.base import NotRun
from benchmarks.device_report.dataset import digits
from benchmarks.layers import step_bytes, step_flops
from benchmarks.learners import learned, new_learner, torch_config
from numpy_siamese.data.pairs import PairSampler

FIRST = 4
"""Batches of the first call: a graph is captured after three."""

CALLS, MOST_BATCHES = 3, 200


def measure(
    device: str, precision: str, pairs: int, seconds: float, data: str | None, mode: str = "auto"
) -> dict[str, Any]:
    """Learn from batches of so many pairs, many in a call; the best of some calls counts.

    Parameters
    ----------
    device, precision, mode : of `torch_siamese`
    pairs : in a batch
    seconds : about how long a call goes on
    data : of `dataset.digits`

    Raises
    ------
    NotRun
        On the CPU, where memory that does not suffice would end other processes.
    MemoryError
        The device's memory does not suffice. The message says for how many pairs it does.
    """
    if device == "cpu" and pairs * BYTES_PER_PAIR > memory.available():
        raise NotRun(f"{pairs * BYTES_PER_PAIR / 2**30:.1f} GiB are not available")
    dataset = digits(data)
    _forget_peak(device)
    config = torch_config(device, batch_size=pairs, mode=mode, precision=precision)
    learner: Any = new_learner("torch", config, dataset.train.images)
    sampler = PairSampler(dataset.train.labels, pairs, seed=0)

    def took(count: int) -> float:
        """Return the seconds of one of so many batches, drawn before."""
        drawn = sampler.batches(0, range(count))
        start = time.perf_counter()
        losses = learned(learner, drawn)
        assert np.isfinite(losses).all()
        return (time.perf_counter() - start) / count

    took(FIRST)
    once = took(1)
    count = int(np.clip(seconds / once, 1, MOST_BATCHES))
    samples = [took(count) for _ in range(CALLS)]
    return {
        "seconds": min(samples),
        "samples": samples,
        "batches in a call": count,
        "flops": step_flops(pairs),
        "bytes": step_bytes(pairs, 2 if precision == "bf16" else 4),
        "device bytes": _peak(device),
        "mode": getattr(learner, "mode", mode),
    }


BYTES_PER_PAIR = 40_000
"""Of host memory on the CPU, where larger batches are taken in parts: images, indices, targets."""


def _forget_peak(device: str) -> None:
    """Let the most memory be that of the work that follows."""
    if device != "cpu":
        import torch

        torch.cuda.reset_peak_memory_stats()


def _peak(device: str) -> int | None:
    if device == "cpu":
        return None
    import torch

    return torch.cuda.max_memory_allocated()
