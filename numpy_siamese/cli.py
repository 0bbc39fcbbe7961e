"""The command line of `numpy-siamese`, and what `torch-siamese` shares with it."""

import argparse
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from numpy_siamese import console, download, run
from numpy_siamese.config import TrainConfig
from numpy_siamese.data import load
from numpy_siamese.errors import InputError
from numpy_siamese.learner import Learner as AnyLearner
from numpy_siamese.recorded import RecordedConfig, continued, read_config
from numpy_siamese.run_directory import CONFIG
from numpy_siamese.signals import Stopped, Stops, handled
from numpy_siamese.training import Learner

Array = np.ndarray

MENDABLE = 2
"""The exit status of what the user can mend."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `numpy-siamese`; return the exit status."""
    return command_line("numpy-siamese", TrainConfig, Learner, argv)


def command_line(
    program: str,
    config_class: type[TrainConfig],
    make_learner: Callable[[Any, Array], AnyLearner],
    argv: Sequence[str] | None,
) -> int:
    """Parse flags, do what they say, and turn failures into one line and an exit status.

    Parameters
    ----------
    program : str
        Its name in messages and in the default output folder.
    config_class : subclass of TrainConfig
        Its fields are the flags of `train`.
    make_learner : (config, training images) → Learner
    argv : sequence of str, optional
        Default: the process's own.

    Returns
    -------
    int
        0; 2 for what the user can mend; 130 after Ctrl-C, 143 after SIGTERM.
    """
    arguments = _parser(program, config_class).parse_args(argv)

    def fail(message: object) -> int:
        console.complain(f"{program}: error: {message}")
        return MENDABLE

    try:
        with handled() as stops:
            if arguments.verb == "fetch":
                folder = download.fetch(arguments.name, arguments.out)
                console.say(f"{arguments.name} is in {folder}")
            else:
                _train(_plan(program, config_class, arguments), make_learner, stops)
    except InputError as error:
        return fail(error)
    except OSError as error:
        return fail(_in_one_line(error))
    except MemoryError as error:
        return fail(f"not enough memory, expected smaller sizes ({error})")
    except KeyboardInterrupt as error:
        stopped = error if isinstance(error, Stopped) else Stopped(signal.SIGINT, at_once=True)
        console.complain(f"{program}: {stopped}")
        return stopped.status
    return 0


@dataclass(frozen=True)
class _Plan:
    """What `train` is asked to do."""

    program: str
    config: TrainConfig
    recorded: RecordedConfig | None
    out: Path
    resume: bool
    quiet: bool


def _plan(program: str, config_class: type[TrainConfig], arguments: argparse.Namespace) -> _Plan:
    given = config_class.given_flags(arguments)
    if arguments.resume is None:
        recorded = arguments.config and read_config(arguments.config, config_class)
        config = config_class(**(recorded.settings if recorded else {}) | given)
        out = arguments.out or run.default_directory(program)
    else:
        if arguments.out or arguments.config:
            raise InputError("--resume goes on in its folder, expected neither --out nor --config")
        out = arguments.resume
        recorded = read_config(out / CONFIG, config_class)
        config = continued(recorded, given, config_class)
    resume = arguments.resume is not None
    return _Plan(program, config, recorded, out, resume, arguments.quiet)


def _train(plan: _Plan, make_learner: Callable[[Any, Array], AnyLearner], stops: Stops) -> None:
    dataset = load(plan.config.data)
    if plan.recorded is not None:
        plan.recorded.check_data(dataset)
    learner = make_learner(plan.config, dataset.train.images)
    training = run.Run(plan.config, dataset, learner, plan.out, plan.quiet, plan.resume)
    stops.ask = training.stop
    resume = f"{plan.program} train --resume {console.shell_word(plan.out)}"
    try:
        with warnings.catch_warnings():
            # NumPy's, of overflow: a network that diverges is told in one line
            warnings.simplefilter("ignore", RuntimeWarning)
            training.train()
    except Stopped as stopped:
        stopped.args = (f"{stopped}; saved after {training.saved}, go on with: {resume}",)
        raise
    except OSError as error:
        raise InputError(
            f"{_in_one_line(error)}; saved after {training.saved}, then go on with: {resume}"
        ) from error


def _in_one_line(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}"


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, on streams that may lack characters or be gone."""

    def error(self, message: str) -> NoReturn:
        console.complain(f"{self.prog}: error: {message} (see {self.prog} --help)")
        self.exit(MENDABLE)

    def _print_message(self, message: str, file: Any = None) -> None:
        try:
            console.write(file or sys.stderr, message)
        except BrokenPipeError:  # whoever reads the help has seen enough
            pass
        except OSError as error:
            console.complain(f"{self.prog}: error: standard output: {error.strerror}")
            self.exit(MENDABLE)


def _parser(program: str, config_class: type[TrainConfig]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=program,
        description="A Siamese network that learns to tell whether two handwritten digits are "
        "the same.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    train = verbs.add_parser(
        "train",
        help="train a network and keep the run in a folder",
        description="Train on pairs of images; write weights, metrics and pictures to a folder.",
    )
    config_class.add_flags(train)
    train.add_argument(
        "--out", type=Path, metavar="DIR", help="new folder for the run (default: runs/NAME-TIME)"
    )
    train.add_argument(
        "--resume",
        type=Path,
        metavar="DIR",
        help="go on with the run in DIR from its last checkpoint, as it would have gone on",
    )
    train.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="take the settings of a run's config.json, on the same data; flags given override it",
    )
    train.add_argument("--quiet", action="store_true", help="print nothing but errors")

    fetch = verbs.add_parser(
        "fetch",
        help="download a data set, checked",
        description="Download a data set and check it; calling again keeps what is there already.",
    )
    fetch.add_argument("name", metavar="NAME", help="data set: mnist")
    fetch.add_argument(
        "--out", type=Path, metavar="DIR", help="folder to download to (default: the cache)"
    )
    return parser
