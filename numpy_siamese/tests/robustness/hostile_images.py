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
def image_seeds() -> list[bytes]:
    """Return a bitmap, which is nothing but its header and pixels, and what else programs write.

    Every format is there in each kind of mode that it has: one bit, grey, colour, palette, alpha,
    16 bits, ink; and packed in each way that is common.
    """
    grey = Image.fromarray((np.arange(20 * 30) * 7 % 251).astype(np.uint8).reshape(20, 30))
    clear = grey.convert("RGBA")
    clear.putalpha(grey)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    colour, palette = grey.convert("RGB"), grey.convert("P")
    frames = {"save_all": True, "append_images": [grey.rotate(180)]}
    return [
        encoded(grey, "PPM"),
        encoded(colour, "PPM"),
        encoded(deep, "PPM"),
        b"P2 3 2 9\n# grey\n1 2 3\n4 5 9\n",
        b"P1 3 2\n1 0 1\n0 1 0\n",
        *(encoded(image, "BMP") for image in (colour, clear, palette, grey.convert("1"))),
        *(encoded(image, "PNG") for image in (grey, colour, clear, deep, grey.convert("1"))),
        encoded(clear.convert("LA"), "PNG"),
        encoded(palette, "PNG", transparency=7),
        encoded(grey, "PNG", exif=exif, **frames),
        encoded(palette, "GIF", transparency=7, **frames),
        encoded(grey, "JPEG", exif=exif),
        encoded(colour, "JPEG", progressive=True),
        encoded(grey.convert("CMYK"), "JPEG"),
        encoded(Image.merge("YCbCr", (grey, grey, grey.rotate(180))), "JPEG"),
        encoded(clear, "WEBP"),
        encoded(clear, "WEBP", lossless=True),
        encoded(colour, "WEBP", exif=exif, **frames),
        *(encoded(image, "TIFF") for image in (grey, deep)),
        encoded(clear, "TIFF", compression="tiff_adobe_deflate"),
        encoded(palette, "TIFF", compression="packbits"),
        encoded(colour, "TIFF", compression="jpeg"),
        encoded(grey.convert("1"), "TIFF", compression="group4"),
        encoded(grey.convert("CMYK"), "TIFF", compression="tiff_lzw", **frames),
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
            away = np.abs(np.asarray(image.convert("L")) - grey)
            if image.format in ("JPEG", "MPO"):
                # its own luma is rounded once less, and not cut off with colours that cannot be
                levels = np.asarray(image.convert("RGB"))
                away = away[((levels > 0) & (levels < 255)).all(axis=2)] - 1
            assert (away <= 0).all()


READERS = {"image": Reader(read_image, image_seeds, _change, _check)}
