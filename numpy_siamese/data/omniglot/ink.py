"""Drawings as bits, as bytes, and smaller: where ink is."""

import io
from functools import cache

import numpy as np
import numpy.typing as npt

from numpy_siamese.data.omniglot.catalogue import SIDE
from numpy_siamese.data.preparation import BOX, CENTRE
from numpy_siamese.data.preparation import SIZE as SMALL_SIDE
from numpy_siamese.errors import InputError, reason

Packed = npt.NDArray[np.uint8]
"""Drawings of one bit a pixel, (n, 105, 14): 1 is ink."""

ROW_BYTES = (SIDE + 7) // 8
SIZES = (SMALL_SIDE, SIDE)
"""Sides of the images that there are."""

_BLOCK = 2048
_EXPECTED = f"a black and white PNG of {SIDE}×{SIDE} pixels"


def packed_ink(content: bytes) -> bytes:
    """Return the drawing of a PNG, which is black on white, as one row of `Packed`.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    bytes
        105 rows of 14 bytes.

    Raises
    ------
    InputError
        It is damaged, or is no PNG of this size of one bit a pixel.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if image.size != (SIDE, SIDE) or image.mode != "1":
                raise InputError(
                    f"found {image.size[0]}×{image.size[1]} pixels of mode {image.mode}, "
                    f"expected {_EXPECTED}"
                )
            rows = image.tobytes()
    except InputError:
        raise
    except Exception as error:  # a decoder is foreign code, and raises whatever it meets
        raise InputError(
            f"found no whole image ({reason(error) or type(error).__name__}), expected {_EXPECTED}"
        ) from error
    return (~int.from_bytes(rows, "big") & _WHITE).to_bytes(len(rows), "big")


def images(packed: Packed, side: int) -> npt.NDArray[np.uint8]:
    """Return drawings as images, bright ink on black.

    105×105 pixels are the drawing as it is. 28×28 pixels are made as
    `data.preparation` makes them of every picture: cropped, scaled and centred as MNIST's digits.
    Here areas are exact, and the same on every machine. Pillow's are to whole pixels, so a picture
    of a character may differ by some levels, and lie a pixel off.

    Parameters
    ----------
    packed : (n, 105, 14) uint8
    side : int
        28 or 105.

    Returns
    -------
    (n, side, side) uint8
        0..255.
    """
    found = np.empty((len(packed), side, side), np.uint8)
    for start in range(0, len(packed), _BLOCK):
        part = slice(start, start + _BLOCK)
        ink = np.unpackbits(packed[part], axis=2, count=SIDE)  # (b, 105, 105)
        found[part] = ink * np.uint8(255) if side == SIDE else [*map(_in_the_box, ink)]
    return found


def _in_the_box(ink: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return 28×28 pixels of a drawing: cropped, made to fit 20×20, its mass on pixel 14.

    A pixel is the mean of the area of h×w pixels that it covers of h′×w′ times the drawing, so that
    all areas are whole numbers. The strongest pixel becomes 255.
    """
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    image = np.zeros((SMALL_SIDE, SMALL_SIDE), np.uint8)
    if not len(rows):
        return image
    drawn = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]  # (h, w)
    longest = max(drawn.shape)
    of_rows, of_columns = (_areas(n, max(1, round(n * BOX / longest))) for n in drawn.shape)
    covered = (of_rows.T @ drawn @ of_columns).astype(np.int64)  # (h′, w′), whole, at most h·w
    top = covered.max()
    starts = []
    for axis, length in enumerate(covered.shape):
        mass = covered.sum(axis=1 - axis)
        centre = int(mass @ np.arange(length)) / int(mass.sum())
        starts.append(min(max(round(CENTRE - 0.5 - centre), 0), SMALL_SIDE - length))
    first, left = starts
    place = slice(first, first + covered.shape[0]), slice(left, left + covered.shape[1])
    image[place] = (2 * 255 * covered + top) // (2 * top)
    return image


@cache
def _areas(pixels: int, cells: int) -> npt.NDArray[np.float64]:
    """Return what pixel k and cell i share of a length of pixels·cells, as (k, i)."""
    k, i = np.arange(pixels)[:, None], np.arange(cells)
    ends = np.minimum((k + 1) * cells, (i + 1) * pixels)
    return np.maximum(ends - np.maximum(k * cells, i * pixels), 0).astype(np.float64)


_WHITE = int.from_bytes(np.packbits(np.ones((SIDE, SIDE), np.uint8), axis=1).tobytes(), "big")
"""The bits of a white page; those behind the end of a row are 0."""
