"""Flags that several verbs have, and the trained run that they ask for."""

import argparse
import pkgutil
from collections.abc import Collection, Iterable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy_siamese.cli.parser import path
from numpy_siamese.cli.program import Program
from numpy_siamese.errors import InputError
from numpy_siamese.runs.config import OF_USE, ONLY_TORCH
from numpy_siamese.runs.options import flag

if TYPE_CHECKING:
    from numpy_siamese.runs.trained_run import TrainedRun


def add_run_verb(verbs: Any, program: Program, name: str, **options: Any) -> Any:
    """Return the parser of a new verb that has a run, threads and, with PyTorch, a device."""
    parser = verbs.add_parser(name, elsewhere=flags_elsewhere(program, OF_USE), **options)
    parser.add_argument("run_folder", type=path, metavar="RUN", help="folder of a finished run")
    pkgutil.resolve_name(program.config).add_flags(parser, OF_USE)
    return parser


def flags_elsewhere(program: Program, names: Collection[str]) -> dict[str, str]:
    """Return which flags of these fields only `torch-siamese` has, if the program is another."""
    own = {spec.name for spec in fields(pkgutil.resolve_name(program.config))}
    return {flag(name): "torch-siamese" for name in ONLY_TORCH.intersection(names) - own}


def trained_run(program: Program, arguments: argparse.Namespace) -> "TrainedRun":
    """Read the run that the flags of `add_run_verb` ask for.

    Raises
    ------
    InputError
        It cannot be used, or a flag has no such value.
    """
    from numpy_siamese.runs.trained_run import read_trained_run

    config_class, network_class = map(pkgutil.resolve_name, (program.config, program.network))
    of_use = given_of_use(arguments)
    return read_trained_run(arguments.run_folder, config_class, network_class, **of_use)


def given_of_use(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of `OF_USE` that flags set."""
    return {name: value for name, value in vars(arguments).items() if name in OF_USE}


def check_output(name: str, out: Path, suffix: str, sources: Iterable[Path]) -> None:
    """Refuse a file to write that is a folder, has another suffix or would replace a source.

    Raises
    ------
    InputError
    """
    if out.suffix.lower() != suffix:
        raise InputError(f"{name}: found {out}, expected a name that ends in {suffix}")
    if out.is_dir():
        raise InputError(f"{name}: found the folder {out}, expected a file to write")
    if not out.parent.is_dir():
        raise InputError(f"{name}: found no folder {out.parent}, expected one to write to")
    for source in sources:
        if source.exists() and out.exists() and source.samefile(out):
            raise InputError(f"{name}: found {out}, which is read, expected another file")
