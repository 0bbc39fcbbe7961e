"""The command line of the benchmarks."""

import argparse
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from benchmarks import (
    compare,
    environment,
    limits,
    memory,
    pictures,
    remarks,
    results_file,
    tables,
)
from benchmarks.backends.catalogue import BY_NAME
from benchmarks.device_report import cli as device_report
from benchmarks.measure import measure
from benchmarks.results import Results
from benchmarks.workloads import WORKLOADS, counts_of_threads
from numpy_siamese.cli.parser import Parser, path
from numpy_siamese.errors import InputError, in_one_line, unknown_name
from numpy_siamese.files.atomic_write import write_atomically
from numpy_siamese.parallel.cores import available_cores, default_threads
from numpy_siamese.terminal import console
from numpy_siamese.terminal.numbers import real_number, whole_number

PROGRAM = "python -m benchmarks"

BATCH_SIZES = (1, 4, 10, 100, 1_000, 10_000)

IN_PROCESSES = ("numpy", "torch-eager")
"""Backends whose memory is measured, each in a process of its own."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.verb == "cuda":
            return device_report.run(arguments, _say)
        if arguments.verb == "compare":
            old, new = (results_file.load(path) for path in (arguments.old, arguments.new))
            console.show(compare.as_text(old, new))
        else:
            _run(arguments)
    except InputError as error:
        console.complain(f"{PROGRAM}: error: {error}")
        return 2
    except OSError as error:
        console.complain(f"{PROGRAM}: error: {in_one_line(error)}")
        return 2
    except KeyboardInterrupt:
        _say("")
        console.complain(f"{PROGRAM}: interrupted")
        return 130
    return 0


def _run(arguments: argparse.Namespace) -> None:
    backends = _choices("backend", arguments.backends, BY_NAME)
    workloads = _choices("workload", arguments.workloads, WORKLOADS)
    sizes = _positives("--batch-sizes", arguments.batch_sizes)
    counts = _positives("--threads", arguments.threads)
    cores = available_cores()
    if arguments.seconds is not None and not 0 <= arguments.seconds < math.inf:
        raise InputError(f"--seconds: found {arguments.seconds}, expected 0 or more, not for ever")
    if max(counts) > cores:
        raise InputError(f"--threads: found {max(counts)}, expected at most the {cores} cores here")
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)  # before hours of work, not after

    found, named = Results(environment.describe()), list(backends.values())
    _warn(remarks.of_environment(found))
    for threads in counts:
        _say(f"limits of the machine, {threads} threads")
        found.limits[threads] = limits.measure(threads)
    _warn(remarks.of_limits(found))
    for name, workload in workloads.items():
        for threads in counts_of_threads(name, counts):
            for work in workload(sizes):
                found.cells += measure(work, named, threads, arguments.seconds, _say)
        _warn(remarks.about(found, name))
    for name in backends:
        if name in IN_PROCESSES and "step" in workloads:
            _say(f"memory of training, {name}")
            found.memory.append(memory.of_training(name, 100, counts[-1]))
    _say("")
    if arguments.out is not None:
        results_file.save(found, arguments.out / "results.json")
        write_atomically(arguments.out / "results.md", tables.as_markdown(found).encode())
        for file, content in pictures.as_png(found).items():
            write_atomically(arguments.out / file, content)
    console.show(tables.as_text(found))  # last, as nobody may be there any more to read it
    if arguments.out is not None:
        console.show("")
        console.say(f"wrote {arguments.out}")


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog=PROGRAM, description="Measure NumPy beside PyTorch.")
    parser.add_argument(
        "--backends",
        nargs="+",
        metavar="NAME",
        default=list(BY_NAME),
        help=f"default: all of {', '.join(BY_NAME)}",
    )
    parser.add_argument(
        "--workloads",
        nargs="+",
        metavar="NAME",
        default=list(WORKLOADS),
        help=f"default: all of {', '.join(WORKLOADS)}",
    )
    parser.add_argument(
        "--batch-sizes",
        nargs="+",
        type=whole_number,
        metavar="PAIRS",
        default=list(BATCH_SIZES),
        help=f"of the scaling workload (default: {' '.join(map(str, BATCH_SIZES))})",
    )
    parser.add_argument(
        "--threads",
        nargs="+",
        type=whole_number,
        metavar="N",
        default=sorted({1, default_threads()}),
        help="for every backend on the CPU; steps are measured on each number, operations on the "
        "first, everything else on the last (default: 1, then the cores that this process may use)",
    )
    parser.add_argument(
        "--seconds",
        type=real_number,
        help="about how long the rounds of one piece of work go on (default: 4, operations 0.4)",
    )
    parser.add_argument(
        "--out", type=path, metavar="DIR", help="write results.json, results.md and pictures"
    )
    verbs = parser.add_subparsers(dest="verb", metavar="compare | cuda")
    device_report.add(verbs)
    comparing = verbs.add_parser("compare", help="show what changed beyond the noise")
    comparing.add_argument("old", type=path, metavar="OLD.json")
    comparing.add_argument("new", type=path, metavar="NEW.json")
    return parser


def _choices(kind: str, names: Sequence[str], choices: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is chosen by name, each once."""
    for name in names:
        if name not in choices:
            raise unknown_name(kind, name, choices)
    return {name: choices[name] for name in names}


def _positives(flag: str, numbers: Sequence[int]) -> list[int]:
    """Return numbers, each once."""
    for number in numbers:
        if number < 1:
            raise InputError(f"{flag}: found {number}, expected whole numbers above 0")
    return list(dict.fromkeys(numbers))


def _say(line: str) -> None:
    """Show what is going on, on a line of the terminal that is written over."""
    if console.is_terminal(sys.stderr):
        with suppress(OSError):
            console.write(sys.stderr, f"\r\x1b[K{line}")


def _warn(warnings: Iterable[str]) -> None:
    """Show what makes the figures say less than they seem to, each on a line that stays."""
    for line in warnings:
        _say("")
        console.complain(f"{PROGRAM}: warning: {line}")
