"""Finished runs to evaluate, and their evaluations as anyone reads them."""

import csv
import json
from pathlib import Path

import pytest

from numpy_siamese.cli.main import main
from numpy_siamese.tests.support.commands import SMALL
from numpy_siamese.tests.support.tiny import idx_folder, replace_pictures

FEW = ("--pairs", "60", "--episodes", "40", "--resamples", "15")
"""What makes an evaluation small."""

FILES = {
    "evaluation.json",
    "mistakes.png",
    "one-shot.png",
    "pairs.csv",
    "reliability.png",
    "roc.png",
    "validation-pairs.csv",
}


def tiny_run(folder: Path, *flags: str, counts: tuple[int, ...] = (8, 8, 9, 8)) -> Path:
    """Train on few random images, and return the folder of the run, beside its data."""
    (folder / "data").mkdir()
    data = idx_folder(folder / "data", [*counts])
    return trained_on(data, folder / "run", *flags)


def trained_on(data: Path, out: Path, *flags: str) -> Path:
    """Train for a moment on data, and return the folder of the run."""
    argv = ["train", "--data", str(data), "--out", str(out), "--quiet", "--threads", "1"]
    with pytest.MonkeyPatch.context() as monkeypatch:
        replace_pictures(monkeypatch)
        assert main([*argv, *SMALL, *flags]) == 0
    return out


def evaluation_in(folder: Path) -> dict:
    """Return the figures of an evaluation."""
    return json.loads((folder / "evaluation.json").read_text())


def pairs_in(path: Path) -> list[tuple[int, int, int, float, float]]:
    """Return pairs as a CSV file has them: left, right, target, probability, logit."""
    with open(path, newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["left", "right", "target", "probability", "logit"]
    return [(int(a), int(b), int(c), float(d), float(e)) for a, b, c, d, e in rows]
