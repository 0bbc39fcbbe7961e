"""The script with which a shell completes verbs, flags and paths."""

import argparse
import sys
from typing import Any, NoReturn

from numpy_siamese.cli.parser import Parser, path

SHELLS = ("bash", "zsh", "fish")

FOLDERS = frozenset({"DIR", "RUN"})
"""What arguments are called that are paths of folders."""


class PrintCompletion(argparse.Action):
    """Print the script for a shell and exit."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            choices=SHELLS,
            metavar="SHELL",
            help="print a script that completes this program in bash, zsh or fish, and exit",
            **options,
        )

    def __call__(self, parser: argparse.ArgumentParser, _: Any, shell: Any, *__: Any) -> NoReturn:
        """Print it."""
        assert isinstance(parser, Parser)
        parser._print_message(script(parser, shell), sys.stdout)
        parser.exit()


def script(parser: Parser, shell: str) -> str:
    """Return a script that completes the verbs, flags, choices and paths of a command.

    An argument of type `path` is completed with files, or with folders if it is called DIR or RUN.
    So is ``--data``. One that is called ``{a,b}`` is completed with ``a`` and ``b``.

    Parameters
    ----------
    parser : Parser
        Of the command, with its verbs.
    shell : 'bash', 'zsh' or 'fish'
    """
    import shtab

    from numpy_siamese.gradients.cases import operations

    for of in (parser, *parser.verbs().values()):
        for action in of._actions:
            if action.dest == "data" or action.metavar in FOLDERS:
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
            elif action.type is path:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
            elif action.metavar == "OPERATION":
                action.choices = operations()
            elif isinstance(action.metavar, str) and action.metavar.startswith("{"):
                action.choices = action.metavar.strip("{}").split(",")
    return shtab.complete(parser, shell) + "\n"
