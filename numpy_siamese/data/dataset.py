"""A data set as arrays of images and labels, and images as the network reads them."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arrays
from numpy_siamese.data.one_shot_images import Drawings, OneShotImages
from numpy_siamese.data.preparation import Preparation


class Split(NamedTuple):
    """The images of one half of a data set and their classes.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, H, W)
        At least one. H and W are 28, or 105 where Omniglot was asked for so.
    labels : ndarray of int64, shape (n,)
        Whole numbers from 0 up, at least two different ones.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set: what it was asked for as, what to train on, what to test on.

    Attributes
    ----------
    name : str
    train, test : Split
    class_names : mapping of int to str
        What each label is called. Without names a label is called as its number.
    preparation : Preparation or None
        How pictures became these images. None for images of 28×28 that were stored as such.
    remarks : tuple of str
        What was decided in reading, for the one who asked for the data.
    whole : Dataset or None
        The data set of which this is a part: see `holdout.without_classes`.
    alphabets : mapping of int to str
        Which alphabet each label belongs to. Empty where characters have none.
    validation : Split or None
        What to choose settings on, if the data set says it: neither to train nor to test on.
    one_shot : OneShotImages or None
        Drawings for one-shot trials, if the data set has them.

    Raises
    ------
    TypeError, ValueError
        A half that is no `Split` of images and as many labels. A label without a name, or two of
        one name. Alphabets of some labels alone.
    """

    name: str
    train: Split
    test: Split
    class_names: Mapping[int, str] = field(default_factory=dict)
    preparation: Preparation | None = None
    remarks: tuple[str, ...] = ()
    whole: "Dataset | None" = None
    alphabets: Mapping[int, str] = field(default_factory=dict)
    validation: Split | None = None
    one_shot: OneShotImages | None = None

    def __post_init__(self) -> None:
        for name, split in self._splits().items():
            if not isinstance(split, Split):
                raise TypeError(f"{name} must be a Split, got {_arrays.type_name(split)}")
            images = checked_images(split.images, f"{name}.images")
            labels = _arrays.array(f"{name}.labels", split.labels)
            if labels.dtype.kind not in "iu":
                raise TypeError(f"{name}.labels must be integers, got {labels.dtype}")
            if labels.shape != images.shape[:1]:
                raise ValueError(f"{name}.labels must be ({len(images)},), got {labels.shape}")
        known = self._labels()
        names = self.class_names or {label: str(label) for label in known}
        object.__setattr__(self, "class_names", _checked_names(names, known))
        if self.alphabets and (nameless := [n for n in known if n not in self.alphabets]):
            raise ValueError(f"alphabets must hold every label, got none for {nameless[0]}")

    def checksum(self) -> str:
        """Return the SHA-256 of all images and labels, however they were stored.

        Official runs are left out: their images are among the drawings.

        Returns
        -------
        str
            In hexadecimal digits.
        """
        digest = hashlib.sha256()
        for split in self._splits().values():
            digest.update(split.images.tobytes())
            digest.update(split.labels.astype("<i8").tobytes())
        for drawings in self._drawings():
            digest.update(drawings.images.tobytes())
            for numbers in (drawings.labels, drawings.alphabets, drawings.drawers):
                digest.update(numbers.astype("<i8").tobytes())
        return digest.hexdigest()

    def _splits(self) -> dict[str, Split]:
        """Return the splits that there are, by name."""
        splits = {"train": self.train, "test": self.test}
        return splits if self.validation is None else splits | {"validation": self.validation}

    def _drawings(self) -> tuple[Drawings, ...]:
        return () if self.one_shot is None else (self.one_shot.validation, self.one_shot.test)

    def _labels(self) -> list[int]:
        """Return every label that there is, once, in order."""
        found = [split.labels for split in self._splits().values()]
        found += [drawings.labels for drawings in self._drawings()]
        labels: list[int] = np.unique(np.concatenate(found)).tolist()
        return labels


def _checked_names(names: Mapping[int, str], labels: Sequence[int]) -> dict[int, str]:
    """Return the names of these labels, by label."""
    found: dict[int, str] = {}
    taken: set[str] = set()
    for label in labels:
        if label not in names:
            raise ValueError(f"class_names must name every label, got none for {label}")
        name = names[label]
        if not isinstance(name, str):
            raise TypeError(f"class_names must be strings, got {_arrays.type_name(name)}")
        if not name or name in taken:
            raise ValueError(f"class_names must differ and not be empty, got {name!r} for {label}")
        taken.add(name)
        found[label] = name
    return found


def gather(images: np.ndarray, index: npt.ArrayLike, dtype: type[np.floating]) -> np.ndarray:
    """Take images as the network reads them.

    Parameters
    ----------
    images : (n, 28, 28) uint8
    index : (N,) integers, each from 0 to n − 1
        An array, list, tuple, pandas Series: taken by position, whatever index it has.
    dtype : numpy.float32 or numpy.float64

    Returns
    -------
    (N, 1, 28, 28), raw pixel values 0..255, the batch innermost in memory

    Raises
    ------
    TypeError, ValueError, IndexError
        No such images, index or dtype; an index below 0 or above n − 1.
    """
    images, dtype = checked_images(images), _arrays.float_type("dtype", dtype)
    index = _arrays.index("index", index, len(images), images)
    return as_read(images.take(index, axis=0), dtype)


def as_read(images: np.ndarray, dtype: type[np.floating]) -> np.ndarray:
    """Return images as the network reads them.

    Parameters
    ----------
    images : (N, H, W) uint8
    dtype : numpy.float32 or numpy.float64

    Returns
    -------
    (N, 1, H, W), raw pixel values 0..255, the batch innermost in memory
    """
    images, dtype = checked_images(images), _arrays.float_type("dtype", dtype)
    N, *shape = images.shape
    innermost = images.reshape(N, math.prod(shape)).T.astype(dtype, order="C")  # (H·W, N)
    return innermost.T.reshape(N, 1, *shape)


def are_images(side: Any) -> bool:
    """Return whether one side of a batch is given as images, and not as indices of images.

    Parameters
    ----------
    side : (N, H, W) uint8, or (N,) integers

    Returns
    -------
    bool
    """
    return getattr(side, "ndim", 1) == 3


def has_all_pairs(targets: Any) -> bool:
    """Return whether targets are those of all pairs, (N, M), and not of single pairs, (N, 1).

    Parameters
    ----------
    targets : as a batch has them

    Returns
    -------
    bool
    """
    shape: tuple[int, ...] = getattr(targets, "shape", ())
    return len(shape) == 2 and shape[1] > 1


def checked_images(images: np.ndarray, name: str = "images") -> np.ndarray:
    """Return images, if they are (n, H, W) uint8.

    Parameters
    ----------
    images : (n, H, W) uint8
    name : str
        What an error calls them.

    Returns
    -------
    array
        The images as they are.
    """
    images = _arrays.array(name, images)
    if images.dtype != np.uint8:
        raise TypeError(f"{name} must be uint8, got {images.dtype}")
    if images.ndim != 3:
        raise ValueError(f"{name} must be (n, 28, 28), got {images.shape}")
    return images
