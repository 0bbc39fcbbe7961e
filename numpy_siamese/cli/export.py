"""The verb `export`: write a run's network as an ONNX file."""

import argparse
import pkgutil
from typing import Any

from numpy_siamese.cli.parser import path
from numpy_siamese.cli.program import Program
from numpy_siamese.cli.run_flags import check_output
from numpy_siamese.runs.signals import Stops
from numpy_siamese.terminal import console


def add(verbs: Any, program: Program) -> None:
    """Give the command line the verb, if the program has it."""
    if program.export is None:
        return
    parser = verbs.add_parser(
        "export",
        help="write a run's network as an ONNX file",
        description="Write the network of a finished run as an ONNX file: inputs left and right, "
        "outputs probability and logit. Its metadata have threshold, preparation and checksums.",
        example="runs/digits digits.onnx",
    )
    parser.add_argument("run_folder", type=path, metavar="RUN", help="folder of a finished run")
    parser.add_argument(
        "file", type=path, metavar="FILE.onnx", help="file to write; one that is there is replaced"
    )
    parser.set_defaults(run=run)


def run(program: Program, arguments: argparse.Namespace, stops: Stops) -> None:
    """Export, and print the file and its size."""
    check_output("FILE.onnx", arguments.file, ".onnx", [])
    export = pkgutil.resolve_name(str(program.export))
    size = export(arguments.run_folder, arguments.file)
    console.say(f"wrote {arguments.file} ({size:,} bytes)")
