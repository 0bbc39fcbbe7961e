"""The grammar of the command line: flags in full, errors in one line."""

import argparse
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from numpy_siamese.errors import InputError, did_you_mean, nearest
from numpy_siamese.files.paths import expanded
from numpy_siamese.runs.versions import version
from numpy_siamese.terminal import console

MENDABLE = 2
"""The exit status of what the user can mend."""

NEGATIVE = re.compile(r"-([0-9.]|inf|nan)", re.IGNORECASE)
"""The beginning of values that argparse may take for flags. No flag begins so."""


def path(text: str) -> Path:
    """Parse the path of a file or folder; see `paths.expanded`.

    Raises
    ------
    argparse.ArgumentTypeError
    """
    try:
        return Path(expanded(text))
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


class Parser(argparse.ArgumentParser):
    """A parser that accepts no shortened flags, and whose errors are one line.

    Parameters
    ----------
    elsewhere : mapping, optional
        Flags and verbs that only another program has, each with that program's name.
    example : str, optional
        Arguments of a command that works, which the help ends with.
    options
        Those of `argparse.ArgumentParser`.
    """

    def __init__(
        self,
        elsewhere: Mapping[str, str] | None = None,
        example: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(allow_abbrev=False, **options)
        self.elsewhere, self.example = elsewhere or {}, example

    def format_help(self) -> str:
        """Return the help, with the example at its end."""
        text = super().format_help()
        return f"{text}\nexample:\n  {self.prog} {self.example}\n" if self.example else text

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse arguments, by default those of the process, and refuse unknown ones."""
        given = _joined(sys.argv[1:] if args is None else args)
        self._refuse_flags(given)
        found, unknown = super().parse_known_args(given, namespace)
        if unknown:
            self._refuse(unknown[0])
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """Print one line and exit."""
        line = message.removeprefix("argument ")
        console.complain(f"{self.prog}: error: {line} (see {self.prog} --help)")
        self.exit(MENDABLE)

    def verbs(self) -> Mapping[str, "Parser"]:
        """Return the parsers of verbs by name."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                return action.choices
        return {}

    def _print_message(self, message: str, file: Any = None) -> None:
        try:
            console.write(file or sys.stderr, message)
        except BrokenPipeError:  # whoever reads the help has seen enough
            pass
        except OSError as error:
            console.complain(f"{self.prog}: error: standard output: {error.strerror}")
            self.exit(MENDABLE)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            if value in self.elsewhere:
                raise argparse.ArgumentError(
                    action, f"found {value}, which is a verb of {self.elsewhere[value]}"
                )
            choices = [str(choice) for choice in action.choices]
            raise argparse.ArgumentError(
                action,
                f"found {value!r:.80}{did_you_mean(str(value), choices)}, "
                f"expected {' or '.join(choices)}",
            )

    def _refuse_flags(self, given: Sequence[str]) -> None:
        """Refuse unknown flags before all else. Flags after a verb are the verb's."""
        for text in given:
            if text == "--" or (self.verbs() and not text.startswith("-")):
                return
            if text.startswith("--") and text.partition("=")[0] not in self._option_string_actions:
                self._refuse(text)

    def _refuse(self, text: str) -> NoReturn:
        """Refuse an unknown argument, and suggest what may have been meant."""
        name = text.partition("=")[0]
        if not name.startswith(("-", "–", "—")):  # a dash that a word processor has made longer
            self.error(f"found {text!r:.80}, expected nothing more than flags")
        if name in self.elsewhere:
            self.error(f"found {name}, which is a flag of {self.elsewhere[name]}")
        for verb, parser in self.verbs().items():
            if name in parser._option_string_actions:
                self.error(f"found {name} before the verb, expected {self.prog} {verb} {name} …")
        flags = [flag for flag in self._option_string_actions if flag.startswith("--")]
        meant = nearest(f"--{name.lstrip('-–—')}", flags)
        self.error(f"unknown flag {name:.80}" + (f", did you mean {meant}?" if meant else ""))


class Version(argparse.Action):
    """Print the versions of the program and of what its results depend on."""

    def __init__(self, packages: Mapping[str, str], **options: Any) -> None:
        super().__init__(nargs=0, help="show the versions and exit", **options)
        self.packages = packages

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        """Print them and exit."""
        found = [f"{name} {version(package)}" for package, name in self.packages.items()]
        of_python = f"Python {platform.python_version()}"
        own = f"{parser.prog} {version('numpy-siamese')}"
        parser._print_message(f"{own} ({', '.join([*found, of_python])})\n", sys.stdout)
        parser.exit()


def _joined(given: Sequence[str]) -> list[str]:
    """Return arguments with negative numbers joined to their flags: argparse misreads −1e−3."""
    found: list[str] = []
    for text in given:
        before = found[-1] if found else ""
        if NEGATIVE.match(text) and before.startswith("--") and "=" not in before[:-1]:
            found[-1] = f"{before}={text}"
        else:
            found.append(text)
    return found
