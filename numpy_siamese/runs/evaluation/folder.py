"""The folder of an evaluation: where it is, and its files."""

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numpy_siamese.errors import InputError
from numpy_siamese.evaluation.within_alphabet import METHODS
from numpy_siamese.files.atomic_write import leftovers, write_together
from numpy_siamese.files.folders import folder_made
from numpy_siamese.files.lock import FolderLock
from numpy_siamese.files.paths import shell_word
from numpy_siamese.runs.evaluation.figures import Evaluation, Verdicts
from numpy_siamese.runs.evaluation.subject import Subject
from numpy_siamese.runs.evaluation.trials import FILES, Trials
from numpy_siamese.runs.threshold import EVALUATION

SPREAD = "evaluations.json"
"""The mean and the standard deviation over several runs."""

COLUMNS = ("left", "right", "target", "probability", "logit")
"""Of the files of pairs."""

TRIAL_COLUMNS = (
    *("run", "alphabet", "query_drawer", "support_drawer", "query", "right", "chosen"),
    *METHODS,
)
"""Of the files of trials. The last are the accuracy by each method."""


def default_folder(subject: Subject) -> Path:
    """Return RUN/evaluation, with the name of other data and the split after it."""
    parts = [EVALUATION.parent.name]
    if not subject.is_own:
        parts.append(Path(subject.dataset.name).resolve().name)
    if subject.split != "test":
        parts.append(subject.split)
    return subject.run.path / "-".join(parts)


def folders_in(out: Path, runs: list[Path]) -> list[Path]:
    """Return a folder for each run: OUT itself for one, OUT/NAME for several.

    Raises
    ------
    InputError
        Two runs have the same name.
    """
    if len(runs) == 1:
        return [out]
    names = [run.resolve().name for run in runs]
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"--out {out}: found {names.count(name)} runs named {name}, expected different "
                "names, each for a folder"
            )
    return [out / name for name in names]


def check_writable(folder: Path) -> None:
    """Refuse a folder that can be foreseen not to be writable, before anything is computed.

    Raises
    ------
    InputError
    """
    there = next(place for place in (folder, *folder.absolute().parents) if os.path.lexists(place))
    if not there.is_dir():
        raise InputError(f"{folder}: cannot be a folder, for {there} is none")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(
            f"{folder}: cannot be written, expected a writable folder, or another one with --out"
        )


def write_evaluation(folder: Path, evaluation: Evaluation, pictures: Mapping[str, bytes]) -> None:
    """Write the files of an evaluation, the figures last. Earlier ones are replaced.

    All are written beside their places first. So an error, such as a full disk, changes nothing.

    Raises
    ------
    InputError
        Another process writes there.
    OSError
        A file cannot be written.
    """
    contents = {
        **{name: _table(pairs) for name, pairs in evaluation.pairs.items()},
        **{FILES[name]: _trials_table(trials) for name, trials in evaluation.trials.items()},
        **pictures,
        EVALUATION.name: _json(evaluation.figures),
    }
    with folder_made(folder):
        lock = FolderLock(folder)
        try:
            for leftover in leftovers(folder):
                leftover.unlink()
            write_together({folder / name: content for name, content in contents.items()})
        finally:
            lock.release()


def write_spread(folder: Path, spread: Mapping[str, Any]) -> None:
    """Write mean and standard deviation over runs.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    with folder_made(folder):
        write_together({folder / SPREAD: _json(spread)})


def written_to(folder: Path) -> str:
    """Return where the files are, as text."""
    return f"written to {shell_word(folder)}"


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, allow_nan=False) + "\n").encode()


def _table(pairs: Verdicts) -> bytes:
    """Return pairs as CSV."""
    columns = (
        pairs.left_index,
        pairs.right_index,
        pairs.targets.ravel().astype(int),
        pairs.probs.ravel(),
        pairs.logits.ravel(),
    )
    return _csv(COLUMNS, zip(*(column.tolist() for column in columns), strict=True))


def _trials_table(trials: Trials) -> bytes:
    """Return trials as CSV."""
    scores, places = trials.scores, trials.places
    verdicts, credits = scores.verdicts, scores.credits
    names = [
        (run.alphabet, *(("", "") if run.drawers is None else run.drawers.tolist()))
        for run in scores.runs
    ]
    images = [places[part].tolist() for part in (verdicts.query, verdicts.right, verdicts.chosen)]
    by_method = [np.concatenate(of_runs).tolist() for of_runs in credits.values()]
    rows = zip(verdicts.run.tolist(), *images, *by_method, strict=True)
    return _csv(TRIAL_COLUMNS, ((run, *names[run], *others) for run, *others in rows))


def _csv(columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> bytes:
    """Return rows as CSV. Each number is the shortest that float64 reads back as it was."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()
