"""Folders of pictures: one sub-folder a class, as `torchvision.datasets.ImageFolder` has them."""

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from numpy_siamese.data.dataset import Dataset, Split
from numpy_siamese.data.image_reader import SUFFIXES, read_image, refuse
from numpy_siamese.data.preparation import GROUNDS, Preparation, has_light_ground
from numpy_siamese.data.raw_images import IMAGE_SHAPE, MOST_IMAGES
from numpy_siamese.errors import InputError, counted, in_one_line, listed, printable

TEST_SHARE = 0.2
"""The share of each class that is to test, unless another is asked for."""

LEAST = 2
"""Images of a class in a half: a pair of the same class needs two."""

HALVES = (("train", "test"), ("training", "testing"))

Classes = Mapping[str, Sequence[Path]]
"""The images of each class, by the name of its folder."""


class ImageFolder(NamedTuple):
    """The images of a folder, not read yet.

    Attributes
    ----------
    path : Path
    train : mapping of str to sequence of Path
        Of each class its images: all there are, if `test` is None.
    test : mapping of str to sequence of Path, or None
    """

    path: Path
    train: Classes
    test: Classes | None


def find_images(folder: Path) -> ImageFolder | None:
    """Return the images in the sub-folders of a folder, or None if there are none.

    The sub-folders are the classes. Or they are ``train`` and ``test``, or ``training`` and
    ``testing``, with the classes inside; what lies beside these is not read. An image may lie
    deeper. Its name ends as one of `image_reader.SUFFIXES`. Names that begin with a dot are left
    out, and ``__MACOSX``.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    ImageFolder or None

    Raises
    ------
    InputError
        A folder cannot be listed. There is one of ``train`` and ``test`` without the other.
    """
    inside = {name.casefold(): folder / name for name in _folders(folder)}
    for pair in HALVES:
        train, test = (_classes(inside[half]) if half in inside else {} for half in pair)
        if train and test:
            return ImageFolder(folder, train, test)
        alone, other = pair if train else pair[::-1]
        if (train or test) and all(
            path.parent != inside[alone] for path in images_in(inside[alone])
        ):
            raise InputError(
                f"{folder}: found classes in {inside[alone].name}, but none in {other}, expected "
                "both, or one sub-folder a class"
            )
    classes = _classes(folder)
    return ImageFolder(folder, classes, None) if classes else None


def read_images(found: ImageFolder, test_share: float | None, seed: int) -> Dataset:
    """Read and prepare the images of a folder.

    Labels count the classes in the order of their names. Without a half to test, a share of each
    class is put aside: those whose names, with the seed, have the least SHA-256. So the split does
    not depend on where the folder lies, and a new image leaves the others nearly where they are.

    Parameters
    ----------
    found : ImageFolder
    test_share : float or None
        Between 0 and 1. Rounded to at least 2 images of each class, and 2 are left to train. None:
        `TEST_SHARE`.
    seed : int

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        Fewer than two classes, one without images or with too few for pairs. Images that cannot be
        read or show nothing: the message names the first, and counts the others. A share for a
        folder that has its own half to test.
    """
    folder, remarks = found.path, []
    if found.test is None:
        train, test = _split(found, TEST_SHARE if test_share is None else test_share, seed)
        counts = [sum(map(len, half.values())) for half in (train, test)]
        remarks.append(f"{counts[1]:,} of {sum(counts):,} images put aside to test, by seed {seed}")
    elif test_share is not None:
        raise own_test_set(folder, test_share)
    else:
        train, test = found.train, found.test
        for half, to in ((train, " to train"), (test, " to test")):
            _check_classes(folder, half, LEAST, "a pair of the same class needs two", to)
    names = sorted({*train, *test})
    class_names = _class_names(folder, names)
    paths = [path for half in (train, test) for name in names for path in half.get(name, ())]
    if len(paths) > MOST_IMAGES:
        raise InputError(f"{folder}: found {len(paths)} images, expected at most {MOST_IMAGES}")
    images, preparation, light = _prepared(paths)
    labels = [
        np.repeat(np.arange(len(names)), [len(half.get(name, ())) for name in names])
        for half in (train, test)
    ]
    middle = len(labels[0])
    return Dataset(
        str(folder),
        Split(images[:middle], labels[0]),
        Split(images[middle:], labels[1]),
        class_names,
        preparation,
        (f"{len(names):,} classes: {listed(class_names.values())}", *remarks, light),
    )


def _class_names(folder: Path, names: Sequence[str]) -> dict[int, str]:
    """Return the names by label, as they are shown: a folder's name may hold codes."""
    shown = [printable(name) for name in names]
    if twice := [name for name, count in Counter(shown).items() if count > 1]:
        raise InputError(
            f"{folder}: found two classes that are shown as {twice[0]}, expected other names"
        )
    return dict(enumerate(shown))


