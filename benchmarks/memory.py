"""How much memory there is, and how much a process that trains takes at its peak.

python -m benchmarks.memory numpy 2000 2       # 2,000 pairs on 2 threads
"""

import json
import math
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.learners import cpu_config, new_learner
from benchmarks.results import Memory
from numpy_siamese.cli.parser import Parser
from numpy_siamese.errors import InputError, reason
from numpy_siamese.runs.learner import Learner
from numpy_siamese.terminal.numbers import whole_number

MEMINFO, GROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
STATUS = Path("/proc/self/status")

STEPS = 5


def available() -> float:
    """Return the bytes that this process may still take, for Linux; infinity elsewhere."""
    found = []
    try:
        lines = MEMINFO.read_text().splitlines()
        kib = next(line.split()[1] for line in lines if line.startswith("MemAvailable"))
        found.append(float(kib) * 1024)
    except (OSError, StopIteration):
        pass
    try:
        limit = (GROUP / "memory.max").read_text().strip()
        if limit != "max":
            found.append(float(limit) - float((GROUP / "memory.current").read_text()))
    except OSError:
        pass
    return min(found, default=math.inf)


def of_training(backend: str, pairs: int, threads: int) -> Memory:
    """Train for some steps in a process of its own and return the peak of its resident memory."""
    command = [sys.executable, "-m", "benchmarks.memory", backend, str(pairs), str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        return Memory(backend, pairs, missing=f"not run: {reason(said[0])}")
    before, peak = json.loads(done.stdout)
    return Memory(backend, pairs, before, peak)


def main(argv: Sequence[str] | None = None) -> None:
    """Train as `of_training` says; print the peak in bytes before the first step and at the end."""
    parser = Parser(prog="python -m benchmarks.memory", description=main.__doc__)
    parser.add_argument("backend", choices=("numpy", "torch-eager"))
    parser.add_argument("pairs", type=whole_number)
    parser.add_argument("threads", type=whole_number)
    arguments = parser.parse_args(argv)
    from numpy_siamese.data.pairs import PairSampler
    from numpy_siamese.data.sources import load

    images, labels = load("mnist-5k").train
    try:
        learner = _learner(arguments.backend, arguments.pairs, arguments.threads, images)
    except InputError as error:
        parser.error(str(error))
    sampler = PairSampler(labels, arguments.pairs, seed=0)
    before = _peak()
    for k in range(STEPS):
        learner.learn([sampler.batch(0, k)])
    print(json.dumps([before, _peak()]))


def _learner(backend: str, pairs: int, threads: int, images: Any) -> Learner:
    package = backend.partition("-")[0]
    config = cpu_config(package, batch_size=pairs, threads=threads)
    return new_learner(package, config, images)


def _peak() -> int:
    """Return the largest resident memory so far, in bytes.

    On Linux from /proc, for `getrusage` starts from what the parent process had.
    """
    try:
        lines = STATUS.read_text().splitlines()
        return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
    except (OSError, StopIteration):
        import resource  # not on Windows

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main()
