"""A trained network in use: pairs judged, images embedded, references ranked."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from numpy_siamese.architectures import ARCHITECTURES
from numpy_siamese.data.image_likes import as_image, as_images
from numpy_siamese.data.preparation import Preparation
from numpy_siamese.errors import InputError
from numpy_siamese.evaluation.ranking import highest, reference_logits
from numpy_siamese.evaluation.verification import THRESHOLD
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.finished_run import FinishedRun, read_finished_run
from numpy_siamese.runs.image_size import check_image_size
from numpy_siamese.runs.network import NOT_DIVERGED, Network
from numpy_siamese.runs.threshold import Threshold, validated_threshold

Array = np.ndarray


class Verdict(NamedTuple):
    """What a network says of a pair of images.

    Attributes
    ----------
    probability : float
        That both are of the same class.
    logit : float
        probability = 1 / (1 + exp(−logit)). It tells sure pairs apart, whose probabilities are 1.
    distance : float
        The L1 distance of the embeddings, Σ_d |left_d − right_d|: 0 for equal images. The head
        weighs its terms to get the logit.
    same : bool
        The probability is above 0.5.
    same_at_threshold : bool or None
        It is above the validated threshold. None without one.
    """

    probability: float
    logit: float
    distance: float
    same: bool
    same_at_threshold: bool | None


class Ranked(NamedTuple):
    """A reference in a ranking.

    Attributes
    ----------
    index : int
        Its place among the references.
    probability : float
        That it is of the query's class.
    logit : float
        By which references are ranked.
    """

    index: int  # type: ignore[assignment]  # hides the method of tuples
    probability: float
    logit: float


@dataclass(frozen=True, eq=False)
class TrainedRun:
    """A trained network with all that it takes to use it.

    Images are given as arrays, paths or Pillow images; see `data.image_likes.as_images`. An array
    of the network's own size, such as 28×28 bytes, is what it reads. Every other picture is
    prepared as those were that the network was trained on.

    Attributes
    ----------
    path : Path
        The folder of the run.
    network : Network
    class_names : mapping of int to str
        What the labels of the training data are called.
    preparation : Preparation
        How pictures become images. A network of digits, which were never pictures, judges the
        ground of each picture by itself: ``Preparation("mixed")``.
    threshold : Threshold or None
        Chosen on validation pairs, with its false accept and false reject rate on test pairs. None
        until `evaluate` has written them, and again when training has gone on since.
    run : FinishedRun
        Configuration and weights, as they were read.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy_siamese
    >>> run = numpy_siamese.load_run("runs/digits")
    >>> run.verify("left.png", "right.png").same
    True
    >>> references = run.embed(sorted(Path("people").glob("*.png")))
    >>> run.rank("query.png", references, top=1)[0].index
    17
    """

    path: Path
    network: Network = field(repr=False)
    class_names: Mapping[int, str]
    preparation: Preparation
    threshold: Threshold | None
    run: FinishedRun = field(repr=False)

    def images(self, images: Any) -> Array:
        """Return images as the network reads them; see `as_images`.

        Parameters
        ----------
        images : array, path, Pillow image, or a sequence of these

        Returns
        -------
        array of uint8, (n, 28, 28)

        Raises
        ------
        InputError, TypeError, ValueError
        """
        return as_images(images, self.preparation)

    def embed(self, images: Any) -> Array:
        """Embed images.

        Parameters
        ----------
        images
            One or several; see `data.image_likes.as_images`.

        Returns
        -------
        (n, 84) of the network's dtype
            Of a single image n is 1.

        Raises
        ------
        InputError, TypeError, ValueError
            As `as_images`.
        """
        return self.embedded(self.images(images))

    def embedded(self, images: Array) -> Array:
        """Embed images as the network reads them.

        Parameters
        ----------
        images : (n, 28, 28) uint8

        Returns
        -------
        embeddings : (n, 84)

        Raises
        ------
        InputError
            The images have another size than the network reads. The weights are so large that
            embeddings overflow.
        """
        check_image_size(str(self.path), images, self.run.config.model)
        with np.errstate(all="ignore"):
            embeddings = self.network.embed(images)
        if not np.isfinite(embeddings).all():
            raise InputError(f"{self.path}: found embeddings that are not finite, {NOT_DIVERGED}")
        return embeddings

    def verify(self, left: Any, right: Any) -> Verdict:
        """Judge whether two images are of the same class.

        Parameters
        ----------
        left, right
            One image each; see `data.image_likes.as_images`.

        Returns
        -------
        Verdict

        Raises
        ------
        InputError, TypeError, ValueError
            As `as_images`, and for several images on a side.
        """
        sides = {"left": left, "right": right}
        images = [as_image(value, self.preparation, name) for name, value in sides.items()]
        return self.verdict(*self.embedded(np.stack(images)))

    def verdict(self, left: Array, right: Array) -> Verdict:
        """Judge two embeddings.

        Parameters
        ----------
        left, right : (84,) of the network's dtype

        Returns
        -------
        Verdict
        """
        with np.errstate(all="ignore"):
            logits, probs = self.network.compare(left[None], right[None])
        if not np.isfinite(logits).all():
            raise InputError(f"{self.path}: found a logit that is not finite, {NOT_DIVERGED}")
        probability = float(probs[0, 0])
        return Verdict(
            probability,
            float(logits[0, 0]),
            float(np.abs(left - right).sum(dtype=np.float64)),
            probability > THRESHOLD,
            None if self.threshold is None else probability > self.threshold.value,
        )

    def rank(self, query: Any, references: Any, top: int | None = None) -> list[Ranked]:
        """Rank references by how likely they are of the query's class.

        Embed references that serve many queries once, and give their embeddings. Memory beside
        these is bounded; see `evaluation.ranking`.

        Parameters
        ----------
        query
            One image, or the embedding of one: (84,) or (1, 84).
        references
            Images, or their embeddings, (n, 84) of the network's dtype.
        top : int, optional
            How many to return; all, if there are no more. Default: all.

        Returns
        -------
        list of Ranked
            From the likeliest down. Of equal logits the lower index comes first.

        Raises
        ------
        InputError, TypeError, ValueError
            As `as_images`. Embeddings of another shape or dtype, or not finite.
        """
        embedded = references if _is_embedded(references) else self.embed(references)
        logits = self.logits(query, embedded)
        index = highest(logits, top)
        chosen = logits[index].astype(np.float64)
        probabilities = np.exp(-np.logaddexp(0, -chosen))  # σ without overflow
        rows = zip(index.tolist(), probabilities.tolist(), chosen.tolist(), strict=True)
        return [Ranked(*row) for row in rows]

    def logits(self, query: Any, embeddings: Array) -> Array:
        """Compare a query with embeddings.

        Parameters
        ----------
        query
            As in `rank`.
        embeddings : (n, 84)

        Returns
        -------
        logits : (n,)
        """
        if _is_embedded(query):
            of_query = query[0] if query.ndim == 2 and len(query) == 1 else query
        else:
            of_query = self.embedded(as_image(query, self.preparation, "query")[None])[0]
        with np.errstate(all="ignore"):
            logits = reference_logits(of_query, embeddings, *self.network.head())
        if np.isnan(logits).any():
            raise InputError(f"{self.path}: found a logit that is not a number, {NOT_DIVERGED}")
        return logits


def read_trained_run(
    path: str | os.PathLike[str],
    config_class: type[TrainConfig],
    network_class: Any,
    **of_use: Any,
) -> TrainedRun:
    """Read the folder of a finished run of either package, to use its network.

    Parameters
    ----------
    path : path-like
    config_class : type
        `TrainConfig` of the package that computes.
    network_class : type
        `NumpyNetwork` or `TorchNetwork`.
    **of_use
        As in `read_finished_run`.

    Returns
    -------
    TrainedRun

    Raises
    ------
    InputError
        There is no run, it is not finished, or a file of it cannot be read.
    """
    folder = Path(path)
    run = read_finished_run(folder, config_class, **of_use)
    *_, side = ARCHITECTURES[run.config.model].image_shape
    return TrainedRun(
        folder,
        run.network(network_class),
        run.recorded.class_names,
        replace(run.recorded.preparation or Preparation("mixed"), size=side),
        validated_threshold(run),
        run,
    )


def _is_embedded(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"
