"""Drawings as bits, as bytes, and smaller: where ink is."""

import io

import numpy as np
import numpy.typing as npt

from numpy_siamese.data.omniglot.catalogue import SIDE
from numpy_siamese.errors import InputError, reason

Packed = npt.NDArray[np.uint8]
"""Drawings of one bit a pixel, (n, 105, 14): 1 is ink."""

ROW_BYTES = (SIDE + 7) // 8
SMALL_SIDE = 28
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

    y[i, j] is the mean of the 3.75×3.75 pixels that output pixel (i, j) covers, where the side is
    28: (1/225) Σₖₗ wᵢₖ wⱼₗ x[k, l], rounded to the nearest, with w in quarters of a pixel.

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
        found[part] = ink * np.uint8(255) if side == SIDE else _smaller(ink)
    return found


def _smaller(ink: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    shares = _quarters()
    covered = shares.T @ (ink.astype(np.float32) @ shares)  # whole numbers up to 225: exact
    return ((covered.astype(np.int32) * 34 + 15) // 30).astype(np.uint8)  # 255/225 = 34/30


def _quarters() -> npt.NDArray[np.float32]:
    """Return how many quarters of pixel k lie in output pixel i, (105, 28)."""
    of_quarter = np.arange(4 * SIDE) // (4 * SIDE // SMALL_SIDE)
    return np.eye(SMALL_SIDE, dtype=np.float32)[of_quarter].reshape(SIDE, 4, SMALL_SIDE).sum(1)


_WHITE = int.from_bytes(np.packbits(np.ones((SIDE, SIDE), np.uint8), axis=1).tobytes(), "big")
"""The bits of a white page; those behind the end of a row are 0."""
