"""The pictures of an evaluation, as files to write."""

import numpy as np

from numpy_siamese.evaluation.calibration import reliability_table
from numpy_siamese.evaluation.roc import roc_curve
from numpy_siamese.pictures import hard_trials, measures, mistakes
from numpy_siamese.runs.evaluation.figures import PAIRS, UNSEEN_PAIRS, Evaluation
from numpy_siamese.runs.evaluation.subject import Subject
from numpy_siamese.runs.evaluation.trials import Trials

HARD_TRIALS = 15
"""Wrong trials that are drawn."""


def drawn(subject: Subject, evaluation: Evaluation) -> dict[str, bytes]:
    """Return the PNG files by name.

    The ROC curves are of seen and of unseen classes, all else of seen ones.
    """
    figures, test = evaluation.figures, evaluation.pairs[PAIRS]
    curves = {f"{subject.split} pairs": roc_curve(test.probs, test.targets)}
    if UNSEEN_PAIRS in evaluation.pairs:
        unseen = evaluation.pairs[UNSEEN_PAIRS]
        curves = {
            "seen classes": roc_curve(test.probs, test.targets),
            "unseen classes": roc_curve(unseen.probs, unseen.targets),
        }
    images, labels = subject.images
    others = {}
    if "test" in evaluation.trials:
        others["trials.png"] = _hard_trials(evaluation.trials["test"])
    return others | {
        "roc.png": measures.roc_picture(curves, figures["threshold"]),
        "reliability.png": measures.reliability_picture(
            reliability_table(test.probs, test.targets)
        ),
        "mistakes.png": mistakes.mistakes_picture(
            images,
            test.left_index,
            test.right_index,
            test.targets,
            test.probs,
            subject.dataset.class_names,
            labels,
        ),
        "one-shot.png": measures.one_shot_picture(figures["one_shot"]),
    }


def _hard_trials(played: Trials) -> bytes:
    """Return the picture of the trials that went most wrong."""
    images, verdicts = played.images, played.scores.verdicts
    wrong = np.flatnonzero(verdicts.chosen != verdicts.right)
    worst = wrong[np.argsort(-verdicts.margin[wrong], kind="stable")][:HARD_TRIALS]
    query, right, chosen = (
        images[part[worst]] for part in (verdicts.query, verdicts.right, verdicts.chosen)
    )
    names = [str(played.scores.runs[r].alphabet) for r in verdicts.run[worst].tolist()]
    return hard_trials.trials_picture(query, right, chosen, names, len(wrong), len(verdicts.run))
