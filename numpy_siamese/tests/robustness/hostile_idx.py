"""Images and labels as an enemy or a bad disk would have them: IDX, plain and packed."""

import functools
import struct
from random import Random

import numpy as np

from numpy_siamese.data.idx_reader import read_idx_images, read_idx_labels
from numpy_siamese.tests.robustness.spoiling import (
    INTERESTING,
    Reader,
    change_inside,
    packed,
    unpacked,
)


@functools.cache
def _image_seeds() -> list[bytes]:
    pixels = bytes(i * i % 251 for i in range(3 * 784))
    return [struct.pack(">4I", 0x803, n, 28, 28) + pixels[: n * 784] for n in (1, 0, 3)]


@functools.cache
def _label_seeds() -> list[bytes]:
    return [struct.pack(">2I", 0x801, n) + bytes(i % 10 for i in range(n)) for n in (10, 0, 300)]


def _change_idx(random: Random, content: bytes) -> bytes:
    """Set a word of the header, or make the header true of what follows it."""
    if random.random() < 0.7:
        at = 4 * random.randint(0, 3)
        value = random.choice([*INTERESTING, 0x801, 0x803]) % 2**32
        return content[:at] + struct.pack(">I", value) + content[at + 4 :]
    return struct.pack(">4I", 0x803, max(len(content) - 16, 0) // 784, 28, 28) + content[16:]


def _check_images(content: bytes, images: np.ndarray) -> None:
    assert (images.dtype, images.shape[1:]) == (np.uint8, (28, 28))
    header = struct.pack(">4I", 0x803, len(images), 28, 28)
    assert unpacked(content) == header + images.tobytes()


def _check_labels(content: bytes, labels: np.ndarray) -> None:
    assert (labels.dtype, labels.ndim) == (np.int64, 1)
    header = struct.pack(">2I", 0x801, len(labels))
    assert unpacked(content) == header + labels.astype(np.uint8).tobytes()


@functools.cache
def _gzip_seeds() -> list[bytes]:
    one, none, three = _image_seeds()
    return [packed(one), packed(none), packed(three[:700]) + packed(three[700:])]


def _change_gzip(random: Random, content: bytes) -> bytes:
    """Change what is packed, leave out a check, add a member, or expand without end."""
    what = random.randint(0, 3)
    if what == 0:
        return content + packed(bytes(random.choice([0, 1, 784, 2**16])))
    if what == 1:  # name, comment, extra field, header checksum; reserved flags
        return content[:3] + bytes([random.randint(0, 255)]) + content[4:]
    if what == 2:
        return content[:-8] + random.randbytes(8)
    return change_inside(random, content, _change_idx)


READERS = {
    "images": Reader(read_idx_images, _image_seeds, _change_idx, _check_images),
    "labels": Reader(read_idx_labels, _label_seeds, _change_idx, _check_labels),
    "gzip": Reader(read_idx_images, _gzip_seeds, _change_gzip, _check_images),
}
