"""The verb `trace`: every number of one pair's way through the network and back, as a page."""

import argparse
import pkgutil
from typing import TYPE_CHECKING, Any

from numpy_siamese.architectures import ARCHITECTURES
from numpy_siamese.cli.parser import path
from numpy_siamese.cli.program import Program
from numpy_siamese.cli.run_flags import add_run_verb, check_output, trained_run
from numpy_siamese.errors import InputError
from numpy_siamese.files.paths import expanded
from numpy_siamese.runs.signals import Stops
from numpy_siamese.terminal import console

if TYPE_CHECKING:
    from numpy_siamese.runs.trained_run import TrainedRun

OUT = "trace.html"

TARGETS = {"different": 0, "same": 1}


def add(verbs: Any, program: Program) -> None:
    """Give the command line the verb and its flags."""
    parser = add_run_verb(
        verbs,
        program,
        "trace",
        help="show every number of one pair, as a page",
        description="Write a page that walks a pair of images through the network and back: every "
        "number, and how it came about. Any browser opens it from disk. An image is the number of "
        "a test image, counted from 0, or a picture of any size and mode.",
        example="runs/digits --left 0 --right 100",
    )
    for side in ("left", "right"):
        parser.add_argument(
            f"--{side}",
            required=True,
            metavar="IMAGE",
            help=f"the {side} image: a number or a file",
        )
    parser.add_argument(
        "--data",
        metavar="NAME_OR_PATH",
        help="data set whose test images are numbered (default: the run's own)",
    )
    parser.add_argument(
        "--target",
        choices=TARGETS,
        help="the answer that the loss takes for the right one (default: what the classes of the "
        "images say; same, if they say nothing)",
    )
    parser.add_argument(
        "--out", type=path, default=OUT, metavar="FILE.html", help=f"file to write (default: {OUT})"
    )
    parser.set_defaults(run=run)


def run(program: Program, arguments: argparse.Namespace, stops: Stops) -> None:
    """Trace a pair, and write the page.

    Raises
    ------
    InputError
        A run, an image, a data set or a place to write cannot be used.
    OSError
        The page cannot be written.
    """
    sides = {side: getattr(arguments, side) for side in ("left", "right")}
    files = {side: expanded(value) for side, value in sides.items() if not value.isdecimal()}
    if arguments.data is not None and len(files) == len(sides):
        raise InputError("--data: found two image files, expected the number of a test image")
    check_output("--out", arguments.out, ".html", map(path, files.values()))
    # NumPy and all that takes time, now that signals are handled
    from numpy_siamese.files.atomic_write import write_atomically
    from numpy_siamese.pages.trace_page import trace_page
    from numpy_siamese.runs.traced_pair import traced_pair

    used = trained_run(program, arguments)
    found = traced_pair(
        used.run,
        _images(used, sides, files, arguments.data),
        None if arguments.target is None else TARGETS[arguments.target],
        program.name,
        pkgutil.resolve_name("numpy_siamese.tracing:trace"),
        _start(used.run.config),
        pkgutil.resolve_name(program.torch_numbers) if program.torch_numbers else None,
    )
    content = trace_page(found.about, found.tensors).encode()
    write_atomically(arguments.out, content)
    last = found.about["states"][-1]
    console.say(
        f"probability of the same class {last['probability']:.3g}, logit {last['logit']:.3g}, "
        f"loss {last['loss']:.3g}",
        f"page of {len(content) / 1e6:.1f} MB in {arguments.out}",
    )


def _start(config: Any) -> dict[str, Any]:
    """Return the weights that a run begins with. Float64 draws others than float32."""
    import numpy as np

    network = pkgutil.resolve_name("numpy_siamese.model:SiameseNet")
    architecture = ARCHITECTURES[config.model]
    net = network(config.seed, np.dtype(config.dtype).type, architecture=architecture)
    return dict(net.state_dict())


def _images(
    used: "TrainedRun", sides: dict[str, str], files: dict[str, str], data: str | None
) -> Any:
    """Return the two images: of files, and of the test images of one data set."""
    from numpy_siamese.runs.evaluation.subject import data_of
    from numpy_siamese.runs.traced_pair import TracedImage

    dataset = None if len(files) == len(sides) else data_of(used.run, data)[0]
    found = []
    for side, value in sides.items():
        if side in files:
            found.append(TracedImage(value, None, used.images(files[side])[0]))
            continue
        assert dataset is not None
        images, labels = dataset.test
        number = int(value)
        if number >= len(images):
            raise InputError(
                f"--{side}: found {value}, expected a test image of {dataset.name}: "
                f"0 to {len(images) - 1}"
            )
        label = dataset.class_names[int(labels[number])]
        title = f"{dataset.name} test {number}, class {label}"
        found.append(TracedImage(title, label, images[number]))
    left, right = found
    return left, right
