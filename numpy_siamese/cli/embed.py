"""The verb `embed`: the embeddings of images, and a map of them."""

import argparse
import io
from pathlib import Path
from typing import Any

from numpy_siamese.cli.parser import path
from numpy_siamese.cli.program import Program
from numpy_siamese.cli.run_flags import add_run_verb, check_output, trained_run
from numpy_siamese.errors import counted
from numpy_siamese.files.paths import expanded
from numpy_siamese.runs.signals import Stops
from numpy_siamese.terminal import console

MAP = "map.png"

UNKNOWN = "no class"
"""What the map calls images of no class."""


def add(verbs: Any, program: Program) -> None:
    """Give the command line the verb and its flags."""
    parser = add_run_verb(
        verbs,
        program,
        "embed",
        help="embed images, and draw a map of them",
        description="Embed images with a trained network. The file has the arrays embeddings "
        "(n, 84), names and labels, which are the names of classes. The map lies beside it as "
        f"{MAP}.",
        example="runs/digits drawings --out embeddings.npz",
    )
    parser.add_argument(
        "sources",
        nargs="*",
        metavar="PATH",
        help="image, folder of images, with or without a sub-folder for each class, or data set, "
        "of which the test images count (default: the test images of the run's own data)",
    )
    parser.add_argument(
        "--out", type=path, required=True, metavar="FILE.npz", help="file for the embeddings"
    )
    parser.add_argument(
        "--tsne",
        action="store_true",
        help="map by t-SNE instead of PCA: seconds for 1,000 images, minutes for 10,000",
    )
    parser.set_defaults(run=run)


def run(program: Program, arguments: argparse.Namespace, stops: Stops) -> None:
    """Embed images, and write embeddings and map, both or neither.

    Raises
    ------
    InputError
        A run, an image, a folder or a place to write cannot be used.
    """
    out, sources = arguments.out, [expanded(source) for source in arguments.sources]
    beside = out.with_name(MAP)
    check_output("--out", out, ".npz", map(Path, sources))
    check_output("--out", beside, ".png", map(Path, sources))
    # NumPy and all that takes time, now that signals are handled
    import numpy as np

    from numpy_siamese.data.gallery import NO_CLASS, of_test_images, read_gallery
    from numpy_siamese.evaluation.projection import project
    from numpy_siamese.files.atomic_write import write_together
    from numpy_siamese.pictures.embedding_map import map_picture

    used = trained_run(program, arguments)
    if sources:
        gallery = read_gallery(sources, used.preparation)
    else:
        gallery = of_test_images(used.run.own_data("a PATH"))
    embeddings = used.embedded(gallery.images)
    names, labels = np.unique(gallery.classes, return_inverse=True)
    method = "t-SNE" if arguments.tsne else "PCA"
    points = project(embeddings, method, used.run.config.seed % 2**32)
    mixed = np.random.default_rng(0).permutation(len(points))  # so that each class has its images
    picture = map_picture(
        points[mixed],
        gallery.images[mixed],
        labels[mixed],
        {i: UNKNOWN if name == NO_CLASS else name for i, name in enumerate(names.tolist())},
        method,
    )
    content = io.BytesIO()
    np.savez(
        content,
        embeddings=embeddings,
        names=np.array(gallery.names),
        labels=np.array(gallery.classes),
    )
    write_together({out: content.getvalue(), beside: picture})
    console.say(f"{counted(len(gallery.names), 'image')} embedded in {out}", f"map in {beside}")
