"""The figures of an evaluation: computed from one pass over the images, and nothing written."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from numpy_siamese.data.episodes import spread_ways
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.data.validation import Pairs, validation_and_test_pairs
from numpy_siamese.errors import InputError
from numpy_siamese.evaluation.measures import pair_measures
from numpy_siamese.evaluation.one_shot import Embedded, one_shot_measures
from numpy_siamese.runs import environment
from numpy_siamese.runs.evaluation.config import EvaluationConfig
from numpy_siamese.runs.evaluation.subject import Subject
from numpy_siamese.runs.network import NOT_DIVERGED, Network

Array = np.ndarray

PAIRS, UNSEEN_PAIRS, VALIDATION_PAIRS = "pairs.csv", "pairs-unseen.csv", "validation-pairs.csv"
"""The files of pairs and what the network says of them."""

BLOCK = 2000
"""Images embedded between two signs of progress: whole micro-batches of both packages."""

Progress = Callable[[float, str], None]
"""Is told which share of the evaluation is done, and what is under way."""


class Verdicts(NamedTuple):
    """Pairs and what the network says of them.

    Attributes
    ----------
    left_index, right_index : (N,) int64
        Into the images of the split.
    targets : (N, 1) float32
        1 for same, 0 for different.
    probs, logits : (N, 1)
    """

    left_index: Array
    right_index: Array
    targets: Array
    probs: Array
    logits: Array


class Evaluation(NamedTuple):
    """What an evaluation found.

    Attributes
    ----------
    figures : dict
        What `evaluation.json` holds; see docs/evaluation.md.
    pairs : dict of str to Verdicts
        By the file that they are for: `PAIRS`, `VALIDATION_PAIRS` and, of held-out classes,
        `UNSEEN_PAIRS`.
    """

    figures: dict[str, Any]
    pairs: dict[str, Verdicts]


class _Steps:
    """Tell of the share of all steps when it is told of the share of one."""

    def __init__(self, progress: Progress | None, count: int) -> None:
        self._progress, self._count, self._begun = progress, count, 0

    def begin(self, what: str) -> Callable[[float], None]:
        before, self._begun = self._begun, self._begun + 1

        def show(share: float) -> None:
            if self._progress is not None:
                self._progress((before + share) / self._count, what)

        show(0)
        return show


def evaluated(
    subject: Subject, config: EvaluationConfig, progress: Progress | None = None
) -> Evaluation:
    """Evaluate a network: embed each image once, judge pairs, assign queries in episodes.

    Raises
    ------
    InputError
        The network has diverged: a logit is not finite.
    """
    start = time.perf_counter()
    labels = subject.images.labels
    seen, unseen = subject.seen, subject.unseen
    steps = _Steps(progress, 6 if len(unseen) else 4)
    drawn = _drawn(labels, seen, unseen, config)
    with np.errstate(over="ignore", invalid="ignore"):  # a network that diverged is told
        trained = _embedded(subject.trained, subject, steps.begin("embedding images"))
        untrained = _embedded(subject.untrained, subject, steps.begin("embedding, untrained"))
        pairs = {name: _judged(subject, trained, one) for name, one in drawn.items()}

    def part(images: Array, name: str) -> dict[str, Any]:
        test, validation = pairs[name], pairs[VALIDATION_PAIRS]
        figures = pair_measures(
            test.probs,
            test.targets,
            test.left_index,
            test.right_index,
            len(labels),
            validation.probs,
            validation.targets,
            config.resamples,
            config.seed,
            steps.begin("drawing resamples"),
        )
        figures["one_shot"] = one_shot_measures(
            labels[images],
            subject.images.images[images],
            _taken(trained, images),
            _taken(untrained, images),
            spread_ways(len(np.unique(labels[images]))),
            episodes=config.episodes,
            seed=config.seed,
            progress=steps.begin("playing episodes"),
        )
        return figures | {
            "probabilities": name,
            "classes": subject.names_of(images),
            "images": {"one_shot": len(images), "pairs": _images_in(test)},
        }

    figures = part(seen, PAIRS)
    figures["images"]["validation"] = _images_in(pairs[VALIDATION_PAIRS])
    figures["validation_probabilities"] = VALIDATION_PAIRS
    if len(unseen):
        figures["unseen"] = part(unseen, UNSEEN_PAIRS)
    figures |= {
        "run": str(subject.run.path),
        "model_sha256": subject.run.model_sha256,
        "data": subject.dataset.name,
        "data_sha256": subject.dataset.checksum(),
        "split": subject.split,
        "untrained_classes": subject.untrained_classes,
        "held_out": [subject.dataset.class_names[label] for label in subject.held.tolist()],
        "resamples": config.resamples,
        "seed": config.seed,
        "environment": environment.describe() | subject.trained.environment(),
        "seconds": round(time.perf_counter() - start, 3),
    }
    return Evaluation(figures, pairs)


def _drawn(labels: Array, seen: Array, unseen: Array, config: EvaluationConfig) -> dict[str, Pairs]:
    """Draw the pairs of each file, as indices into the images of the split."""
    validation, test = validation_and_test_pairs(
        labels[seen], config.pairs, config.pairs, config.seed
    )
    drawn = {PAIRS: _of(seen, test), VALIDATION_PAIRS: _of(seen, validation)}
    if len(unseen):
        sampler = PairSampler(
            labels[unseen], config.pairs, config.seed, "test", allow_self_pairs=False
        )
        drawn[UNSEEN_PAIRS] = _of(unseen, sampler.batch(0, 0))
    return drawn


def _of(images: Array, pairs: Pairs) -> Pairs:
    left, right, targets = pairs
    return images[left], images[right], targets


def _embedded(network: Network, subject: Subject, progress: Callable[[float], None]) -> Embedded:
    images, parts = subject.images.images, []
    for start in range(0, len(images), BLOCK):
        parts.append(network.embed(images[start : start + BLOCK]))
        progress(min(start + BLOCK, len(images)) / len(images))
    return Embedded(np.concatenate(parts), *network.head())


def _taken(embedded: Embedded, images: Array) -> Embedded:
    return embedded._replace(embeddings=embedded.embeddings[images])


def _judged(subject: Subject, embedded: Embedded, pairs: Pairs) -> Verdicts:
    left, right, targets = pairs
    embeddings = embedded.embeddings
    logits, probs = subject.trained.compare(embeddings[left], embeddings[right])
    if not (np.isfinite(embeddings).all() and np.isfinite(logits).all()):
        raise InputError(
            f"{subject.run.path}: found embeddings or logits that are not finite, {NOT_DIVERGED}"
        )
    return Verdicts(left, right, targets, probs, logits)


def _images_in(pairs: Verdicts) -> int:
    return len(np.union1d(pairs.left_index, pairs.right_index))
