"""Archives of Omniglot: what is missing, double, elsewhere or damaged is told in one line."""

import io
import stat
import zipfile

import numpy as np
import pytest

from numpy_siamese.data import load
from numpy_siamese.data.omniglot import members
from numpy_siamese.data.omniglot.archives import read_archive
from numpy_siamese.data.omniglot.catalogue import BACKGROUND, EVALUATION, RUNS
from numpy_siamese.tests.support.omniglot_files import Files, files, ink_of, packed, png
from numpy_siamese.tests.support.written import assert_rejects

FIRST = "images_background/Greek/character01/0900_01.png"
LABELS = "run01/class_labels.txt"
LINES = files(RUNS)[LABELS].decode()


def spoilt(archive: str, **changes: bytes | None) -> Files:
    """Return the files of an archive; a name in `changes` gets this content, None takes it away."""
    both = {**files(archive), **changes}
    return {name: content for name, content in both.items() if content is not None}


def without(archive: str, part: str) -> Files:
    return {name: content for name, content in files(archive).items() if part not in name}


def exchanged(text: str, one: str, other: str) -> str:
    return text.replace(one, "\0").replace(other, one).replace("\0", other)


IMAGES = {
    "no alphabet": (without(BACKGROUND, "Latin"), "found no alphabet Latin, expected the 2 alph"),
    "nothing": ({}, "found no alphabet Greek and 1 more, expected the 2 alphabets"),
    "no character": (
        without(BACKGROUND, "Greek/character02"),
        "found no character Greek/character02, expected the 3 characters",
    ),
    "no drawer": (
        spoilt(BACKGROUND, **{FIRST: None}),
        "found no drawer Greek/character01/drawer 01, expected the 60 drawers",
    ),
    "an alphabet more": (
        spoilt(BACKGROUND, **{FIRST.replace("Greek", "Klingon"): b""}),
        "found an unknown alphabet Klingon",
    ),
    "a drawer more": (
        spoilt(BACKGROUND, **{FIRST.replace("_01.png", "_21.png"): b""}),
        "found an unknown drawer Greek/character01/drawer 21",
    ),
    "a drawer twice": (
        spoilt(BACKGROUND, **{FIRST.replace("0900", "0901"): b""}),
        "0901_01.png: found the same drawer in Greek/character01/0900_01.png",
    ),
    "another file": (
        spoilt(BACKGROUND, **{"images_background/read.me": b""}),
        "read.me: found it, expected ALPHABET/characterNN/NNNN_NN.png alone",
    ),
    "no image": (spoilt(BACKGROUND, **{FIRST: b"text"}), "0900_01.png: found no whole image"),
    "half an image": (
        spoilt(BACKGROUND, **{FIRST: png(ink_of(0))[:150]}),
        "0900_01.png: found no whole image",
    ),
    "another size": (
        spoilt(BACKGROUND, **{FIRST: png(ink_of(0)[:, :28])}),
        "found 28×105 pixels of mode 1, expected a black and white PNG of 105×105",
    ),
    "another mode": (
        spoilt(BACKGROUND, **{FIRST: png(ink_of(0), "RGB")}),
        "found 105×105 pixels of mode RGB, expected a black and white PNG",
    ),
    "a path to the root": (
        spoilt(BACKGROUND, **{"/etc/passwd": b""}),
        "/etc/passwd: found a path that leaves the archive",
    ),
    "a path upwards": (
        spoilt(BACKGROUND, **{"images_background/../../x.png": b""}),
        "found a path that leaves the archive",
    ),
    "a path of Windows": (spoilt(BACKGROUND, **{"C:x.png": b""}), "a path that leaves the archive"),
    "a large member": (
        spoilt(BACKGROUND, **{FIRST: bytes(2**16 + 1)}),
        "0900_01.png: found 65537 bytes, expected at most 65536",
    ),
}


@pytest.mark.parametrize("what", IMAGES)
def test_images_that_are_not_omniglots_are_told(small, what):
    """Broken otherwise: a run trains on part of Omniglot, or the reader leaves its folder."""
    content, said = IMAGES[what]
    path = small / f"{BACKGROUND}.zip"
    path.write_bytes(packed(content))
    assert_rejects(lambda _: load(small), path, said)


