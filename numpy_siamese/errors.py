"""The errors of both packages that callers tell apart."""

import difflib
from collections.abc import Iterable

MOST_REASON = 400
"""Characters of another library's message that are passed on."""

MOST_NAMES = 6
"""Names that a message lists."""

MOST_LETTERS = 60
"""Of a name in a list of them."""

NEAR = 0.8
"""The least share of letters that a slip has in common with what was meant (`difflib`'s ratio)."""


class InputError(ValueError):
    """An input that the user can mend.

    Its message is one line that names the file, flag or name at fault, what was found there and
    what was expected. The command line prints it as it is and exits with status 2. What cannot be
    printed in a line (a line end or terminal code in a file's name) is escaped.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class NotFiniteError(ArithmeticError):
    """Probabilities are not finite: the network has diverged."""


def reason(error: object) -> str:
    """Return the message of another library's error, which may quote a hostile file, in short.

    It is one line without codes that a terminal would act on.
    """
    return shortened(printable(" ".join(str(error).split())), MOST_REASON)


def shortened(text: str, most: int) -> str:
    """Return the text, cut off after so many characters."""
    return text if len(text) <= most else text[:most] + "…"


def in_one_line(error: OSError) -> str:
    """Return what the system says, after the file that it says it of."""
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}"


def printable(text: str) -> str:
    """Return the text with what is no visible character as an escape."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def listed(names: Iterable[str], most: int = MOST_NAMES) -> str:
    """Return the first names in their order, and how many more there are."""
    names = [shortened(printable(name), MOST_LETTERS) for name in sorted(names)]
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: no images, 1 image, 2,000 images."""
    return f"1 {noun}" if count == 1 else f"{f'{count:,}' if count else 'no'} {noun}s"


def unknown_name(kind: str, name: str, choices: Iterable[str]) -> InputError:
    """Return the error for a name that is not among `choices`, with the one that was meant."""
    choices = list(choices)
    return InputError(
        f"unknown {kind} {name!r:.400}{did_you_mean(name, choices)}, "
        f"expected {' or '.join(choices)}"
    )


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return " (did you mean …?)" where the name is a slip of one of `choices`, else nothing."""
    meant = nearest(name, choices)
    return f" (did you mean {meant!r}?)" if meant else ""


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """Return which of `choices` a name is a slip of, None where it is of none.

    A slip keeps the first letter, and nearly all others, all but one, or the beginning. So emnist
    and omniglot are no slips of mnist, but names of other things.
    """
    known = {choice.lower(): choice for choice in choices}
    slip, first = name.lower(), name.lower().lstrip("-")[:1]
    near = difflib.get_close_matches(slip, known, cutoff=NEAR)
    near += [choice for choice in known if _differ_in_one_letter(slip, choice)]
    if len(slip.lstrip("-")) > 1:
        near += [choice for choice in known if choice.startswith(slip) or slip.startswith(choice)]
    return next((known[choice] for choice in near if choice.lstrip("-")[:1] == first), None)


def _differ_in_one_letter(a: str, b: str) -> bool:
    return len(a) == len(b) and sum(map(str.__ne__, a, b)) == 1
