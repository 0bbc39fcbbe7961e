"""The command line that `numpy-siamese` and `torch-siamese` share.

A verb is a module beside this one: `add` gives it its flags and an example, `run` does its work.
"""

from collections.abc import Sequence

from numpy_siamese.cli import embed, evaluate, export, fetch, gradcheck, predict, train
from numpy_siamese.cli.completion import PrintCompletion
from numpy_siamese.cli.parser import MENDABLE, Parser, Version
from numpy_siamese.cli.program import Program
from numpy_siamese.errors import InputError, in_one_line
from numpy_siamese.runs.signals import Stopped, Stops, handled
from numpy_siamese.terminal import console

NUMPY_SIAMESE = Program(
    "numpy-siamese",
    {"numpy": "NumPy"},
    "numpy_siamese.runs.config:TrainConfig",
    "numpy_siamese.training:NumpyLearner",
    "numpy_siamese.inference:NumpyNetwork",
)
VERBS = (train, evaluate, predict, embed, export, gradcheck, fetch)


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

    Raises
    ------
    SystemExit
        The help was asked for. A flag cannot be (status 2). A gradient is wrong (status 1).
    """
    try:
        with handled() as stops:
            return _told(program, argv, stops)
    except KeyboardInterrupt as error:  # one more, while the line about the first was written
        return _stopped(error).status


def command_parser(program: Program) -> Parser:
    """Return the parser of a program's command line, with all verbs."""
    parser = Parser(
        prog=program.name,
        description="A Siamese network that learns to tell whether two handwritten digits are "
        "the same.",
        example="train --help",
        elsewhere={} if program.export else {"export": "torch-siamese"},
    )
    parser.add_argument("--version", action=Version, packages=program.packages)
    parser.add_argument("--print-completion", action=PrintCompletion)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    for verb in VERBS:
        verb.add(verbs, program)
    return parser


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
    parser = command_parser(program)
    arguments = parser.parse_args(argv)
    if arguments.verb is None:
        parser.error(f"found no verb, expected {' or '.join(parser.verbs())}")
    arguments.run(program, arguments, stops)


def _fail(program: str, message: str) -> int:
    console.complain(f"{program}: error: {message}")
    return MENDABLE


def _stopped(error: KeyboardInterrupt) -> Stopped:
    """Return the `Stopped` of the command. Without our handlers it was Ctrl-C."""
    return error if isinstance(error, Stopped) else Stopped(at_once=True)
