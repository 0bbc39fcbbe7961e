"""The archives of a small Omniglot, as files have them."""

import functools
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numpy_siamese.data.omniglot import catalogue
from numpy_siamese.data.omniglot.archives import read_archive
from numpy_siamese.data.omniglot.catalogue import (
    BACKGROUND,
    DRAWERS,
    EVALUATION,
    RUNS,
    Catalogue,
)

SMALL = Catalogue({"Latin": 1, "Greek": 2}, {"Angelic": 2}, {"Tengwar": 3}, runs=2, items=3)
ARCHIVES = (BACKGROUND, EVALUATION, RUNS)
ANSWERS = ((2, 0, 1), (0, 2, 1))
"""Of each run: which image to train on shows the character of each one to test."""

Files = dict[str, bytes]


def png(ink: np.ndarray, mode: str = "1") -> bytes:
    """Return a PNG of a drawing, which is black on white."""
    stream = io.BytesIO()
    Image.fromarray(~ink).convert(mode).save(stream, "PNG")
    return stream.getvalue()


def ink_of(number: int) -> np.ndarray:
    """Return the ink of image number n of the small Omniglot, (105, 105) bool."""
    shape = np.random.default_rng(number).random((21, 21)) < 0.3
    return shape.repeat(5, 0).repeat(5, 1)


@functools.cache
def files(archive: str) -> Files:
    """Return what an archive holds, by name in it."""
    if archive == RUNS:
        return _runs()
    start = 0 if archive == BACKGROUND else 3 * DRAWERS
    names = [
        f"{archive}/{alphabet}/character{character:02d}/%04d_{drawer:02d}.png"
        for alphabet, count in SMALL.alphabets(archive).items()
        for character in range(1, count + 1)
        for drawer in range(1, DRAWERS + 1)
    ]
    return {
        name % (900 + (start + i) // DRAWERS): png(ink_of(start + i))
        for i, name in enumerate(names)
    }


def _runs() -> Files:
    """Return two runs of Tengwar, whose three characters are the last of the evaluation."""
    images = [*files(EVALUATION).values()]
    found: Files = {}
    for run, answers in enumerate(ANSWERS, 1):
        lines = []
        for item, answer in enumerate(answers, 1):
            test, training = f"test/item{item:02d}.png", f"training/class{item:02d}.png"
            found[f"run{run:02d}/{test}"] = images[(2 + answer) * DRAWERS + run]
            found[f"run{run:02d}/{training}"] = images[(1 + item) * DRAWERS + 7 + run]
            lines.append(f"run{run:02d}/{test} run{run:02d}/training/class{answer + 1:02d}.png\n")
        found[f"run{run:02d}/class_labels.txt"] = "".join(lines).encode()
    return found


def packed(content: Mapping[str, bytes]) -> bytes:
    """Return a zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, inside in content.items():
            archive.writestr(zipfile.ZipInfo(name), inside, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def write(folder: Path, archives: tuple[str, ...] = ARCHIVES) -> Path:
    """Write the archives to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for archive in archives:
        (folder / f"{archive}.zip").write_bytes(packed(files(archive)))
    return folder


def unpack(folder: Path, archive: str, below: str = "") -> None:
    """Write the files of an archive to a folder, as unpacking would."""
    for name, content in files(archive).items():
        path = folder / below / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def use(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make the small Omniglot the official one, and the folder that of downloads."""
    monkeypatch.setenv("NUMPY_SIAMESE_CACHE", str(folder))
    monkeypatch.setattr(catalogue, "OFFICIAL", SMALL)


def checksums(folder: Path) -> dict[str, str]:
    """Return the checksum of the contents of each archive in a folder."""
    return {
        archive: read_archive(folder / f"{archive}.zip", archive).checksum for archive in ARCHIVES
    }