def own_test_set(name: str | os.PathLike[str], test_share: float) -> InputError:
    """Return the error for a share of a data set that is divided already.

    Parameters
    ----------
    name : str or path-like
        Of the data set.
    test_share : float

    Returns
    -------
    InputError
    """
    return InputError(
        f"--test-share: found {test_share}, but {os.fspath(name)} has images to test, expected a "
        "folder of images without"
    )


def _split(found: ImageFolder, share: float, seed: int) -> tuple[Classes, Classes]:
    _check_classes(found.path, found.train, 2 * LEAST, f"{LEAST} to train and {LEAST} to test")
    train, test = {}, {}
    for name, paths in found.train.items():
        count = min(max(round(share * len(paths)), LEAST), len(paths) - LEAST)
        aside = set(sorted(paths, key=lambda path: _rank(found.path, path, seed))[:count])
        test[name] = [path for path in paths if path in aside]
        train[name] = [path for path in paths if path not in aside]
    return train, test


def _rank(folder: Path, path: Path, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}/".encode() + _key(folder, path)).digest()


def _key(folder: Path, path: Path) -> bytes:
    """Return the name of a file within a folder, the same on every system."""
    return path.relative_to(folder).as_posix().encode(errors="surrogateescape")


def _check_classes(folder: Path, classes: Classes, least: int, reason: str, to: str = "") -> None:
    """Refuse classes of which no pairs can be drawn."""
    if len(classes) < 2:
        raise InputError(
            f"{folder}: found images{to} of one class, {listed(classes)}, expected a sub-folder "
            "for each of two classes or more"
        )
    few = {name: len(paths) for name, paths in classes.items() if len(paths) < least}
    if not few:
        return
    name, count = min(few.items())
    others = f" (and {len(few) - 1} more such classes)" if len(few) > 1 else ""
    raise InputError(
        f"{folder}: found {counted(count, 'image')}{to} ({', '.join(SUFFIXES)}) of class {name}"
        f"{others}, expected at least {least}: {reason}"
    )


def _prepared(paths: Sequence[Path]) -> tuple[npt.NDArray[np.uint8], Preparation, str]:
    """Read and prepare images, and say what was decided about their ground.

    Each is prepared for the ground that it seems to have. Only those that the set outvotes are read
    again. So nothing but small images is kept.
    """
    images = np.zeros((len(paths), *IMAGE_SHAPE), np.uint8)
    light = np.zeros(len(paths), bool)
    faults: dict[Path, str] = {}
    for i, path in enumerate(paths):
        try:
            grey = read_image(path)
        except InputError as error:
            faults[path] = str(error)
            continue
        light[i] = has_light_ground(grey)
        images[i] = Preparation("light" if light[i] else "dark")(grey)
    refuse(faults, len(paths))
    preparation = Preparation.of_set(light.tolist())
    if preparation.ground != "mixed":
        for i in np.flatnonzero(light != (preparation.ground == "light")).tolist():
            images[i] = preparation(read_image(paths[i]))
    for i in np.flatnonzero(~images.any(axis=(1, 2))).tolist():
        faults[paths[i]] = (
            f"{paths[i]}: found nothing drawn on {GROUNDS[preparation.ground]}, which the images "
            "of this set have, expected a drawing that stands out of it"
        )
    refuse(faults, len(paths))
    inverted = {"light": "all", "dark": "none", "mixed": "these"}[preparation.ground]
    remark = f"light ground in {light.sum():,} of {len(paths):,} images, {inverted} inverted"
    return images, preparation, remark


def _classes(folder: Path) -> dict[str, list[Path]]:
    """Return the images of each sub-folder, nothing if none has any."""
    classes = {name: images_in(folder / name) for name in _folders(folder)}
    return classes if any(classes.values()) else {}


def _folders(folder: Path) -> list[str]:
    """Return the names of the sub-folders, sorted."""
    try:
        return sorted(
            path.name for path in folder.iterdir() if path.is_dir() and _is_seen(path.name)
        )
    except OSError as error:
        _unlisted(error)


def images_in(folder: Path) -> list[Path]:
    """Return all images of a folder and what lies within, sorted.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Path

    Raises
    ------
    InputError
        A folder cannot be listed.
    """
    found: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=_unlisted):
        folders[:] = filter(_is_seen, folders)
        images = (name for name in names if Path(name).suffix.lower() in SUFFIXES)
        found += (Path(place, name) for name in filter(_is_seen, images))
    return sorted(found, key=lambda path: _key(folder, path))


def _is_seen(name: str) -> bool:
    return not name.startswith(".") and name != "__MACOSX"


def _unlisted(error: OSError) -> NoReturn:
    raise InputError(f"{in_one_line(error)}, expected a folder of images") from error
