"""The verb `predict`: whether two images are of one class, or which references are likest."""

import argparse
import json
from typing import Any

from numpy_siamese.cli.parser import path
from numpy_siamese.cli.program import Program
from numpy_siamese.cli.run_flags import add_run_verb, check_output, trained_run
from numpy_siamese.errors import InputError, counted
from numpy_siamese.runs.signals import Stops
from numpy_siamese.terminal import console
from numpy_siamese.terminal.numbers import whole_number

TOP = 5
"""References that are shown, unless another number is asked for."""


def add(verbs: Any, program: Program) -> None:
    """Give the command line the verb and its flags."""
    parser = add_run_verb(
        verbs,
        program,
        "predict",
        help="judge two images, or rank a folder of references",
        description="Tell whether two images are of one class: the probability, and the verdict "
        "at 0.5 and at the threshold that evaluate has chosen. Or rank the images of a folder by "
        "how likely they are of the class of one. Images of any size and mode are prepared as "
        "those were that the network was trained on.",
        example="runs/digits left.png right.png --save seen.png",
    )
    parser.add_argument(
        "images", nargs="+", type=path, metavar="IMAGE", help="two images, or one with --references"
    )
    parser.add_argument(
        "--references",
        type=path,
        metavar="DIR",
        help="folder of images, with or without a sub-folder for each class; of one with train "
        "and test, those to train count",
    )
    parser.add_argument(
        "--top", type=whole_number, metavar="K", help=f"references to show (default: {TOP})"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--save", type=path, metavar="FILE.png", help="file for a picture of what the network saw"
    )
    parser.set_defaults(run=run)


def run(program: Program, arguments: argparse.Namespace, stops: Stops) -> None:
    """Judge two images, or rank references.

    Raises
    ------
    InputError
        Flags that do not belong together. A run, an image, a folder or a place to write cannot be
        used.
    OSError
        Standard output or the picture cannot be written.
    """
    images, references = arguments.images, arguments.references
    given = counted(len(images), "image")
    if references is None and len(images) != 2:
        raise InputError(f"found {given}, expected two, or one with --references DIR")
    if references is not None and len(images) != 1:
        raise InputError(f"found {given} with --references, expected one")
    if arguments.top is not None and (references is None or arguments.top < 1):
        raise InputError(f"--top: found {arguments.top}, expected 1 or more, with --references DIR")
    if arguments.save is not None:
        check_output("--save", arguments.save, ".png", images)
    from numpy_siamese.cli import predictions  # NumPy, now that signals are handled
    from numpy_siamese.files.atomic_write import write_atomically

    used = trained_run(program, arguments)
    if references is None:
        left, right = images
        found = predictions.of_pair(used, left, right, f"{program.name} evaluate")
    else:
        found = predictions.of_references(used, images[0], references, arguments.top or TOP)
    if arguments.save is not None:
        write_atomically(arguments.save, found.picture())
    told = json.dumps(found.record, indent=2, allow_nan=False) if arguments.json else found.text
    console.show(told)
