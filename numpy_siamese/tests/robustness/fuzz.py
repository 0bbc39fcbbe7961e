"""The long run: many thousands of hostile files for each reader.

``python -m numpy_siamese.tests.robustness.fuzz`` uses atheris, which keeps the files that reach new
lines of Python and changes those further, or, where atheris is not installed, hypothesis, which
changes the valid files alone. Each reader has a process of its own, so that a crash, a hang (a
minute for one file) or endless memory is told like any other finding; it ends with status 1 if
there is any.
"""

import argparse
import collections
import importlib
import importlib.util
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from numpy_siamese.cli.parser import Parser
from numpy_siamese.terminal.numbers import whole_number

NAME = "numpy_siamese.tests.robustness.fuzz"
HANG = 60  # seconds
MOST_MEMORY = 2**32  # bytes of address space
MOST_INPUT = 2**16  # bytes
INSTRUMENTED = ["numpy_siamese", "safetensors", "gzip", "_compression", "csv", "PIL"]
TALLY, INPUT = "tally.json", "input"


class Tally:
    """What one reader made of its inputs, written to a folder at the end."""

    def __init__(self, reader: Any, inputs: int, folder: Path) -> None:
        self.reader, self.inputs, self.folder = reader, inputs, folder
        self.outcomes: collections.Counter[str] = collections.Counter()
        self.findings: dict[str, str] = {}
        self.slowest = 0.0
        self.start = time.perf_counter()

    def take(self, content: bytes) -> None:
        """Read one input, and note what came of it."""
        from numpy_siamese.tests.robustness.spoiling import outcome

        start = time.perf_counter()
        signal.alarm(HANG)  # unhandled, it ends the process
        try:
            self.outcomes[outcome(self.reader, self.folder / INPUT, content)] += 1
        except BaseException as error:  # also what Rust panics with
            self.outcomes["exceptions"] += 1
            self._keep(error, content)
        finally:
            signal.alarm(0)
        self.slowest = max(self.slowest, time.perf_counter() - start)

    @property
    def full(self) -> bool:
        return self.outcomes.total() >= self.inputs

    def write(self) -> None:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        result = {
            "outcomes": self.outcomes,
            "findings": self.findings,
            "slowest": self.slowest,
            "seconds": time.perf_counter() - self.start,
            "peak": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        }
        (self.folder / TALLY).write_text(json.dumps(result))

    def _keep(self, error: BaseException, content: bytes) -> None:
        """Keep the first input for each place in the code."""
        place = traceback.extract_tb(error.__traceback__)[-1]
        key = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
        if key not in self.findings:
            file = self.folder / f"finding-{len(self.findings)}"
            file.write_bytes(content)
            self.findings[key] = f"{str(error)[:200]!r}, from {file}"


def fuzz_with_atheris(module: str, name: str, inputs: int, seed: int, folder: Path) -> None:
    """Let coverage guide; does not return, because libFuzzer does not."""
    import atheris

    with atheris.instrument_imports(include=[*INSTRUMENTED, module.split(".")[0]]):
        from numpy_siamese.tests.robustness import spoiling

        readers = importlib.import_module(module).READERS
    tally = Tally(readers[name], inputs, folder)
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, valid in enumerate(tally.reader.seeds()):
        (corpus / str(number)).write_bytes(valid)

    def take(content: bytes) -> None:
        tally.take(content)
        if tally.full:
            tally.write()
            os._exit(0)

    def change(content: bytes, most: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 0.5:
            return atheris.Mutate(content, most)
        if random.random() < 0.5:  # else most would be beyond recognition
            content = random.choice(tally.reader.seeds())
        try:
            return spoiling.spoil(random, tally.reader, content)[:most]
        except BaseException:  # atheris would wait for ever
            traceback.print_exc()
            os._exit(1)

    flags = [f"-seed={seed}", f"-max_len={MOST_INPUT}", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], take, custom_mutator=change)
    atheris.Fuzz()


def fuzz_with_hypothesis(module: str, name: str, inputs: int, seed: int, folder: Path) -> None:
    """Change valid files at random."""
    import hypothesis
    from hypothesis import strategies as st

    from numpy_siamese.tests.robustness import spoiling

    tally = Tally(importlib.import_module(module).READERS[name], inputs, folder)

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=inputs,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(st.randoms(use_true_random=True))
    def take(random: Random) -> None:
        tally.take(spoiling.spoil(random, tally.reader, random.choice(tally.reader.seeds())))

    take()
    tally.write()


ENGINES = {"atheris": fuzz_with_atheris, "hypothesis": fuzz_with_hypothesis}


def report(name: str, engine: str, folder: Path, process: subprocess.CompletedProcess) -> bool:
    """Print what a reader's process found; return whether that was nothing."""
    if not (folder / TALLY).exists():
        print(f"{name} ({engine}): the process ended with {process.returncode} at {folder / INPUT}")
        print(process.stderr[-3000:])
        return False
    found = json.loads((folder / TALLY).read_text())
    outcomes = collections.Counter(found["outcomes"])
    print(
        f"{name} ({engine}): {outcomes.total():,} inputs, {outcomes['data']:,} data, "
        f"{outcomes['refused']:,} refused, {outcomes['exceptions']:,} other exceptions, "
        f"peak memory {found['peak'] / 2**20:.0f} MiB, {found['seconds']:.0f} s "
        f"(slowest input {found['slowest']:.2f} s)",
        flush=True,
    )
    for where, what in found["findings"].items():
        print(f"    {where}: {what}")
    return not found["findings"]


def main(argv: Sequence[str] | None = None) -> int:
    """Fuzz each reader in a process of its own; return 1 if there are findings."""
    parser = Parser(prog=f"python -m {NAME}", description=__doc__)
    parser.add_argument("readers", nargs="*", metavar="READER", help="default: all")
    parser.add_argument(
        "--module",
        default="numpy_siamese.tests.robustness.readers",
        help="of the readers (%(default)s)",
    )
    parser.add_argument("--inputs", type=whole_number, default=100_000, help="for each reader")
    parser.add_argument("--seed", type=whole_number, default=1, help="from 1; of the changes")
    installed = importlib.util.find_spec("atheris") is not None
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="atheris" if installed else "hypothesis",
        metavar="ENGINE",
        help="atheris or hypothesis (%(default)s)",
    )
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)  # of a reader's process
    arguments = parser.parse_args(argv)
    if arguments.folder:
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        run = ENGINES[arguments.engine]
        of_reader = arguments.readers[0], arguments.inputs, arguments.seed, arguments.folder
        run(arguments.module, *of_reader)
        return 0

    names = list(importlib.import_module(arguments.module).READERS)
    if unknown := set(arguments.readers) - set(names):
        parser.error(f"found {', '.join(sorted(unknown))}, expected any of {', '.join(names)}")
    clean = True
    for name in arguments.readers or names:
        folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
        command = [
            sys.executable,
            "-m",
            "numpy_siamese.tests.robustness.fuzz",
            name,
            "--folder",
            str(folder),
        ]
        command += ["--inputs", str(arguments.inputs), "--seed", str(arguments.seed)]
        command += ["--engine", arguments.engine, "--module", arguments.module]
        process = subprocess.run(command, capture_output=True, text=True)
        clean &= report(name, arguments.engine, folder, process)
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
