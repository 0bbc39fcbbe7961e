"""The flags of verbs that use a trained run, and the run that they ask for."""

import argparse
import pkgutil
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy_siamese.cli.parser import path
from numpy_siamese.cli.program import Program
from numpy_siamese.errors import InputError
from numpy_siamese.terminal.numbers import whole_number

if TYPE_CHECKING:
    from numpy_siamese.runs.trained_run import TrainedRun


def add_run_verb(verbs: Any, program: Program, name: str, **options: Any) -> Any:
    """Return the parser of a new verb that has a run, threads and, with PyTorch, a device."""
    has_device = "device" in _fields(program)
    elsewhere = {} if has_device else {"--device": "torch-siamese"}
    parser = verbs.add_parser(name, elsewhere=elsewhere, **options)
    parser.add_argument("run_folder", type=path, metavar="RUN", help="folder of a finished run")
    parser.add_argument(
        "--threads",
        type=whole_number,
        metavar="N",
        help="threads (default: the cores that this process may use)",
    )
    if has_device:
        parser.add_argument(
            "--device",
            default="auto",
            metavar="{auto,cpu,cuda}",
            help="device; auto is cuda where there is one (default: auto)",
        )
    return parser


def trained_run(program: Program, arguments: argparse.Namespace) -> "TrainedRun":
    """Read the run that the flags of `add_run_verb` ask for.

    Raises
    ------
    InputError
        It cannot be used, or a flag has no such value.
    """
    from numpy_siamese.runs.trained_run import read_trained_run

    config_class, network_class = map(pkgutil.resolve_name, (program.config, program.network))
    of_sitting = {"threads": arguments.threads}
    if "device" in _fields(program):
        of_sitting["device"] = arguments.device
    return read_trained_run(arguments.run_folder, config_class, network_class, **of_sitting)


def check_output(flag: str, out: Path, suffix: str, sources: Iterable[Path]) -> None:
    """Refuse a file to write that is a folder, has another suffix or would replace a source.

    Raises
    ------
    InputError
    """
    if out.suffix.lower() != suffix:
        raise InputError(f"{flag}: found {out}, expected a name that ends in {suffix}")
    if out.is_dir():
        raise InputError(f"{flag}: found the folder {out}, expected a file to write")
    if not out.parent.is_dir():
        raise InputError(f"{flag}: found no folder {out.parent}, expected one to write to")
    for source in sources:
        if source.exists() and out.exists() and source.samefile(out):
            raise InputError(f"{flag}: found {out}, which is read, expected another file")


def _fields(program: Program) -> set[str]:
    return {spec.name for spec in fields(pkgutil.resolve_name(program.config))}
