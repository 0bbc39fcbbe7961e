"""Evaluate finished runs: read, compute, write and show, one after the other."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Any

from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.evaluation import folder
from numpy_siamese.runs.evaluation.config import EvaluationConfig
from numpy_siamese.runs.evaluation.figures import evaluated
from numpy_siamese.runs.evaluation.pictures import drawn
from numpy_siamese.runs.evaluation.progress import EvaluationProgress
from numpy_siamese.runs.evaluation.spread import spread
from numpy_siamese.runs.evaluation.subject import Subject, check_comparable, read_subject
from numpy_siamese.runs.evaluation.table import table


def evaluate_runs(
    paths: Sequence[Path],
    config: EvaluationConfig,
    network_class: Any,
    config_class: type[TrainConfig],
    of_use: Mapping[str, Any],
    out: Path | None = None,
    quiet: bool = False,
    uninterrupted: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> list[dict[str, Any]]:
    """Evaluate runs, write the files of each, and print a table of each and of all.

    What can be refused is refused before anything is computed.

    Parameters
    ----------
    paths : sequence of Path
        The runs' folders.
    config : EvaluationConfig
    network_class : type
        `NumpyNetwork` or `TorchNetwork`.
    config_class : type
        `TrainConfig` of the same package.
    of_use : mapping
        As `read_finished_run` takes them.
    out : Path, optional
        Where to write: for one run the folder, for several a folder of folders. Default:
        `folder.default_folder` of each run.
    quiet : bool
        Print nothing.
    uninterrupted : callable
        Returns a context in which signals wait. Files are written in it.

    Returns
    -------
    list of dict
        What `evaluation.json` of each run holds.

    Raises
    ------
    InputError
        A run, its data or a folder cannot be used, or runs are not comparable.
    OSError
        A file cannot be written, or standard output.
    """
    subjects = [
        read_subject(path, config.data, config.split, network_class, config_class, **of_use)
        for path in paths
    ]
    check_comparable(subjects)
    folders = _folders(subjects, out)
    for place in folders:
        folder.check_writable(place)
    found = []
    with closing(EvaluationProgress(len(subjects), quiet)) as progress:
        for subject, place in zip(subjects, folders, strict=True):
            evaluation = evaluated(subject, config, progress)
            progress(1, "drawing pictures")
            pictures = drawn(subject, evaluation)
            with uninterrupted():
                folder.write_evaluation(place, evaluation, pictures)
            found.append(evaluation.figures)
            progress.end_of_run()
            progress.show(f"{table(evaluation.figures)}\n\n{folder.written_to(place)}")
        if len(found) > 1:
            over_all = spread(found)
            progress.show(f"\n{table(over_all)}")
            if out is not None:
                with uninterrupted():
                    folder.write_spread(out, over_all)
                progress.show(f"\n{folder.written_to(out)}")
    return found


def evaluate(
    run: str | os.PathLike[str],
    network_class: Any,
    config_class: type[TrainConfig],
    of_use: Mapping[str, Any],
    out: str | os.PathLike[str] | None,
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Evaluate one run in Python: return its figures, and write files only to `out`, if given.

    Raises
    ------
    TypeError
        There is no such setting.
    InputError, OSError
        As `evaluate_runs`.
    """
    config = EvaluationConfig(**settings)
    subject = read_subject(
        Path(run), config.data, config.split, network_class, config_class, **of_use
    )
    if out is not None:
        folder.check_writable(Path(out))
    evaluation = evaluated(subject, config)
    if out is not None:
        folder.write_evaluation(Path(out), evaluation, drawn(subject, evaluation))
    return evaluation.figures


def _folders(subjects: Sequence[Subject], out: Path | None) -> list[Path]:
    if out is None:
        return [folder.default_folder(subject) for subject in subjects]
    return folder.folders_in(out, [subject.run.path for subject in subjects])
