"""The verb `evaluate`: what a trained network is worth."""

import argparse
import pkgutil
from typing import Any

from numpy_siamese.cli.parser import path
from numpy_siamese.cli.program import Program
from numpy_siamese.cli.run_flags import flags_elsewhere, given_of_use
from numpy_siamese.runs.config import OF_USE
from numpy_siamese.runs.evaluation.config import EvaluationConfig
from numpy_siamese.runs.signals import Stops


def add(verbs: Any, program: Program) -> None:
    """Give the command line the verb and its flags."""
    parser = verbs.add_parser(
        "evaluate",
        help="measure what a trained network is worth",
        description="Judge pairs and play N-way K-shot episodes with the network of a finished "
        "run; write figures with 95 % intervals and pictures to a folder. Of several runs, print "
        "mean and standard deviation too.",
        example="runs/digits --pairs 50000",
        elsewhere=flags_elsewhere(program, OF_USE),
    )
    parser.add_argument(
        "runs", nargs="+", type=path, metavar="RUN", help="folder of a finished run"
    )
    EvaluationConfig.add_flags(parser)
    pkgutil.resolve_name(program.config).add_flags(parser, OF_USE)
    parser.add_argument(
        "--out",
        type=path,
        metavar="DIR",
        help="folder for the results; of several runs, for a folder each (default: RUN/evaluation, "
        "with the name of other data and split after it)",
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    parser.set_defaults(run=run)


def run(program: Program, arguments: argparse.Namespace, stops: Stops) -> None:
    """Evaluate as the flags ask.

    Raises
    ------
    InputError
        A flag, a run, its data or a folder cannot be used.
    OSError
        A file or standard output cannot be written.
    Stopped
        A signal has come.
    """
    config = EvaluationConfig(**EvaluationConfig.given_flags(arguments))
    # NumPy and all that takes time, now that signals are handled
    from numpy_siamese.runs.evaluation.evaluate import evaluate_runs

    evaluate_runs(
        arguments.runs,
        config,
        pkgutil.resolve_name(program.network),
        pkgutil.resolve_name(program.config),
        given_of_use(arguments),
        arguments.out,
        arguments.quiet,
        stops.postponed,
    )
