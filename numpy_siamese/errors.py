"""The error for what the user can mend."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """An input that the user can mend.

    Its message is one line that names the file, flag or name at fault, what was found there and
    what was expected. The command line prints it as it is and exits with status 2.
    """


def unknown_name(kind: str, name: str, choices: Iterable[str]) -> InputError:
    """Return the error for a name that is not among `choices`, with the nearest one that is."""
    choices = list(choices)
    nearest = difflib.get_close_matches(name, choices, n=1)
    guess = f" (did you mean {nearest[0]!r}?)" if nearest else ""
    return InputError(f"unknown {kind} {name!r}{guess}, expected {' or '.join(choices)}")
