"""The error for what the user can mend."""

import difflib
from collections.abc import Iterable

MOST_REASON = 400
"""Characters of another library's message that are passed on."""


class InputError(ValueError):
    """An input that the user can mend.

    Its message is one line that names the file, flag or name at fault, what was found there and
    what was expected. The command line prints it as it is and exits with status 2. What cannot be
    printed in a line (a line end or terminal code in a file's name) is escaped.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def reason(error: object) -> str:
    """Return the message of another library's error, which may quote a hostile file, in short.

    It is one line without codes that a terminal would act on.
    """
    text = printable(" ".join(str(error).split()))
    return text if len(text) <= MOST_REASON else text[:MOST_REASON] + "…"


def printable(text: str) -> str:
    """Return the text with what is no visible character as an escape."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def unknown_name(kind: str, name: str, choices: Iterable[str]) -> InputError:
    """Return the error for a name that is not among `choices`, with the nearest one that is."""
    choices = list(choices)
    nearest = difflib.get_close_matches(name, choices, n=1)
    guess = f" (did you mean {nearest[0]!r}?)" if nearest else ""
    return InputError(f"unknown {kind} {name!r}{guess}, expected {' or '.join(choices)}")
