"""What draws, distorts and learns batches of all pairs, with arguments that it takes."""

from collections.abc import Iterator

import numpy as np

from numpy_siamese import all_pairs
from numpy_siamese.data import classes, dataset, distortions
from numpy_siamese.tests.contracts.arguments import DIGITS, IMAGES, NET, Arguments, Call, a


def of_batches() -> Iterator[tuple[str, Call]]:
    """Yield them."""
    arguments: Arguments = {"labels": DIGITS.labels, "batch_size": 2, "seed": 0}
    of_alphabets = {"alphabets": np.array([0, 1]), "alphabet_share": 0.5}
    yield "classes.ClassSampler", (classes.ClassSampler, arguments | of_alphabets)
    place: Arguments = {"epoch": 0, "k": 0, "side": "left"}
    distort = distortions.Distortions(seed=0)
    yield "distortions.Distortions.__call__", (distort, IMAGES | place)
    yield "dataset.as_read", (dataset.as_read, IMAGES | {"dtype": np.float32})
    left, right = (dataset.as_read(DIGITS.images[part], np.float32) for part in ([0, 3], [1, 4]))
    arguments = {"net": NET, "left": left, "right": right, "threads": 1}
    targets: Arguments = {"targets": np.eye(2, dtype=np.float32)}
    step = all_pairs.all_pairs_loss_and_gradients
    yield "all_pairs.all_pairs_loss_and_gradients", (step, arguments | targets)
    arguments = {"net": NET, "left": a(2, 84), "right": a(3, 84)}
    yield "all_pairs.logits_of_all", (all_pairs.logits_of_all, arguments)
