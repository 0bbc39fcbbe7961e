"""One dataclass that is the flags, the file and the documentation of a run at once."""

import argparse
import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from numpy_siamese.errors import InputError

COUNTLESS = 2**31
"""Counts stay below this."""


def option(default: Any, parse: Any, meaning: str, **limits: Any) -> Any:
    """Declare a field: its default, how its flag is parsed, what it means, its limits.

    The limits are `least` and `below` for numbers, `choices` for names. `automatic` says what the
    default None stands for. A field that is `of_sitting` may change when a run is continued.
    """
    return field(default=default, metadata={"parse": parse, "help": meaning, **limits})


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How to train; the defaults are the reference recipe.

    Raises
    ------
    InputError
        A value below its least, or not finite, or not among the choices; it names the flag.
    """

    data: str = option(
        "mnist-5k",
        str,
        "data set: mnist-5k, mnist, or a folder with CSV or IDX files, plain or gzip",
        of_sitting=True,
    )
    epochs: int = option(5, int, "epochs", least=1, below=COUNTLESS)
    batches: int = option(1000, int, "batches in an epoch", least=1, below=COUNTLESS)
    batch_size: int = option(
        100, int, "pairs in a batch, half different and half same", least=2, below=COUNTLESS
    )
    lr: float = option(0.001, float, "learning rate of SGD", least=0)
    momentum: float = option(0.1, float, "momentum of SGD", least=0)
    seed: int = option(0, int, "seed of weights and pairs", least=0, below=2**64)
    dtype: str = option("float32", str, "precision", choices=("float32", "float64"))
    threads: int | None = option(
        None, int, "threads", least=1, below=COUNTLESS, automatic="all cores", of_sitting=True
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
            if value is None:
                continue
            found = f"{flag(spec.name)}: found {value!r}, expected"
            if "choices" in limits and value not in limits["choices"]:
                raise InputError(f"{found} one of {', '.join(limits['choices'])}")
            if "least" in limits and not value >= limits["least"]:
                raise InputError(f"{found} a number of at least {limits['least']}")
            if "least" in limits and not value < limits.get("below", math.inf):
                raise InputError(f"{found} a number below {limits.get('below', 'infinity')}")

    @classmethod
    def add_flags(cls, parser: argparse.ArgumentParser) -> None:
        """Give the parser one flag for each field; flags not given leave no trace."""
        for spec in fields(cls):
            default = spec.metadata.get("automatic", spec.default)
            parser.add_argument(
                flag(spec.name),
                type=spec.metadata["parse"],
                default=argparse.SUPPRESS,
                choices=spec.metadata.get("choices"),
                help=f"{spec.metadata['help']} (default: {default})".replace("%", "%%"),
            )

    @classmethod
    def given_flags(cls, arguments: argparse.Namespace) -> dict[str, Any]:
        """Return the fields that parsed flags set."""
        names = {spec.name for spec in fields(cls)}
        return {name: value for name, value in vars(arguments).items() if name in names}

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, as they stand in `config.json`."""
        return asdict(self)


def flag(name: str) -> str:
    """Return the command-line flag of a field."""
    return "--" + name.replace("_", "-")