RUN = {
    "no labels": (spoilt(RUNS, **{LABELS: None}), "found no run01/class_labels.txt, exp"),
    "no run": (
        without(RUNS, "run02"),
        "found no run02/class_labels.txt, run02/test/item01.p",
    ),
    "a run more": (spoilt(RUNS, **{"run03/x.png": b""}), "found run03/x.png, expected the 2 runs"),
    "a line less": (spoilt(RUNS, **{LABELS: LINES[:45].encode()}), "found 1 line, expected 3"),
    "an answer twice": (
        spoilt(RUNS, **{LABELS: LINES.replace("class01", "class03").encode()}),
        "class_labels.txt: line 2: found 'run01/test/item02.png run01/training/class03.png', exp",
    ),
    "another run's answer": (
        spoilt(RUNS, **{LABELS: LINES.replace("run01/tr", "run02/tr").encode()}),
        "line 1: found 'run01/test/item01.png run02/training/class03.png', expected",
    ),
    "an answer beyond": (
        spoilt(RUNS, **{LABELS: LINES.replace("class01", "class04").encode()}),
        "line 2: found",
    ),
    "no text": (spoilt(RUNS, **{LABELS: b"\xff\x00\n" * 3}), "line 1: found"),
    "other answers": (
        spoilt(
            RUNS,
            **{
                LABELS: LINES.replace("s03", "s09")
                .replace("s01", "s03")
                .replace("s09", "s01")
                .encode()
            },
        ),
        "run01: found answers that show other characters",
    ),
    "an image of nobody": (
        spoilt(RUNS, **{"run01/test/item02.png": png(ink_of(999))}),
        "run01/test/item02.png: found an image that no drawer of images_evaluation drew",
    ),
    "an image to train on": (
        spoilt(RUNS, **{"run02/training/class03.png": png(ink_of(3))}),
        "run02/training/class03.png: found an image that no drawer of images_evaluation drew",
    ),
    "two alphabets": (
        spoilt(RUNS, **{"run01/training/class01.png": png(ink_of(68))}),
        "run01: found characters of 2 alphabets, expected those of one",
    ),
    "two drawers": (
        spoilt(RUNS, **{"run01/training/class01.png": png(ink_of(100))}),
        "run01: found other drawers, expected one to test and another one to train on",
    ),
}


@pytest.mark.parametrize("what", RUN)
def test_runs_that_are_not_lakes_are_told(small, what):
    """Broken otherwise: an accuracy in the official runs is that of other trials."""
    content, said = RUN[what]
    path = small / f"{RUNS}.zip"
    path.write_bytes(packed(content))
    assert_rejects(lambda _: load(small), path, said)


def test_a_run_of_one_drawer_or_of_an_alphabet_to_validate_is_told(small):
    """Broken otherwise: the answer is the same image, or was looked at before."""
    path = small / f"{RUNS}.zip"
    same = {
        f"run01/training/class{item:02d}.png": files(RUNS)[f"run01/test/item{number:02d}.png"]
        for item, number in zip((3, 1, 2), (1, 2, 3), strict=True)
    }
    path.write_bytes(packed(spoilt(RUNS, **same)))
    assert_rejects(lambda _: load(small), path, "run01: found other drawers")
    images = [*files(EVALUATION).values()]
    halves = {name: images[number] for name, number in (("test/item", 0), ("training/class", 1))}
    other = {
        f"run01/{name}{item:02d}.png": image for name, image in halves.items() for item in (1, 2, 3)
    }
    path.write_bytes(packed(spoilt(RUNS, **other)))
    assert_rejects(lambda _: load(small), path, "run01: found characters of Angelic, expected")


# Archives that are none, or that ask for too much


def archive_with(name: str, **attributes: int) -> bytes:
    """Return an archive with one more member, whose entry has these attributes."""
    stream = io.BytesIO(packed(files(BACKGROUND)))
    with zipfile.ZipFile(stream, "a") as archive:
        info = zipfile.ZipInfo(name)
        for attribute, value in attributes.items():
            setattr(info, attribute, value)
        archive.writestr(info, b"/etc/passwd")
    return stream.getvalue()


def twice() -> bytes:
    with pytest.warns(UserWarning, match="Duplicate name"):
        return archive_with(FIRST)


