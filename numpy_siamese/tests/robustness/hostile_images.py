"""Pictures as an enemy or a bad disk would have them, in every format that is read."""

import functools
import io
import struct
import warnings
import zlib
from random import Random

import numpy as np
from PIL import Image

from numpy_siamese.data.image_reader import MOST_SIDE, read_image
from numpy_siamese.tests.robustness.spoiling import INTERESTING, Reader

PLAIN = ("1", "L", "RGB")
"""Modes of which Pillow's own conversion to grey is what the reader must find."""


def encoded(image: Image.Image, format: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def png(width: int, height: int, depth: int = 8, colour: int = 0, data: bytes = b"") -> bytes:
    """Return a PNG whose header promises what it likes, with these pixels, not packed yet."""
    header = struct.pack(">2I5B", width, height, depth, colour, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(data)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@functools.cache
def _seeds() -> list[bytes]:
    """Return a bitmap, which is nothing but its header and pixels, and what else cameras write."""
    grey = Image.fromarray((np.arange(20 * 30) * 7 % 251).astype(np.uint8).reshape(20, 30))
    clear = grey.convert("RGBA")
    clear.putalpha(grey)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    return [
        encoded(grey, "PPM"),
        encoded(grey.convert("RGB"), "BMP"),
        encoded(grey, "PNG"),
        encoded(clear, "PNG"),
        encoded(Image.fromarray(np.asarray(grey).astype(np.uint16) * 257), "PNG"),
        encoded(grey.convert("P"), "GIF", save_all=True, append_images=[grey.convert("P")]),
        encoded(grey, "JPEG", exif=exif),
        encoded(clear, "WEBP"),
        encoded(grey.convert("CMYK"), "TIFF", compression="tiff_lzw"),
    ]


def _change(random: Random, content: bytes) -> bytes:
    """Set a chunk of a PNG anew with its right checksum, or a number of a header."""
    at = content.find(random.choice([b"IHDR", b"IDAT", b"eXIf", b"tRNS"]))
    if at < 4 or random.random() < 0.3:
        layout = random.choice(["<H", ">H", "<I", ">I"])
        at = random.randint(0, min(len(content), 64))
        value = random.choice(INTERESTING) % 2 ** (8 * struct.calcsize(layout))
        return content[:at] + struct.pack(layout, value) + content[at + struct.calcsize(layout) :]
    (size,) = struct.unpack(">I", content[at - 4 : at])
    body = bytearray(content[at + 4 : at + 4 + size][: 2**16])
    for _ in range(random.randint(1, 3)):
        if body:
            body[random.randrange(len(body))] = random.choice([0, 1, 3, 16, 255])
    return content[: at - 4] + _chunk(content[at : at + 4], bytes(body)) + content[at + 8 + size :]


def _check(content: bytes, grey: np.ndarray) -> None:
    assert (grey.dtype, grey.ndim) == (np.float32, 2)
    assert 1 <= min(grey.shape) <= max(grey.shape) <= MOST_SIDE
    assert 0 <= grey.min() <= grey.max() <= 255 + 1e-3  # a sum of three shares, rounded
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(io.BytesIO(content))
        simple = image.mode in PLAIN and not image.has_transparency_data
        if simple and max(image.size) <= MOST_SIDE and image.getexif().get(0x0112, 1) == 1:
            expected = np.asarray(image.convert("L"))
            # JPEG's own luma is rounded once less
            assert np.abs(expected - grey).max() <= (image.format in ("JPEG", "MPO"))


READERS = {"image": Reader(read_image, _seeds, _change, _check)}
