"""The figures of an evaluation: computed from one pass over the images, and nothing written."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from numpy_siamese.data.episodes import spread_ways
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.data.validation import Pairs, validation_and_test_pairs
from numpy_siamese.evaluation.measures import pair_measures
from numpy_siamese.evaluation.one_shot import Embedded, one_shot_measures
from numpy_siamese.evaluation.within_alphabet import trial_measures
from numpy_siamese.runs import environment
from numpy_siamese.runs.evaluation import trials
from numpy_siamese.runs.evaluation.config import EvaluationConfig
from numpy_siamese.runs.evaluation.embedding import check_finite, embedded
from numpy_siamese.runs.evaluation.subject import Subject
from numpy_siamese.runs.evaluation.trials import Trials

Array = np.ndarray

PAIRS, UNSEEN_PAIRS, VALIDATION_PAIRS = "pairs.csv", "pairs-unseen.csv", "validation-pairs.csv"
"""The files of pairs and what the network says of them."""

MOST_WAYS = 100
"""Of more classes no episodes are played. All are near the accuracy of a guess, and dear."""

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
    trials : dict of str to Trials
        As `trials.drawn_trials`.
    """

    figures: dict[str, Any]
    pairs: dict[str, Verdicts]
    trials: dict[str, Trials]


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
    images, labels = subject.images
    seen, unseen = subject.seen, subject.unseen
    trials_to_play = trials.drawn_trials(subject, config)
    steps = _Steps(progress, (6 if len(unseen) else 4) + len(trials_to_play))
    drawn = _drawn(labels, seen, unseen, config)
    with np.errstate(over="ignore", invalid="ignore"):  # a network that diverged is told
        trained = embedded(subject.trained, images, steps.begin("embedding images"))
        untrained = embedded(subject.untrained, images, steps.begin("embedding, untrained"))
        pairs = {name: _judged(subject, trained, one) for name, one in drawn.items()}

    def part(chosen: Array, name: str) -> dict[str, Any]:
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
            labels[chosen],
            images[chosen],
            _taken(trained, chosen),
            _taken(untrained, chosen),
            spread_ways(min(len(np.unique(labels[chosen])), MOST_WAYS)),
            episodes=config.episodes,
            seed=config.seed,
            progress=steps.begin("playing episodes"),
        )
        return figures | {
            "probabilities": name,
            "classes": subject.names_of(chosen),
            "images": {"one_shot": len(chosen), "pairs": _images_in(test)},
        }

    figures = part(seen, PAIRS)
    figures["images"]["validation"] = _images_in(pairs[VALIDATION_PAIRS])
    figures["validation_probabilities"] = VALIDATION_PAIRS
    if len(unseen):
        figures["unseen"] = part(unseen, UNSEEN_PAIRS)
    played = trials.played(subject, trials_to_play, config, steps.begin)
    if played:
        figures["trials"] = {
            name: trial_measures(of.scores) | {"views": config.views, "file": trials.FILES[name]}
            for name, of in played.items()
        }
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
    return Evaluation(figures, pairs, played)


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


def _taken(embedded: Embedded, images: Array) -> Embedded:
    return embedded._replace(embeddings=embedded.embeddings[images])


def _judged(subject: Subject, embedded: Embedded, pairs: Pairs) -> Verdicts:
    left, right, targets = pairs
    embeddings = embedded.embeddings
    logits, probs = subject.trained.compare(embeddings[left], embeddings[right])
    check_finite(subject.run.path, embeddings, logits)
    return Verdicts(left, right, targets, probs, logits)


def _images_in(pairs: Verdicts) -> int:
    return len(np.union1d(pairs.left_index, pairs.right_index))
