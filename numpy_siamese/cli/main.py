"""The command line that `numpy-siamese` and `torch-siamese` share.

A verb has its flags in `_parser`, its call in `_run` and its work in `verbs`.
"""

import pkgutil
from collections.abc import Sequence
from typing import NamedTuple

from numpy_siamese.cli.parser import MENDABLE, Parser, Version, path
from numpy_siamese.errors import InputError, in_one_line
from numpy_siamese.runs.config import ONLY_TORCH, TrainConfig, flag
from numpy_siamese.runs.signals import Stopped, Stops, handled
from numpy_siamese.terminal import console


class Program(NamedTuple):
    """A command: its name, and the places of what is its own, imported when needed.

    Attributes
    ----------
    name : str
    config : str
        The `TrainConfig` whose fields are the flags of `train`, as ``module:class``.
    learner : str
        The class of learners that `train` trains, as ``module:class``.
    """

    name: str
    config: str
    learner: str


NUMPY_SIAMESE = Program(
    "numpy-siamese", "numpy_siamese.runs.config:TrainConfig", "numpy_siamese.training:NumpyLearner"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `numpy-siamese`; return the exit status."""
    return command_line(NUMPY_SIAMESE, argv)


def command_line(program: Program, argv: Sequence[str] | None = None) -> int:
    """Parse flags, run the verb, and turn a failure into one line and an exit status.

    Parameters
    ----------
    program : Program
    argv : sequence of str, optional
        Default: the process's own.

    Returns
    -------
    int
        0 for success, 2 for what the user can mend, 128 plus its number after a signal.
    """
    try:
        with handled() as stops:
            return _told(program, argv, stops)
    except KeyboardInterrupt as error:  # one more, while the line about the first was written
        return _stopped(error).status


def _told(program: Program, argv: Sequence[str] | None, stops: Stops) -> int:
    """Run the command. If something ends it early, print one line about that."""
    try:
        _run(program, argv, stops)
    except InputError as error:
        return _fail(program.name, str(error))
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        return _fail(program.name, "found no PyTorch, expected it from: pip install '.[torch]'")
    except OSError as error:
        return _fail(program.name, in_one_line(error))
    except MemoryError as error:
        reason = f" ({error})" if str(error) else ""
        return _fail(program.name, f"not enough memory, expected smaller sizes{reason}")
    except KeyboardInterrupt as error:
        stopped = _stopped(error)
        console.complain(f"{program.name}: {stopped}")
        return stopped.status
    return 0


def _run(program: Program, argv: Sequence[str] | None, stops: Stops) -> None:
    config_class = pkgutil.resolve_name(program.config)
    parser = _parser(program.name, config_class)
    arguments = parser.parse_args(argv)
    if arguments.verb is None:
        parser.error("found no verb, expected train or fetch")
    from numpy_siamese.cli import (
        verbs,  # NumPy and all that takes time, now that signals are handled
    )

    if arguments.verb == "fetch":
        verbs.fetch(arguments.name, arguments.out)
        return
    plan = verbs.plan(program.name, config_class, arguments)
    verbs.train(plan, pkgutil.resolve_name(program.learner), stops)


def _fail(program: str, message: str) -> int:
    console.complain(f"{program}: error: {message}")
    return MENDABLE


def _stopped(error: KeyboardInterrupt) -> Stopped:
    """Return the `Stopped` of the command. Without our handlers it was Ctrl-C."""
    return error if isinstance(error, Stopped) else Stopped(at_once=True)


def _parser(program: str, config_class: type[TrainConfig]) -> Parser:
    parser = Parser(
        prog=program,
        description="A Siamese network that learns to tell whether two handwritten digits are "
        "the same.",
    )
    with_torch = program == "torch-siamese"
    packages = {"numpy": "NumPy", "torch": "PyTorch"} if with_torch else {"numpy": "NumPy"}
    elsewhere = {} if with_torch else {flag(name): "torch-siamese" for name in ONLY_TORCH}
    parser.add_argument("--version", action=Version, packages=packages)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")

    train = verbs.add_parser(
        "train",
        help="train a network and keep the run in a folder",
        description="Train on pairs of images; write weights, metrics and pictures to a folder.",
        elsewhere=elsewhere,
    )
    config_class.add_flags(train)
    train.add_argument(
        "--out", type=path, metavar="DIR", help="new folder for the run (default: runs/NAME-TIME)"
    )
    train.add_argument(
        "--resume",
        type=path,
        metavar="DIR",
        help="go on with the run in DIR from its last checkpoint, as it would have gone on; with "
        "--epochs to another end",
    )
    train.add_argument(
        "--config",
        type=path,
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
        "--out", type=path, metavar="DIR", help="folder to download to (default: the cache)"
    )
    return parser
