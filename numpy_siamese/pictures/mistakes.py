"""The picture of the worst mistakes, of both kinds."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arrays
from numpy_siamese.evaluation.verification import THRESHOLD
from numpy_siamese.pictures import canvas
from numpy_siamese.pictures.examples import Examples, checked_pairs, examples_of, surest
from numpy_siamese.pictures.plots import pair_grid_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = np.ndarray

EACH_KIND = 10
"""Mistakes of each kind."""


def mistakes_figure(
    images: Array,
    left_index: npt.ArrayLike,
    right_index: npt.ArrayLike,
    targets: Array,
    probs: Array,
    class_names: Mapping[int, str],
    labels: npt.ArrayLike,
) -> "Figure":
    """Draw the worst false accepts and the worst false rejects, the worst first.

    Parameters
    ----------
    images : (n, 28, 28) uint8
    left_index, right_index : (N,) integers
    targets, probs : (N, 1)
    class_names : mapping of int to str
    labels : (n,) integers

    Raises
    ------
    TypeError, ValueError, IndexError
        As `surest_mistakes`. Labels are not as many as images.
    """
    (probs,) = _arrays.floats(probs=probs)
    images, pairs, _ = checked_pairs(images, (left_index, right_index, targets), probs)
    labels = _arrays.by_position("labels", labels)
    if labels.shape != images.shape[:1]:
        raise ValueError(f"labels must be ({len(images)},), got {labels.shape}")
    names = [class_names[label] for label in labels.tolist()]
    same, accepted = pairs[2][:, 0] == 1, probs[:, 0] > THRESHOLD
    sections = [
        _worst("different pairs taken for the same", ~same, accepted, images, pairs, probs, names),
        _worst("same pairs taken for different", same, ~accepted, images, pairs, probs, names),
    ]
    return pair_grid_figure("The worst mistakes", *sections, least_columns=3)


def _worst(
    kind: str,
    of_kind: Array,
    judged: Array,
    images: Array,
    pairs: tuple[Array, Array, Array],
    probs: Array,
    names: list[str],
) -> Examples:
    (wrong,) = np.nonzero(of_kind & judged)
    shown = surest(wrong, pairs, probs, EACH_KIND)
    share = f"{len(wrong):,} of {int(of_kind.sum()):,} {kind}"
    heading = f"{share}{', the worst first' if len(wrong) else ''}"
    return examples_of(heading, images, pairs, probs, shown, names)


mistakes_picture = canvas.as_png(mistakes_figure)
