"""The configuration of a run: one dataclass is its flags, its file and its documentation."""

import argparse
import math
import operator
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from numpy_siamese.errors import InputError, did_you_mean
from numpy_siamese.terminal.names import names_in_one
from numpy_siamese.terminal.numbers import real_number, whole_number

COUNTLESS = 2**31
"""Counts stay below this."""


ONLY_TORCH = frozenset({"device", "algorithms"})
"""Fields that `torch_siamese.config.TrainConfig` adds. A run goes on in NumPy without them."""

PARSE: dict[type, Callable[[str], Any]] = {int: whole_number, float: real_number, str: str}
"""How a flag's text becomes a value of a kind."""

KINDS = {int: "a whole number", float: "a number", str: "a name"}
"""What a kind of value is called."""


def option(default: Any, kind: type, meaning: str, **limits: Any) -> Any:
    """Declare a field: its default, its kind (int, float or str), what it means, its limits.

    The limits are `least` and `below` for numbers, `choices` for names. `parse` brings a name into
    its usual form. `automatic` says what the default None stands for. A field that is `of_sitting`
    may change when a run goes on.
    """
    return field(default=default, metadata={"kind": kind, "help": meaning, **limits})


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How to train; the defaults are the reference recipe.

    Raises
    ------
    InputError
        A value is of another kind, outside its limits, not finite, or not among the choices. The
        message names the flag.
    """

    data: str = option(
        "mnist-5k",
        str,
        "data set: mnist-5k, mnist, a folder with CSV or IDX files, plain or gzip, or one with a "
        "sub-folder of images for each class",
        of_sitting=True,
    )
    test_share: float | None = option(
        None,
        float,
        "share of each class to test, for a folder of images without a test set",
        least=0.01,
        below=1,
        automatic="0.2",
    )
    holdout_classes: str | None = option(
        None,
        str,
        "classes that training never sees, such as 7,8,9",
        parse=names_in_one,
        automatic="none",
    )
    epochs: int = option(5, int, "epochs", least=1, below=COUNTLESS, of_sitting=True)
    batches: int = option(1000, int, "batches in an epoch", least=1, below=COUNTLESS)
    batch_size: int = option(
        100, int, "pairs in a batch, half different and half same", least=2, below=COUNTLESS
    )
    lr: float = option(0.001, float, "learning rate of SGD", least=0)
    momentum: float = option(0.1, float, "momentum of SGD", least=0)
    seed: int = option(0, int, "seed of weights, pairs and test images", least=0, below=2**64)
    dtype: str = option("float32", str, "precision", choices=("float32", "float64"))
    threads: int | None = option(
        None,
        int,
        "threads",
        least=1,
        below=COUNTLESS,
        automatic="the cores that this process may use",
        of_sitting=True,
    )
    window: int = option(
        100, int, "batches averaged in one line of the log", least=1, below=COUNTLESS
    )
    test_pairs: int = option(
        20_000, int, "pairs judged after every epoch", least=2, below=COUNTLESS
    )
    checkpoint_every: int | None = option(
        None,
        int,
        "batches from one checkpoint to the next; an epoch ends with one too",
        least=1,
        below=COUNTLESS,
        automatic="100, or as many as keep the cost below 1 % of the time",
        of_sitting=True,
    )
    on_nan: str = option(
        "stop",
        str,
        "what to do with a batch whose loss is not a finite number: stop, or leave it out and "
        "continue",
        choices=("stop", "continue"),
        of_sitting=True,
    )

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
            if "least" in limits and not value < limits.get("below", math.inf):
                below = limits.get("below", "infinity")
                raise InputError(f"{found}, expected a number below {below}")

    @classmethod
    def add_flags(cls, parser: argparse.ArgumentParser) -> None:
        """Give the parser one flag for each field. A flag that is not given leaves no trace."""
        for spec in fields(cls):
            default = spec.metadata.get("automatic", spec.default)
            choices = spec.metadata.get("choices")
            parser.add_argument(
                flag(spec.name),
                type=spec.metadata.get("parse", PARSE[spec.metadata["kind"]]),
                default=argparse.SUPPRESS,
                metavar=f"{{{','.join(choices)}}}" if choices else None,
                help=f"{spec.metadata['help']} (default: {default})".replace("%", "%%"),
            )

    @classmethod
    def given_flags(cls, arguments: argparse.Namespace) -> dict[str, Any]:
        """Return the fields that parsed flags set."""
        names = {spec.name for spec in fields(cls)}
        return {name: value for name, value in vars(arguments).items() if name in names}

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, as `config.json` has them."""
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
