"""The verb `fetch`: download a data set, checked."""

import argparse
from typing import Any

from numpy_siamese.cli.parser import path
from numpy_siamese.cli.program import Program
from numpy_siamese.runs.signals import Stops
from numpy_siamese.terminal import console


def add(verbs: Any, program: Program) -> None:
    """Give the command line the verb and its flags."""
    parser = verbs.add_parser(
        "fetch",
        help="download a data set, checked",
        description="Download a data set and check it; calling again keeps what is there already.",
        example="mnist",
    )
    parser.add_argument("name", metavar="NAME", help="data set: mnist or omniglot")
    parser.add_argument(
        "--out", type=path, metavar="DIR", help="folder to download to (default: the cache)"
    )
    parser.set_defaults(run=run)


def run(program: Program, arguments: argparse.Namespace, stops: Stops) -> None:
    """Fetch a data set and print its folder."""
    from numpy_siamese.data import download

    console.say(f"{arguments.name} is in {download.fetch(arguments.name, arguments.out)}")
