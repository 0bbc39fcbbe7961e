"""What `predict` tells of a pair or of references: in words, in JSON and as a picture."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from numpy_siamese.data.gallery import NO_CLASS, files_of
from numpy_siamese.data.image_likes import read_prepared
from numpy_siamese.errors import counted, printable
from numpy_siamese.evaluation.ranking import class_logits
from numpy_siamese.files.paths import shell_word
from numpy_siamese.pictures import comparison
from numpy_siamese.runs.threshold import Figure
from numpy_siamese.runs.trained_run import TrainedRun


class Prediction(NamedTuple):
    """What a network says.

    Attributes
    ----------
    text : str
        Lines.
    record : dict
        For JSON.
    picture : () → bytes
        Draws what the network saw, as PNG.
    """

    text: str
    record: dict[str, Any]
    picture: Callable[[], bytes]


def of_pair(run: TrainedRun, left: Path, right: Path, evaluate: str) -> Prediction:
    """Judge two image files.

    Parameters
    ----------
    run : TrainedRun
    left, right : Path
    evaluate : str
        The command that would give a threshold, without the run.

    Raises
    ------
    InputError
        Files that cannot be read or that show nothing.
    """
    images = read_prepared([left, right], run.preparation)
    embedded_left, embedded_right = run.embedded(images)
    found = run.verdict(embedded_left, embedded_right)
    lines = [
        f"same class with probability {found.probability:.4f}",
        f"logit {found.logit:.3f}, L1 distance of the embeddings {found.distance:.1f}",
        f"at 0.5: {_word(found.same)}",
    ]
    record = {"run": str(run.path), "left": str(left), "right": str(right), **found._asdict()}
    del record["same_at_threshold"]
    record["threshold"] = None
    if run.threshold is None:
        lines.append(f"no validated threshold yet: {evaluate} {shell_word(run.path)}")
    else:
        value, far, frr, _ = run.threshold
        verdict = found.same_at_threshold
        lines += [
            f"at the validated threshold {value:.4f}: {_word(verdict)}",
            f"FAR {_percent(far)} and FRR {_percent(frr)} there, on test pairs",
        ]
        record["threshold"] = {
            "value": value,
            "same": verdict,
            "far": far._asdict(),
            "frr": frr._asdict(),
        }
    names = [left.name, right.name]
    beneath = [lines[0], *(line for line in lines if line.startswith(("at ", "FAR ")))]
    return Prediction(
        "\n".join(lines),
        record,
        lambda: comparison.comparison_picture(images[0], images[1], names, beneath),
    )


def of_references(run: TrainedRun, query: Path, folder: Path, top: int) -> Prediction:
    """Rank the images of a folder, and its classes by the mean logit of their images.

    Raises
    ------
    InputError
        Files that cannot be read or that show nothing. A folder without images.
    """
    files = files_of(folder, to_test=False)
    images = read_prepared([query, *(path for path, _ in files)], run.preparation)
    embeddings = run.embedded(images)
    ranked = run.rank(embeddings[0], embeddings[1:], top)
    has_classes = any(name != NO_CLASS for _, name in files)
    rows = [
        {
            "path": str(files[index][0]),
            "class": files[index][1] if has_classes else None,
            "probability": probability,
            "logit": logit,
        }
        for index, probability, logit in ranked
    ]
    record = {
        "run": str(run.path),
        "query": str(query),
        "references": len(files),
        "ranking": rows,
        "classes": _classes(run, embeddings, files) if has_classes else None,
    }
    shown = [files[index][0] for index, _, _ in ranked]
    classes = [files[index][1] for index, _, _ in ranked] if has_classes else None
    index = np.array([entry.index for entry in ranked])
    probabilities = np.array([entry.probability for entry in ranked])
    return Prediction(
        "\n".join(_ranking_lines(record)),
        record,
        lambda: comparison.ranking_picture(
            images[0], images[1:][index], [path.name for path in shown], probabilities, classes
        ),
    )


def _classes(
    run: TrainedRun, embeddings: np.ndarray, files: list[tuple[Path, str]]
) -> list[dict[str, Any]]:
    """Return the classes, the likest first, of equal ones in the order of their names."""
    labels = [name for _, name in files]
    names, logits = class_logits(run.logits(embeddings[0], embeddings[1:]), labels)
    order = np.argsort(-logits, kind="stable").tolist()
    return [
        {
            "class": names[k].item(),
            "images": labels.count(names[k].item()),
            "mean_logit": float(logits[k]),
        }
        for k in order
    ]


def _ranking_lines(record: dict[str, Any]) -> list[str]:
    rows, classes = record["ranking"], record["classes"]
    lines = []
    if classes:
        first, *others = classes
        second = f"; next {others[0]['class']}, {others[0]['mean_logit']:.3f}" if others else ""
        lines.append(f"likest class {first['class']}, mean logit {first['mean_logit']:.3f}{second}")
    of_all = counted(record["references"], "reference")
    lines.append(f"the likest of {of_all}, with the probability of the same class:")
    width = max(len(row["class"] or "") for row in rows)
    for place, row in enumerate(rows, 1):
        name = f"  {row['class']:<{width}}" if classes else ""
        lines.append(f"{place:>3}  {row['probability']:.4f}{name}  {printable(row['path'])}")
    return lines


def _word(same: bool | None) -> str:
    return "same" if same else "different"


def _percent(rate: Figure) -> str:
    value, low, high = (f"{100 * part:.1f}" for part in rate)
    return f"{value} % [{low}, {high}]"
