"""Folders of pictures as an enemy or a bad unpacker would leave them: names, links, bad images.

A file stands for a folder: a listing of entries with NUL between them, since no name holds a NUL.
Each is a digit for what lies there, and its path.
"""

import functools
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from numpy_siamese.data import Dataset, load
from numpy_siamese.errors import printable
from numpy_siamese.files.reading import open_input
from numpy_siamese.tests.robustness.hostile_images import encoded, image_seeds, png
from numpy_siamese.tests.robustness.spoiling import Reader

MOST_ENTRIES = 60

MOST_NAME = 400
"""Characters of a path as it is told. Longer ones are left out, since a message tells it whole."""

NAMES: Sequence[bytes] = [
    *(b"train", b"test", b"Training", b"testing", b".hidden", b"__MACOSX", b"circle", b"cross"),
    *(b"\x1b[2J", b"\\x1b[2J", b"a\nb", b"\xff", b"a b", b"\xe2\x80\xa8", b"x" * 255, b"x" * 256),
    *(b"mnist_train.csv", b"mnist_test.csv.gz", b"t10k-images-idx3-ubyte", b"..", b"", b"."),
    *(b"0.png", b"1.JPG", b"2.tiff", b"3.png.png", b".png", b"4.txt", b"circle.png"),
]


@functools.cache
def _contents() -> list[bytes | None]:
    """Return what an entry may be: files of this content, and None for a folder."""
    page = np.full((9, 7), 250, np.uint8)
    light = page.copy()
    light[2:5, 3] = 5
    drawn = (encoded(Image.fromarray(levels), "PNG") for levels in (light, 255 - light, page))
    return [*drawn, image_seeds()[0], image_seeds()[-1], png(64_000, 64_000), b"text", b"", None]


def _listing(*entries: str) -> bytes:
    return "\0".join(entries).encode()


@functools.cache
def _seeds() -> list[bytes]:
    plain = [f"{i % 2}{name}/{i}.png" for name in ("circle", "cross") for i in range(4)]
    halves = [
        f"0{half}/{name}/{i}.png" for half in ("train", "test") for name in "abc" for i in "12"
    ]
    mixed = [f"{kind}{name}/deep/{kind}.jpg" for name in ("a, b", "ä", "\x1b") for kind in "0134"]
    return [
        _listing(*plain),
        _listing(*halves, "6train/notes.txt", "0other/1.png"),
        _listing(*mixed, "6a, b/.DS_Store", "8a, b/none", "6readme", "9a, b/link"),
    ]


def _entries(content: bytes) -> list[tuple[int, bytes]]:
    """Return what lies in the folder: kinds, and paths that stay within it."""
    found = []
    for entry in content.split(b"\0")[:MOST_ENTRIES]:
        name = entry[1:]
        is_inside = name and b".." not in name.split(b"/") and name[:1] != b"/"
        if is_inside and len(printable(os.fsdecode(name))) <= MOST_NAME:
            found.append(((entry[0] - ord("0")) % 10, name))
    return found


def _plant(folder: bytes, content: bytes) -> None:
    """Make the folder, but for entries that the system refuses."""
    contents = _contents()
    os.mkdir(folder)
    for kind, name in _entries(content):
        place = os.path.join(folder, name)
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if kind == len(contents):
                os.symlink(b".", place)
            elif (inside := contents[kind]) is None:
                os.mkdir(place)
            else:
                Path(os.fsdecode(place)).write_bytes(inside)
        except OSError:
            continue


def _read(path: Path) -> Dataset:
    """Put the folder in its listing's place, load it, and put the listing back."""
    with open_input(path, "a listing") as (file, _):
        content = file.read()
    path.unlink()
    try:
        _plant(os.fsencode(path), content)
        return load(path)
    finally:
        shutil.rmtree(path)
        path.write_bytes(content)


def _change(random: Random, content: bytes) -> bytes:
    """Give an entry another kind or name, double it, drop it, or move a class."""
    entries = content.split(b"\0")
    i, what = random.randrange(len(entries)), random.randint(0, 5)
    kind, parts = entries[i][:1], entries[i][1:].split(b"/")
    if what == 0:
        entries[i] = b"%d" % random.randrange(10) + entries[i][1:]
    elif what == 1:
        parts[random.randrange(len(parts))] = random.choice(NAMES)
        entries[i] = kind + b"/".join(parts)
    elif what == 2:
        entries.insert(i, kind + b"/".join([*parts[:-1], random.choice(NAMES)]))
    elif what == 3:
        del entries[i]
    elif what == 4:
        below = random.choice(NAMES)
        entries = [entry[:1] + below + b"/" + entry[1:] for entry in entries]
    else:
        name = random.choice(NAMES)
        entries = [
            entry[:1] + name + entry[1 + len(parts[0]) :]
            if entry[1:].startswith(parts[0] + b"/")
            else entry
            for entry in entries
        ]
    return b"\0".join(entries)


def _check(content: bytes, found: Dataset) -> None:
    names = found.class_names.values()
    assert [*found.class_names] == [*range(len(names))]
    assert all(name.isprintable() and not name.startswith(".") for name in names)
    for images, labels in (found.train, found.test):
        assert images.any(axis=(1, 2)).all()
        classes, counts = np.unique(labels, return_counts=True)
        assert len(classes) >= 2 <= counts.min()
        assert images.shape == (len(labels), 28, 28)
    entries = _entries(content)
    if not any(kind == len(_contents()) for kind, _ in entries):  # a link shows images twice
        assert len(found.train.labels) + len(found.test.labels) <= len(entries)


READERS = {"folder": Reader(_read, _seeds, _change, _check)}
