"""How much memory there is, and how much a process that trains takes at its peak."""

import json
import resource
import subprocess
import sys
from pathlib import Path

from benchmarks.results import Memory
from numpy_siamese.errors import reason

STEPS = 5


def available() -> float:
    """Return the bytes that this process may still take, for Linux; infinity elsewhere."""
    found = []
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        kib = next(line.split()[1] for line in lines if line.startswith("MemAvailable"))
        found.append(float(kib) * 1024)
    except (OSError, StopIteration):
        pass
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text().strip()
        if limit != "max":
            found.append(float(limit) - float((group / "memory.current").read_text()))
    except OSError:
        pass
    return min(found, default=float("inf"))


def of_training(backend: str, pairs: int, threads: int) -> Memory:
    """Train for some steps in a process of its own and return the peak of its resident memory."""
    command = [sys.executable, "-m", "benchmarks.memory", backend, str(pairs), str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        return Memory(backend, pairs, missing=f"not run: {reason(said[0])}")
    before, peak = json.loads(done.stdout)
    return Memory(backend, pairs, before, peak)


def main(backend: str, pairs: int, threads: int) -> None:
    """Train as `of_training` says; print the peak before the first step and at the end."""
    if backend == "numpy":  # a process that never imports torch
        from numpy_siamese.config import TrainConfig
        from numpy_siamese.training import Learner

        make, options = Learner, {}
    else:
        from torch_siamese.config import TrainConfig  # type: ignore[assignment]
        from torch_siamese.training import Learner  # type: ignore[assignment]

        make, options = Learner, {"device": "cpu"}
    from numpy_siamese.data import load
    from numpy_siamese.pairs import PairSampler

    images, labels = load("mnist-5k").train
    learner = make(TrainConfig(batch_size=pairs, threads=threads, **options), images)
    sampler = PairSampler(labels, pairs, seed=0)
    before = _peak()
    for k in range(STEPS):
        learner.step(*sampler.batch(0, k))
    print(json.dumps([before, _peak()]))


def _peak() -> int:
    """Return the largest resident memory so far, in bytes.

    On Linux from /proc, for `getrusage` starts from what the parent process had.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
    except (OSError, StopIteration):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
