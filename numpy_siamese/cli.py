"""The command line of `numpy-siamese`, and what `torch-siamese` shares with it."""

import argparse
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from numpy_siamese import download, run
from numpy_siamese.config import TrainConfig
from numpy_siamese.data import load
from numpy_siamese.errors import InputError
from numpy_siamese.training import Learner

Array = np.ndarray

MENDABLE, INTERRUPTED = 2, 130
"""Exit statuses: something the user can mend; Ctrl-C (128 + SIGINT)."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `numpy-siamese`; return the exit status."""
    return command_line("numpy-siamese", TrainConfig, Learner, argv)


def command_line(
    program: str,
    config_class: type[TrainConfig],
    make_learner: Callable[[Any, Array], run.Learner],
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
    """
    arguments = _parser(program, config_class).parse_args(argv)
    try:
        if arguments.verb == "fetch":
            print(f"{arguments.name} is in {download.fetch(arguments.name, arguments.out)}")
        else:
            _train(program, config_class.from_flags(arguments), make_learner, arguments)
    except InputError as error:
        print(f"{program}: error: {error}", file=sys.stderr)
        return MENDABLE
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"{program}: error: {place}{error.strerror or error}", file=sys.stderr)
        return MENDABLE
    except MemoryError as error:
        print(
            f"{program}: error: not enough memory, expected smaller sizes ({error})",
            file=sys.stderr,
        )
        return MENDABLE
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def _train(
    program: str,
    config: TrainConfig,
    make_learner: Callable[[Any, Array], run.Learner],
    arguments: argparse.Namespace,
) -> None:
    dataset = load(config.data)
    out = arguments.out or run.default_directory(program)
    learner = make_learner(config, dataset.train.images)
    training = run.Run(config, dataset, learner, out, arguments.quiet)
    with _first_interrupt_calls(training.stop), warnings.catch_warnings():
        # NumPy's, of overflow: a network that diverges is told in one line
        warnings.simplefilter("ignore", RuntimeWarning)
        training.train()


@contextmanager
def _first_interrupt_calls(stop: Callable[[], None]) -> Iterator[None]:
    """Let the first Ctrl-C call `stop`, so that the batch is finished, and the second interrupt."""
    if threading.current_thread() is not threading.main_thread():  # only there are signals handled
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def handle(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, before)
        stop()

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(MENDABLE, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


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
        description="Train on pairs of digits; write weights, metrics and pictures to a folder.",
    )
    config_class.add_flags(train)
    train.add_argument(
        "--out", type=Path, metavar="DIR", help="new folder for the run (default: runs/NAME-TIME)"
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
