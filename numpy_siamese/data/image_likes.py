"""Images as callers have them, as the network reads them: arrays, files, those of Pillow.

What has the size that the network reads is taken as it is. Every other picture is prepared as the
pictures of a data set are.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arrays
from numpy_siamese.data.image_reader import grey_levels, read_image, refuse
from numpy_siamese.data.preparation import GROUNDS, Grey, Preparation
from numpy_siamese.errors import InputError

Images = npt.NDArray[np.uint8]

COLOURS = (3, 4)
"""Values of a pixel in colour, without and with alpha."""

EXPECTED = "an array of uint8, a path or a Pillow image"


def as_images(value: Any, preparation: Preparation, name: str = "images") -> Images:
    """Return images as the network reads them.

    ==================================  ====================================================
    given                               read as
    ==================================  ====================================================
    (S, S) or (n, S, S) uint8           what the network reads, as it is: ink bright, ground 0
    (H, W) or (n, H, W) uint8           grey pictures, prepared
    (…, H, W, 3) or (…, H, W, 4) uint8  pictures in colour, with alpha as the fourth, prepared
    path, Pillow image                  a picture of any size and mode, prepared
    list, other iterable, array of str  one image each, of any of these
    ==================================  ====================================================

    Floating-point numbers are refused: nothing tells whether their white is 1, 16 or 255. So are
    rows of 784 pixels, which may be one wide picture; ``rows.reshape(-1, 28, 28)`` says what is
    meant. S is the preparation's size, 28 for the recipe's network.

    Parameters
    ----------
    value
    preparation : Preparation
        Of the pictures.
    name : str
        What messages call the value.

    Returns
    -------
    (n, S, S) uint8
        Of a single image n is 1.

    Raises
    ------
    InputError
        Pictures that cannot be read or that show nothing: the first named, the others counted.
    TypeError, ValueError
        No such images.
    """
    if isinstance(value, np.ndarray) and value.dtype.kind == "U":
        value = value.tolist()
    if isinstance(value, np.ndarray):
        return _of_array(value, preparation, name)
    if _is_single(value) or not isinstance(value, Iterable):
        return _one(value, preparation, name)[None]
    items = list(value)
    found = np.zeros((len(items), preparation.size, preparation.size), np.uint8)
    faults: dict[int, str] = {}
    for i, item in enumerate(items):
        try:
            found[i] = _one(item, preparation, f"{name}[{i}]")
        except InputError as error:
            faults[i] = str(error)
    refuse(faults, len(items))
    return found


def as_image(value: Any, preparation: Preparation, name: str) -> Images:
    """Return one image of what `as_images` takes.

    Parameters
    ----------
    value, preparation, name
        As in `as_images`.

    Returns
    -------
    image : (S, S) uint8

    Raises
    ------
    InputError, TypeError, ValueError
        As `as_images`, and for several images or none.
    """
    found = as_images(value, preparation, name)
    if len(found) != 1:
        raise ValueError(f"{name} must be one image, got {len(found)}")
    return found[0]


def read_prepared(paths: Sequence[str | os.PathLike[str]], preparation: Preparation) -> Images:
    """Read image files and prepare them.

    Parameters
    ----------
    paths : sequence of path-like
    preparation : Preparation

    Returns
    -------
    images : (n, S, S) uint8

    Raises
    ------
    InputError
        Files that cannot be read or that show nothing: the first named, the others counted.
    """
    return as_images(list(paths), preparation)


def _one(value: Any, preparation: Preparation, name: str) -> Images:
    """Return (S, S) of one image."""
    if isinstance(value, str | os.PathLike):
        return _prepared(read_image(value), preparation, os.fspath(value))
    if _is_pillow(value):
        try:
            grey = grey_levels(value)
        except InputError as error:
            raise InputError(f"{name}: {error}") from error
        return _prepared(grey, preparation, name)
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{name} must be {EXPECTED}, got {_arrays.type_name(value)}")
    found = _of_array(value, preparation, name)
    if len(found) != 1:
        raise ValueError(f"{name} must be one image, got {len(found)}")
    return found[0]


def _of_array(value: Any, preparation: Preparation, name: str) -> Images:
    """Return (n, S, S) of an array of one image or several."""
    array = _arrays.array(name, value)
    if array.dtype != np.uint8:
        raise TypeError(
            f"{name} must be uint8, 0 for black and 255 for white, got {array.dtype}; of numbers "
            "from 0 to 1: np.rint(255 * x).astype(np.uint8)"
        )
    if array.ndim > 2 and array.shape[-1] == 1:
        raise ValueError(f"{name}: found an axis of one colour in {array.shape}, expected [..., 0]")
    in_colour = array.ndim in (3, 4) and array.shape[-1] in COLOURS
    if array.ndim - in_colour not in (2, 3):
        raise ValueError(
            f"{name} must be (H, W), (n, H, W) or these with colours, got {array.shape}"
        )
    if array.ndim - in_colour == 2:
        array = array[None]
    side = preparation.size
    if not in_colour and array.shape[1:] == (side, side):
        return array
    if array.ndim == 3 and len(array) == 1 and array.shape[2] == side * side:
        raise ValueError(
            f"{name}: rows of {side * side} pixels are images as .reshape(-1, {side}, {side})"
        )
    from PIL.Image import fromarray

    return as_images(
        [fromarray(np.ascontiguousarray(picture)) for picture in array], preparation, name
    )


def _prepared(grey: Grey, preparation: Preparation, name: str) -> Images:
    image = preparation(grey)
    if not image.any():
        raise InputError(
            f"{name}: found nothing drawn on {GROUNDS[preparation.ground]}, expected a drawing "
            "that stands out of it"
        )
    return image


def _is_single(value: Any) -> bool:
    return isinstance(value, str | bytes | os.PathLike) or _is_pillow(value)


def _is_pillow(value: Any) -> bool:
    """Tell whether it is an image of Pillow, which need not be imported for that."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)
