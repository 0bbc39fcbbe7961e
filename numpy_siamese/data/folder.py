"""Which files of a folder are its data set: MNIST's own names, and those of its relatives."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from numpy_siamese.errors import InputError, listed

CSV_FILES = ("mnist_train.csv", "mnist_test.csv")
IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
EXPECTED_FILES = (
    f"{' and '.join(CSV_FILES)} (or other names alike but for train and test), or "
    f"{', '.join(IDX_FILES)} (each plain or .gz), or a sub-folder of images for each class"
)
_CSV = re.compile(r"(?P<before>.*)(?P<half>train|test)(?P<after>.*)\.csv")
_IDX = re.compile(
    r"(?P<before>.*)(?P<half>train|test|t10k)[-_.](?P<part>images|labels)"
    r"(?P<after>)[-_.]idx\d?(?:[-_.](?:ubyte|int))?"
)
_ROLES = {
    "CSV": ("train", "test"),
    "IDX": ("train images", "train labels", "test images", "test labels"),
}


class Kind(NamedTuple):
    """A data set that a folder may hold.

    Attributes
    ----------
    format : str
    before, after : str
        What its names have around the role.
    """

    format: str
    before: str
    after: str


_OFFICIAL = (Kind("CSV", "mnist_", ""), Kind("IDX", "", ""))


def data_files(folder: Path) -> Sequence[Path]:
    """Return the files of the data set in a folder.

    First come ``mnist_train.csv`` and ``mnist_test.csv``, then MNIST's four IDX files. Then come
    any other two CSV or four IDX files that are named after them. Their names may have something
    before or behind (``fashion-mnist_train.csv``, ``emnist-digits-train-images-idx3-ubyte``). They
    may have ``test`` for ``t10k``, a dot or line for a dash, and large letters. A file may be
    packed (``.gz``). The plain one comes first.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    sequence of Path
        CSV to train and to test; or IDX: images and labels to train, images and labels to test.

    Raises
    ------
    InputError
        If the folder has no complete data set, or two others than MNIST, or a file under two names.
    """
    names = {path.name + "/" * path.is_dir(): path for path in sorted(folder.iterdir())}
    found: dict[Kind, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for name, path in names.items():
        if place := _place(name):
            kind, role = place
            found[kind][role].append(path)
    complete = {kind: of for kind, of in found.items() if len(of) == len(_ROLES[kind.format])}
    official = [kind for kind in _OFFICIAL if kind in complete]
    kinds = official[:1] or list(complete)
    if len(kinds) != 1:
        raise _not_one(folder, kinds, names, found.values())
    (kind,) = kinds
    return [_only(folder, complete[kind][role]) for role in _ROLES[kind.format]]


def _place(name: str) -> tuple[Kind, str] | None:
    """Return to which data set a file of this name belongs, and as what of it."""
    plain = name.casefold().removesuffix(".gz")
    for format, pattern in (("CSV", _CSV), ("IDX", _IDX)):
        if match := pattern.fullmatch(plain):
            half = match["half"].replace("t10k", "test")
            role = f"{half} {match['part']}" if format == "IDX" else half
            return Kind(format, match["before"], match["after"]), role
    return None


def _only(folder: Path, paths: Sequence[Path]) -> Path:
    """Return the plain one of a file and its packed copy."""
    plain_names = {path.name.removesuffix(".gz") for path in paths}
    if len(plain_names) > 1:
        raise InputError(f"{folder}: found {listed(plain_names)}, expected one of them")
    return min(paths, key=lambda path: len(path.name))


def _not_one(
    folder: Path,
    kinds: Sequence[Kind],
    names: Iterable[str],
    incomplete: Iterable[Mapping[str, Sequence[Path]]],
) -> InputError:
    if kinds:
        some = listed(f"{kind.before}…{kind.after} in {kind.format}" for kind in kinds)
        return InputError(
            f"{folder}: found {len(kinds)} data sets ({some}), expected one: move it to a folder "
            "of its own"
        )
    parts = [path.name for of in incomplete for paths in of.values() for path in paths]
    if parts:
        return InputError(f"{folder}: found {listed(parts)}, expected {EXPECTED_FILES}")
    beside = f" (but {listed(names)})" if any(names) else ""
    return InputError(f"{folder}: found none of the files{beside}, expected {EXPECTED_FILES}")
