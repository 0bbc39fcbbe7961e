"""The pictures of an evaluation, as files to write."""

from numpy_siamese.evaluation.calibration import reliability_table
from numpy_siamese.evaluation.roc import roc_curve
from numpy_siamese.pictures import measures, mistakes
from numpy_siamese.runs.evaluation.figures import PAIRS, UNSEEN_PAIRS, Evaluation
from numpy_siamese.runs.evaluation.subject import Subject


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
    return {
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
