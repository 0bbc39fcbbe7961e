"""Where the milliseconds of the NumPy step go, line by line, on one thread.

    python -m benchmarks.lines

A trace function notes the time whenever the interpreter moves to another line of `numpy_siamese`.
It costs about a microsecond a line, some percent of a step.
"""

import argparse
import linecache
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import numpy_siamese
from benchmarks.backends import BY_NAME

PACKAGE = str(Path(numpy_siamese.__file__).parent)

Line = tuple[str, int]


class LineTimes:
    """Seconds by line of the package's source, of what runs while it is the trace function."""

    def __init__(self) -> None:
        self.seconds: defaultdict[Line, float] = defaultdict(float)
        self._lines: list[Line] = []  # that the frames under way are at, the innermost last
        self._since = 0.0

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        """Attribute the time since the last event to the line that was under way."""
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if self._lines:
            self.seconds[self._lines[-1]] += time.perf_counter() - self._since
        here = frame.f_code.co_filename, frame.f_lineno
        if event == "call":
            self._lines.append(here)
        elif event == "return":
            self._lines.pop()
        else:
            self._lines[-1] = here
        self._since = time.perf_counter()
        return self


def profile(run: Callable[[], Any], steps: int) -> dict[Line, float]:
    """Return the seconds that each line takes in one of some runs, on average."""
    run()
    times = LineTimes()
    before = sys.gettrace()
    sys.settrace(times)
    try:
        for _ in range(steps):
            run()
    finally:
        sys.settrace(before)
    return {line: seconds / steps for line, seconds in times.seconds.items()}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser("python -m benchmarks.lines", description=main.__doc__)
    parser.add_argument("--pairs", type=int, default=100, help="in a batch (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=20, help="averaged (default: %(default)s)")
    parser.add_argument(
        "--least", type=float, default=0.1, help="milliseconds of a line shown (default: 0.1)"
    )
    arguments = parser.parse_args()
    numpy = BY_NAME["numpy"]
    with numpy.threads(1):
        found = profile(numpy.step(arguments.pairs).run, arguments.steps)
    for (file, number), seconds in sorted(found.items(), key=lambda item: -item[1]):
        if seconds * 1e3 >= arguments.least:
            source = linecache.getline(file, number).strip()
            print(f"{seconds * 1e3:7.2f} ms  {Path(file).name}:{number:<4d} {source}")
    print(f"{sum(found.values()) * 1e3:7.2f} ms  in all, of {arguments.pairs} pairs")


if __name__ == "__main__":
    main()
