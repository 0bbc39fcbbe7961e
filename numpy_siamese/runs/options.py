"""Options: a dataclass whose fields are flags of the command line, with kinds and limits."""

import argparse
import math
import operator
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from numpy_siamese.errors import InputError, did_you_mean
from numpy_siamese.terminal.numbers import real_number, whole_number

COUNTLESS = 2**31
"""Counts stay below this."""

PARSE: dict[type, Callable[[str], Any]] = {int: whole_number, float: real_number, str: str}
"""How a flag's text becomes a value of a kind."""

KINDS = {int: "a whole number", float: "a number", str: "a name", bool: "true or false"}
"""What a kind of value is called."""


def option(default: Any, kind: type, meaning: str, **limits: Any) -> Any:
    """Declare a field: its default, its kind, what it means, its limits.

    The kind is one of `KINDS`. A bool is a flag without a value, `--no-…` its opposite.

    The limits are `least`, and `most` or `below`, of numbers, `choices` of names. `parse` brings a
    name into its usual form. `automatic` says what the default None or False stands for. A field
    that is `of_sitting` may change when a run goes on.
    """
    return field(default=default, metadata={"kind": kind, "help": meaning, **limits})


@dataclass(frozen=True, kw_only=True)
class Options:
    """Fields that `option` declares, checked.

    Raises
    ------
    InputError
        A value is of another kind, outside its limits, not finite, or not among the choices. The
        message names the flag.
    """

    def __post_init__(self) -> None:
        for spec in fields(self):
            value, limits = getattr(self, spec.name), spec.metadata
            found = f"{flag(spec.name)}: found {value!r:.400}"
            if value is None and spec.default is None:
                continue
            try:
                value = limits.get("parse", _unchanged)(converted(value, limits["kind"]))
            except (TypeError, argparse.ArgumentTypeError) as error:
                raise InputError(f"{found}, expected {KINDS[limits['kind']]}") from error
            object.__setattr__(self, spec.name, value)
            choices = limits.get("choices", (value,))
            if value not in choices:
                meant = did_you_mean(value, choices)
                raise InputError(f"{found}{meant}, expected one of {', '.join(choices)}")
            if "least" in limits and not value >= limits["least"]:
                raise InputError(f"{found}, expected a number of at least {limits['least']}")
            if "most" in limits and not value <= limits["most"]:
                raise InputError(f"{found}, expected a number of at most {limits['most']}")
            if "least" in limits and not value < limits.get("below", math.inf):
                below = limits.get("below", "infinity")
                raise InputError(f"{found}, expected a number below {below}")

    @classmethod
    def add_flags(
        cls, parser: argparse.ArgumentParser, names: Collection[str] | None = None
    ) -> None:
        """Give the parser one flag for each field. A flag that is not given leaves no trace.

        With `names` it gives those of these fields alone.
        """
        for spec in fields(cls):
            if names is not None and spec.name not in names:
                continue
            default = spec.metadata.get("automatic", spec.default)
            choices = spec.metadata.get("choices")
            kind = spec.metadata["kind"]
            of_kind: dict[str, Any] = {"action": argparse.BooleanOptionalAction}
            if kind is not bool:
                of_kind = {
                    "type": spec.metadata.get("parse", PARSE[kind]),
                    "metavar": f"{{{','.join(choices)}}}" if choices else None,
                }
            parser.add_argument(
                flag(spec.name),
                default=argparse.SUPPRESS,
                help=f"{spec.metadata['help']} (default: {default})".replace("%", "%%"),
                **of_kind,
            )

    @classmethod
    def given_flags(cls, arguments: argparse.Namespace) -> dict[str, Any]:
        """Return the fields that parsed flags set."""
        names = {spec.name for spec in fields(cls)}
        return {name: value for name, value in vars(arguments).items() if name in names}

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, as a JSON file has them."""
        return asdict(self)


def _unchanged(value: Any) -> Any:
    return value


def flag(name: str) -> str:
    """Return the command-line flag of a field."""
    return "--" + name.replace("_", "-")


def converted(value: Any, kind: type) -> Any:
    """Return a value as one of this kind, if that loses nothing. NumPy's numbers count as numbers.

    Raises
    ------
    TypeError
        It is of another kind.
    """
    if kind is str:
        if not isinstance(value, str):
            raise TypeError(f"found a {type(value).__name__}")
        return str(value)
    if kind is bool:
        if type(value).__name__ != "bool":  # NumPy's is called so too
            raise TypeError(f"found a {type(value).__name__}")
        return bool(value)
    if isinstance(value, bool):
        raise TypeError("found a truth value")
    if kind is int:
        return operator.index(value)
    if isinstance(value, str) or not hasattr(value, "__float__"):
        raise TypeError(f"found a {type(value).__name__}")
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
