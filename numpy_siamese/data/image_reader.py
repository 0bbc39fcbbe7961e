"""Reader of pictures: one image file of any size and mode, as grey levels."""

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt

from numpy_siamese.data.file_kind import HEAD_BYTES, TEXT, file_kind
from numpy_siamese.data.preparation import Grey
from numpy_siamese.errors import InputError, reason
from numpy_siamese.files.reading import open_input

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = {
    ".bmp": "BMP",
    ".gif": "GIF",
    ".jpeg": "JPEG",
    ".jpg": "JPEG",
    ".pgm": "PPM",
    ".png": "PNG",
    ".ppm": "PPM",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}
"""How names of image files end, and Pillow's name of the format."""

EXPECTED = "an image (PNG, JPEG, GIF, BMP, TIFF, WebP, PGM or PPM)"
MOST_BYTES = 2**28
MOST_PIXELS = 2**26
"""Of a photograph of 67 megapixels. A file of a few bytes can promise more than memory holds."""

STDERR = 2
"""The file that C writes errors to."""

LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue, as Pillow has them."""

MOST_SIDE = 1024
"""Pixels of a side that are kept, and still many for a box of 20."""


def read_image(path: str | os.PathLike[str]) -> Grey:
    """Read an image file as grey levels. Its content tells the format, not its name.

    Of an animation the first frame is read. The rotation that a camera noted (EXIF) is applied.
    What is transparent lies on white, or on black where what is drawn is light itself. Colours
    become grey by their luma (ITU-R 601-2), 16 bits become 8. An image of more than 1024 pixels a
    side is made smaller by a whole factor.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    (H, W) float32
        Levels from 0, black, to 255, white.

    Raises
    ------
    InputError
        The file cannot be read, is damaged, empty or no image. It has more than `MOST_PIXELS`
        pixels, or pixels that are neither of 8 nor of 16 bits.
    """
    with open_input(path, EXPECTED, MOST_BYTES) as (file, _):
        head = file.read(HEAD_BYTES)
        file.seek(0)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of sizes, and of damage that does no harm
                return _decoded(file)
        except Exception as error:  # a decoder is foreign code, and raises whatever it meets
            raise InputError(f"{path}: {_fault(head, error)}") from error


def grey_levels(image: "Image") -> Grey:
    """Return an image of Pillow as grey levels, as `read_image` does.

    Parameters
    ----------
    image : PIL.Image.Image

    Returns
    -------
    (H, W) float32
        Levels from 0, black, to 255, white.

    Raises
    ------
    InputError
        It is damaged or empty, has more than `MOST_PIXELS` pixels, or pixels that are neither of 8
        nor of 16 bits.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _check_size(image)
            return _upright(image)
    except InputError:
        raise
    except Exception as error:  # a file behind it is decoded only now
        raise InputError(_damaged("an image", error)) from error


def refuse(faults: Mapping[Any, str], total: int) -> None:
    """Refuse images, if there are faults: name the first, count the others.

    Parameters
    ----------
    faults : mapping of what can be sorted to str
    total : int
        Images looked at.

    Raises
    ------
    InputError
    """
    if faults:
        others = len(faults) - 1
        more = f" (and {others} more of {total} images cannot be used)" if others else ""
        raise InputError(f"{faults[min(faults)]}{more}")


def _fault(head: bytes, error: Exception) -> str:
    """Return what is wrong with a file that cannot be read, and what was expected."""
    from PIL import UnidentifiedImageError
    from PIL.Image import DecompressionBombError

    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, DecompressionBombError):
        return f"found too many pixels ({reason(error)}), expected at most {MOST_PIXELS}"
    kind = file_kind(head) or "a file of another kind"
    is_image = kind.endswith("image")
    if isinstance(error, UnidentifiedImageError):
        return f"found {kind.replace(TEXT, 'text')}{', damaged' * is_image}, expected {EXPECTED}"
    return _damaged(kind if is_image else "an image", error)


def _damaged(what: str, error: Exception) -> str:
    return f"found {what}, damaged ({reason(error) or type(error).__name__}), expected a whole one"


def _decoded(file: BinaryIO) -> Grey:
    from PIL import Image

    with Image.open(file, formats=sorted(set(SUFFIXES.values()))) as image:
        _check_size(image)
        image.draft("L", (MOST_SIDE, MOST_SIDE))  # JPEG alone can be decoded smaller than it is
        with _quiet() if image.format == "TIFF" else nullcontext():
            return _upright(image)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep libtiff from writing lines of its own on the process's standard error."""
    try:
        kept = os.dup(STDERR)
    except OSError:  # closed: nobody reads what it writes
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, STDERR)
        yield
    finally:
        os.dup2(kept, STDERR)
        os.close(nowhere)
        os.close(kept)


def _check_size(image: "Image") -> None:
    width, height = image.size
    if not width * height:
        raise InputError(f"found {width}×{height} pixels, expected at least one")
    if width * height > MOST_PIXELS:
        raise InputError(f"found {width}×{height} pixels, expected at most {MOST_PIXELS}")


def _upright(image: "Image") -> Grey:
    """Return the levels of an image, turned as its camera noted."""
    from PIL import ImageOps

    return _grey(ImageOps.exif_transpose(image))


def _grey(image: "Image") -> Grey:
    """Return the levels of an image of any mode, 0..255."""
    from PIL.Image import fromarray

    if image.mode.startswith("I"):  # 16 bits, or what holds them
        levels = np.asarray(image)
        if levels.min() < 0 or levels.max() > 2**16 - 1:
            raise InputError(
                f"found pixels from {levels.min()} to {levels.max()}, expected 8 or 16 bits"
            )
        return _smaller(fromarray(levels.astype(np.float32) / 257))
    if image.mode == "F":
        raise InputError("found pixels of floating-point numbers, expected 8 or 16 bits")
    if image.has_transparency_data:
        return _on_its_ground(_smaller(image.convert("RGBA").convert("RGBa")))
    if image.mode not in ("1", "L"):
        image = image.convert("RGB")
    return _smaller(image.convert("L"))


def _on_its_ground(premultiplied: npt.NDArray[np.float32]) -> Grey:
    """Lay an image with alpha, (H, W, 4), on white, or on black if what it shows is light."""
    luma = premultiplied[..., :3] @ np.array(LUMA, np.float32)  # (H, W)
    cover = premultiplied[..., 3] / 255
    dark = luma.sum(dtype=np.float64) < 127.5 * cover.sum(dtype=np.float64)
    return (luma + (1 - cover) * (255 if dark else 0)).astype(np.float32)


def _smaller(image: "Image") -> npt.NDArray[np.float32]:
    """Return an image as an array, with sides of at most `MOST_SIDE`."""
    factor = -(-max(image.size) // MOST_SIDE)
    return np.asarray(image.reduce(factor), np.float32)
