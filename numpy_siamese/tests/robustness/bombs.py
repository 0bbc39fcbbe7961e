"""Files that ask for far more memory or time than their size suggests."""

import gzip
import io
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

from numpy_siamese.data.raw_images import MOST_IMAGES
from numpy_siamese.tests.robustness.hostile_images import png
from numpy_siamese.tests.robustness.hostile_onnx import model_with_shape
from numpy_siamese.tests.robustness.readers import READERS


def sparse(path: Path, start: bytes, size: int) -> None:
    """Write a file that is zeros after its start, and takes no room on disk."""
    path.write_bytes(start)
    os.truncate(path, size)


def bomb(path: Path, start: bytes) -> None:
    """Write 4 MB of gzip that expand to 4 GiB of zeros after the start."""
    path.write_bytes(gzip.compress(start) + gzip.compress(bytes(2**24)) * 2**8)


def written(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def list_of(path: Path, members: int) -> None:
    """Write an archive that holds nothing but a list of members, none of which is there."""
    entry = struct.pack("<4s6H3I5H2IB", b"PK\1\2", *[0] * 9, 1, *[0] * 6, ord("a"))
    size = members * len(entry)
    path.write_bytes(entry * members + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0, 0, size, 0, 0))


def packed_bomb(path: Path) -> None:
    """Write official runs whose table expands to 144 MiB, and is said to have 100 bytes."""
    name = "run01/class_labels.txt"
    valid = io.BytesIO(READERS["omniglot runs"].seeds()[0])
    with (
        zipfile.ZipFile(valid) as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for other in source.namelist():
            if other != name:
                archive.writestr(other, source.read(other), zipfile.ZIP_DEFLATED)
        with archive.open(name, "w") as member:
            for _ in range(9):
                member.write(bytes(2**24))
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\1\2") + 24
    content[at : at + 4] = struct.pack("<I", 100)
    path.write_bytes(content)


IMAGES = struct.Struct(">4I")
BOMBS: dict[str, dict[str, Callable[[Path], None]]] = {
    "images": {
        "a promise of 2³¹": lambda p: written(p, IMAGES.pack(0x803, 2**31, 28, 28)),
        "a promise of the most": lambda p: written(p, IMAGES.pack(0x803, MOST_IMAGES, 28, 28)),
        "4 GiB": lambda p: sparse(p, IMAGES.pack(0x803, 1, 28, 28), 2**32),
        "1 GiB": lambda p: sparse(p, IMAGES.pack(0x803, 1, 28, 28), 2**30),
    },
    "labels": {"1 GiB": lambda p: sparse(p, struct.pack(">2I", 0x801, 9), 2**30)},
    "gzip": {
        "one image, then no end": lambda p: bomb(p, IMAGES.pack(0x803, 1, 28, 28)),
        "a promise of 2³¹": lambda p: bomb(p, IMAGES.pack(0x803, 2**31, 28, 28)),
        "no IDX": lambda p: bomb(p, b""),
    },
    "image": {
        "a PNG of 2³¹ × 2³¹": lambda p: written(p, png(2**31 - 1, 2**31 - 1)),
        "a PNG of 64000 × 64000": lambda p: written(p, png(64_000, 64_000, data=bytes(2**24))),
        "a GIF of 65535 × 65535": lambda p: written(p, b"GIF89a" + b"\xff" * 4 + bytes(3)),
        "a PGM of 8193 × 8193": lambda p: sparse(p, b"P5 8193 8193 255\n", 2**27),
        "4 GiB": lambda p: sparse(p, b"P5 28 28 255\n", 2**32),
        "a text of 128 MiB": lambda p: sparse(p, b"P5 ", 2**27),
    },
    "folder": {
        "a bomb among drawings": lambda p: written(
            p, READERS["folder"].seeds()[0] + b"\0" + b"5a/5.png"
        ),
        "a bomb for each class": lambda p: written(p, b"\0".join([b"5a/1.png", b"5b/1.png"] * 30)),
    },
    "omniglot": {
        "1 GiB": lambda p: sparse(p, b"PK", 2**30),
        "a million members": lambda p: list_of(p, 2**20),
    },
    "omniglot runs": {
        "a table of 144 MiB": packed_bomb,
    },
    "checkpoint": {
        "a header of 2⁶²": lambda p: written(p, struct.pack("<Q", 2**62) + b"{}"),
        "a header of 4 GiB": lambda p: sparse(p, struct.pack("<Q", 2**32), 2**32 + 8),
    },
    "kept checkpoint": {
        "a header of 2⁶²": lambda p: written(p, struct.pack("<Q", 2**62) + b"{}"),
        "a header of 512 MiB": lambda p: sparse(p, struct.pack("<Q", 2**29), 2**30),
    },
    "config": {"1 GiB": lambda p: sparse(p, b"{", 2**30)},
    "onnx": {
        "a name of 1 GiB": lambda p: sparse(p, b"\x12" + b"\x80" * 4 + b"\x04", 2**30),
        "a shape of 2⁶²": lambda p: written(p, model_with_shape([2**31, 2**31])),
        "half a million nodes": lambda p: written(p, b"\x3a\x80\x80\x40" + b"\x0a\x00" * 2**19),
    },
    "evaluation": {"1 GiB": lambda p: sparse(p, b"{", 2**30)},
    "safetensors": {
        "a header of 2⁶²": lambda p: written(p, struct.pack("<Q", 2**62) + b"{}"),
        "a header of 4 GiB": lambda p: sparse(p, struct.pack("<Q", 2**32), 2**32 + 8),
        "a header of 512 MiB": lambda p: sparse(p, struct.pack("<Q", 2**29), 2**30),
    },
    "csv.gz": {
        "one line, then no end": lambda p: bomb(p, b"1,2"),
        "a header, then no end": lambda p: bomb(p, b"label\n"),
        "blank lines without end": lambda p: written(p, gzip.compress(b"\n" * 2**24) * 2**8),
        "wide blank lines without end": lambda p: written(
            p, gzip.compress((b" " * 2**15 + b"\n") * 2**9) * 2**9
        ),
        "packed twice": lambda p: written(p, gzip.compress(gzip.compress(bytes(2**24)))),
    },
    "csv": {
        "one line of 1 GiB": lambda p: sparse(p, b"1,2", 2**30),
        "an open quote before 1 GiB": lambda p: sparse(p, b'1,"', 2**30),
        "16 million columns": lambda p: written(p, b"0," * 2**24),
        "8 million lines": lambda p: written(p, b"12\n" * 2**23),
        "4 million blank lines": lambda p: written(p, b"\n" * 2**22),
    },
}
