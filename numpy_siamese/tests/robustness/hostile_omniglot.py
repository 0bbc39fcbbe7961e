"""Archives of Omniglot as an enemy or a bad disk would have them: images and official runs."""

import functools
import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from unittest import mock

import numpy as np
from PIL import Image

from numpy_siamese.data.omniglot import catalogue
from numpy_siamese.data.omniglot.archives import Contents, read_archive
from numpy_siamese.data.omniglot.catalogue import BACKGROUND, RUNS, Catalogue
from numpy_siamese.tests.robustness.hostile_images import png
from numpy_siamese.tests.robustness.spoiling import BYTE_CHANGES, Reader
from numpy_siamese.tests.support import omniglot_files

TINY = Catalogue({"Greek": 1}, {}, {"Latin": 1}, runs=1, items=2)
"""Small enough to be read some thousand times."""

NAMES = (
    "/x",
    "../x",
    "a\\b",
    "C:",
    "x" * 300,
    "\x1b" * 9999,
    "\x1b[2J",
    "a\nb",
    "é",
    "",
    ".",
    "__MACOSX/a",
)


def _read(archive: str) -> Callable[[Path], Contents]:
    def read(path: Path) -> Contents:
        with mock.patch.object(catalogue, "OFFICIAL", TINY):
            return read_archive(path, archive)

    return read


@functools.cache
def _image_seeds() -> list[bytes]:
    images = [*omniglot_files.files(BACKGROUND).values()][:20]
    names = [f"Greek/character01/0001_{drawer:02d}.png" for drawer in range(1, 21)]
    plain = dict(zip(names, images, strict=True))
    return [
        omniglot_files.packed({f"{BACKGROUND}/{name}": c for name, c in plain.items()}),
        omniglot_files.packed({"__MACOSX/x": b"", **plain}),
    ]


@functools.cache
def _run_seeds() -> list[bytes]:
    run = {name: c for name, c in omniglot_files.files(RUNS).items() if "run01" in name}
    kept = {name: c for name, c in run.items() if "03" not in name}
    lines = (
        "run01/test/item01.png run01/training/class02.png",
        "run01/test/item02.png run01/training/class01.png",
    )
    kept["run01/class_labels.txt"] = "\n".join(lines).encode()
    return [omniglot_files.packed(kept), omniglot_files.packed({"x": b"", **kept})]


def _members(content: bytes) -> dict[str, bytes]:
    """Return what an archive holds, as far as it can be told."""
    found: dict[str, bytes] = {}
    with suppress(Exception), zipfile.ZipFile(io.BytesIO(content)) as archive:
        for info in archive.infolist():
            with suppress(Exception):
                found[info.filename] = archive.read(info)
    return found


def _change(random: Random, content: bytes) -> bytes:
    """Rename a member, exchange two, spoil one's bytes, or leave one out."""
    found = _members(content)
    if not found:
        return content
    name, other = random.choice([*found]), random.choice([*found])
    what = random.randint(0, 4)
    if what == 0:
        parts = name.split("/")
        parts[random.randrange(len(parts))] = random.choice(NAMES)
        found["/".join(parts)] = found.pop(name)
    elif what == 1:
        found[name], found[other] = found[other], found[name]
    elif what == 2:
        found[name] = random.choice(BYTE_CHANGES)(random, found[name])
    elif what == 3:
        found[name] = random.choice([b"", png(64_000, 64_000), bytes(2**16 + 1)])
    else:
        del found[name]
    return omniglot_files.packed({name[: 2**15]: inside for name, inside in found.items()})


def _check(content: bytes, found: Contents) -> None:
    """Compare with the images as Pillow has them, in the order of their names."""
    members = _members(content)
    assert not any(".." in name.split("/") or name[:1] == "/" for name in members)
    names = sorted(name for name in members if name.endswith(".png") and name[:2] != "__")
    by_half = sorted(names, key=lambda name: "training" in name)
    with_ink = [~np.asarray(Image.open(io.BytesIO(members[name]))) for name in by_half]
    np.testing.assert_array_equal(
        np.unpackbits(found.images, axis=2, count=105), np.array(with_ink, np.uint8), strict=True
    )
    if found.answers is not None:
        (labels,) = (c for name, c in members.items() if name.endswith("class_labels.txt"))
        answers = [int(line.split(b"class")[1][:2]) - 1 for line in labels.split()[1::2]]
        assert found.answers.tolist() == [answers]


READERS = {
    "omniglot": Reader(_read(BACKGROUND), _image_seeds, _change, _check),
    "omniglot runs": Reader(_read(RUNS), _run_seeds, _change, _check),
}