def encrypted() -> bytes:
    archive = bytearray(packed(files(BACKGROUND)))
    archive[archive.index(b"PK\x01\x02") + 8] |= 1
    return bytes(archive)


def of_64_bits() -> bytes:
    archive = packed(files(BACKGROUND))
    return archive[:-22] + b"PK\x06\x07" + bytes(16) + archive[-22:]


def damaged() -> bytes:
    archive = bytearray(packed(files(BACKGROUND)))
    archive[100] ^= 1
    return bytes(archive)


ARCHIVES = {
    "a link": (
        lambda: archive_with(FIRST + "x", external_attr=(stat.S_IFLNK | 0o777) << 16),
        "found a link or device, expected a file",
    ),
    "a member twice": (twice, "0900_01.png: found twice, expected once"),
    "encrypted": (encrypted, "found it encrypted"),
    "another packing": (
        lambda: archive_with("x", compress_type=zipfile.ZIP_LZMA),
        "x: found packing of kind 14, expected stored or deflated",
    ),
    "64 bits": (of_64_bits, "found an archive of 64 bits"),
    "a damaged member": (damaged, "0900_01.png: found it damaged"),
    "cut": (lambda: packed(files(BACKGROUND))[:-23], "found no end of a zip archive"),
    "no archive": (lambda: b"text", "found no end of a zip archive"),
    "no list": (lambda: b"PK\x05\x06" + bytes(8) + b"\xff\0\0\0" + bytes(6), "found it damaged"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("what", ARCHIVES)
def test_hostile_archives_are_told(small, what):
    """Broken otherwise: an archive from somebody else ends in a traceback, or reads other files."""
    make, said = ARCHIVES[what]
    path = small / f"{BACKGROUND}.zip"
    path.write_bytes(make())
    assert_rejects(lambda _: load(small), path, said)


def test_a_long_list_of_members_is_refused_unread(small, monkeypatch):
    """Broken otherwise: a list of a million members takes the memory."""
    monkeypatch.setattr(members, "MOST_DIRECTORY_BYTES", 100)
    path = small / f"{BACKGROUND}.zip"
    assert_rejects(lambda _: load(small), path, "found a list of members of ", "at most 100")


def test_what_systems_add_is_left_out(small):
    """Broken otherwise: an archive that was packed anew on a Mac is refused."""
    added = {
        "__MACOSX/images_background/._Greek": b"",
        "images_background/Greek/.DS_Store": b"",
        "images_background/Greek/": b"",
    }
    right = read_archive(small / f"{BACKGROUND}.zip", BACKGROUND)
    path = small / "other.zip"
    path.write_bytes(packed(spoilt(BACKGROUND, **added)))
    found = read_archive(path, BACKGROUND)
    np.testing.assert_array_equal(found.images, right.images, strict=True)
    assert found.checksum == right.checksum


@pytest.mark.parametrize("before", ["", "all_runs/"])
def test_labels_may_have_line_ends_of_any_system(small, before):
    """Broken otherwise: runs that were packed anew on Windows are refused."""
    path = small / "other.zip"
    ends = {name: c.replace(b"\n", b"\r\n") for name, c in files(RUNS).items() if "txt" in name}
    path.write_bytes(packed({before + n: c for n, c in spoilt(RUNS, **ends).items()}))
    assert read_archive(path, RUNS).checksum == read_archive(small / f"{RUNS}.zip", RUNS).checksum


@pytest.mark.parametrize("archive", [BACKGROUND, RUNS])
def test_the_checksum_of_contents_is_of_names_and_pixels(small, archive):
    """Broken otherwise: other contents pass for the official ones, or a new packing does not."""
    right = read_archive(small / f"{archive}.zip", archive).checksum
    path = small / "other.zip"
    content = {
        name: png(decoded(c)) if name[-3:] == "png" else c for name, c in files(archive).items()
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as packed_anew:
        for name in reversed(content):
            packed_anew.writestr(name, content[name])
    assert read_archive(path, archive).checksum == right
    first = min(name for name in content if name.endswith("png"))
    path.write_bytes(packed({**content, first: png(ink_of(999))}))
    assert read_archive(path, archive).checksum != right


def decoded(content: bytes) -> np.ndarray:
    from PIL import Image

    return ~np.asarray(Image.open(io.BytesIO(content)))
