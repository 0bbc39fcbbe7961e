"""Images of several sources in one row, each with its name and its class."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from numpy_siamese.data.dataset import Dataset
from numpy_siamese.data.folder import data_files
from numpy_siamese.data.image_folder import find_images, images_in
from numpy_siamese.data.image_likes import read_prepared
from numpy_siamese.data.image_reader import SUFFIXES
from numpy_siamese.data.preparation import Preparation
from numpy_siamese.data.raw_images import MOST_IMAGES
from numpy_siamese.data.sources import load, named
from numpy_siamese.errors import InputError, printable

NO_CLASS = ""
"""The class of an image of which none is known."""


class Gallery(NamedTuple):
    """Images in a row.

    Attributes
    ----------
    images : (n, 28, 28) uint8
    names : list of str
        The path of a file; of an image in a data set its half and number.
    classes : list of str
        The name of each image's class, `NO_CLASS` where there is none.
    """

    images: npt.NDArray[np.uint8]
    names: list[str]
    classes: list[str]


def read_gallery(sources: Sequence[str], preparation: Preparation) -> Gallery:
    """Read images of files, folders and data sets.

    Parameters
    ----------
    sources : sequence of str
        An image file. A folder of images, with or without a sub-folder for each class. Of a data
        set, given as `sources.load` takes it, or of a folder with images to train and to test,
        those to test are read.
    preparation : Preparation
        Of pictures. Images of data sets have its size too.

    Returns
    -------
    Gallery

    Raises
    ------
    InputError
        A source does not exist or has no images. Files that cannot be read or that show nothing:
        the first named, the others counted.
    """
    parts = [_part(source, preparation.size) for source in sources]
    files = [path for part in parts if isinstance(part, list) for path, _ in part]
    if len(files) > MOST_IMAGES:
        raise InputError(f"found {len(files)} images, expected at most {MOST_IMAGES}")
    pictures, start = read_prepared(files, preparation), 0
    galleries = []
    for part in parts:
        if isinstance(part, Gallery):
            galleries.append(part)
            continue
        end = start + len(part)
        names, classes = [str(path) for path, _ in part], [name for _, name in part]
        galleries.append(Gallery(pictures[start:end], names, classes))
        start = end
    return Gallery(
        np.concatenate([gallery.images for gallery in galleries]),
        [name for gallery in galleries for name in gallery.names],
        [name for gallery in galleries for name in gallery.classes],
    )


def of_test_images(dataset: Dataset) -> Gallery:
    """Return the images of a data set that are to test.

    Parameters
    ----------
    dataset : Dataset

    Returns
    -------
    Gallery
    """
    images, labels = dataset.test
    return Gallery(
        images,
        [f"{dataset.name} test {i}" for i in range(len(images))],
        [dataset.class_names[label] for label in labels.tolist()],
    )


def files_of(folder: Path, to_test: bool = True) -> list[tuple[Path, str]]:
    """Return the images of a folder, each with its class.

    Parameters
    ----------
    folder : Path
    to_test : bool
        Which half of a folder with images to train and to test.

    Returns
    -------
    list of (Path, str)
        The class is `NO_CLASS` without sub-folders.

    Raises
    ------
    InputError
        There are none, or a folder cannot be listed.
    """
    found = find_images(folder)
    if found is None:
        plain = [(path, NO_CLASS) for path in images_in(folder)]
        if not plain:
            raise InputError(
                f"{folder}: found no images ({', '.join(SUFFIXES)}), expected a folder of them, "
                "with or without a sub-folder for each class"
            )
        return plain
    classes = found.test if to_test and found.test is not None else found.train
    return [(path, printable(name)) for name, paths in classes.items() for path in paths]


def _part(source: str, size: int) -> Gallery | list[tuple[Path, str]]:
    """Return the images of a data set, of this size, or the files of a source, with classes."""
    path = Path(source)
    if source in named():
        return of_test_images(load(source, image_size=size))
    if not path.is_dir():
        return [(path, NO_CLASS)]
    try:
        data_files(path)
    except InputError:
        return files_of(path)
    return of_test_images(load(source, image_size=size))
