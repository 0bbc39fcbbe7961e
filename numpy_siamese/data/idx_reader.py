"""Reader of IDX, the format in which MNIST was published."""

import io
import math
import os
import struct

import numpy as np
import numpy.typing as npt

from numpy_siamese.data.file_kind import HEAD_BYTES, file_kind
from numpy_siamese.data.raw_images import IMAGE_SHAPE, MOST_IMAGES
from numpy_siamese.errors import InputError
from numpy_siamese.files.reading import open_unpacked

IDX_IMAGES, IDX_LABELS = 0x00000803, 0x00000801  # uint8 in three dimensions, in one
MOST_BYTES = 2**30  # more than a million images need, packed or not
CHUNK_BYTES = 2**20


def read_idx_images(path: str | os.PathLike[str]) -> npt.NDArray[np.uint8]:
    """Read the images of an IDX file, plain or gzip (told by its content, not by its name).

    Parameters
    ----------
    path : path-like
        Big-endian header 0x00000803, count, 28, 28; then count × 784 bytes.

    Returns
    -------
    ndarray of uint8, shape (count, 28, 28)

    Raises
    ------
    InputError
        The file cannot be read, is damaged, or is something else (the message says what). It holds
        fewer or more bytes than its header promises. Memory grows with the bytes found, never with
        the promise.

    References
    ----------
    LeCun, Cortes & Burges, *The MNIST database of handwritten digits*: the IDX file format.
    """
    return _read_idx(path, IDX_IMAGES, IMAGE_SHAPE, "images")


def read_idx_labels(path: str | os.PathLike[str]) -> npt.NDArray[np.int64]:
    """Read the labels of an IDX file, plain or gzip: header 0x00000801, count; then count bytes.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    ndarray of int64, shape (count,)

    Raises
    ------
    InputError
        As `read_idx_images` does.
    """
    return _read_idx(path, IDX_LABELS, (), "labels").astype(np.int64)


def _read_idx(
    path: str | os.PathLike[str], magic: int, item_shape: tuple[int, ...], items: str
) -> npt.NDArray[np.uint8]:
    """Return the (count, *item_shape) array of an IDX file of `items`."""
    with open_unpacked(path, f"{items} in IDX", MOST_BYTES) as (source, file_size):
        count = _read_header(source, path, magic, item_shape, items)
        size = count * math.prod(item_shape)
        if file_size is not None and file_size != source.tell() + size:
            raise _unlike_its_promise(path, file_size - source.tell(), count, size, items)
        # One byte too many tells trailing bytes; reaching the end makes gzip check its CRC.
        body = _read_at_most(source, size + 1)
    if len(body) != size:
        raise _unlike_its_promise(path, len(body), count, size, items)
    return np.frombuffer(body, np.uint8).reshape(count, *item_shape)


def _unlike_its_promise(
    path: str | os.PathLike[str], found: int, count: int, size: int, items: str
) -> InputError:
    return InputError(
        f"{path}: found {f'more than {size}' if found > size else found} bytes after the header, "
        f"expected {size} for the {count} {items} it promises"
        f"{': cut short?' if found < size else ''}"
    )


def _read_header(
    source: io.BufferedIOBase,
    path: str | os.PathLike[str],
    magic: int,
    item_shape: tuple[int, ...],
    items: str,
) -> int:
    """Check the header, big-endian (magic, count, *item_shape), and return its count."""
    layout = struct.Struct(f">{2 + len(item_shape)}I")
    header = source.read(layout.size)
    if not header.startswith(magic.to_bytes(4)) and len(header) >= 4:
        raise _not_idx(header + source.read(HEAD_BYTES - layout.size), path, magic, items)
    if len(header) < layout.size:
        raise InputError(
            f"{path}: found {len(header)} bytes, expected {items} in IDX, with a header of "
            f"{layout.size} bytes"
        )
    _, count, *found_shape = layout.unpack(header)
    if tuple(found_shape) != item_shape:
        found, expected = ("×".join(map(str, shape)) for shape in (found_shape, item_shape))
        raise InputError(f"{path}: found {items} of {found} pixels, expected {expected}")
    if count > MOST_IMAGES:
        raise InputError(
            f"{path}: found a header that promises {count} {items}, expected at most {MOST_IMAGES}"
        )
    return count


def _not_idx(head: bytes, path: str | os.PathLike[str], magic: int, items: str) -> InputError:
    kind = file_kind(head)
    return InputError(
        f"{path}: found magic number 0x{head[:4].hex()}, "
        f"expected 0x{magic:08x} ({items} in IDX){f': this is {kind}' if kind else ''}"
    )


def _read_at_most(source: io.BufferedIOBase, limit: int) -> bytearray:
    # In chunks, because read(limit) would allocate what a false header promises.
    body = bytearray()
    while chunk := source.read(min(CHUNK_BYTES, limit - len(body))):
        body += chunk
    return body
