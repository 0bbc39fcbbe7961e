"""What a file is, by its first bytes: written by the libraries that write such files."""

import bz2
import gzip
import io
import lzma
import pickle
import sqlite3
import tarfile
import time
import zipfile

import numpy as np
import pytest
import safetensors.numpy

from numpy_siamese.data.file_kind import HEAD_BYTES, TEXT, file_kind
from numpy_siamese.tests.robustness.readers import READERS
from numpy_siamese.tests.support.written import csv_rows, csv_text, idx_images

TABLE = csv_text(csv_rows()).encode()


def saved(save, *arguments, **named) -> bytes:
    """Return what a library saves to a file object."""
    buffer = io.BytesIO()
    save(buffer, *arguments, **named)
    return buffer.getvalue()


def picture(kind: str) -> bytes:
    from PIL import Image

    return saved(Image.fromarray(np.zeros((28, 28), np.uint8)).save, format=kind)


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, TABLE)
    return buffer.getvalue()


def tarred(mode) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        archive.addfile(tarfile.TarInfo("mnist_train.csv"), io.BytesIO())
    return buffer.getvalue()


def database() -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("create table digits (label)")
    return connection.serialize()


KINDS = {
    "an empty file": [b""],
    "zero bytes": [bytes(9), bytes(10_000)],
    "gzip": [gzip.compress(TABLE)],
    "packed by bzip2": [bz2.compress(TABLE), tarred("w:bz2")],
    "packed by xz": [lzma.compress(TABLE)],
    "packed by zstd": [b"\x28\xb5\x2f\xfd\x04\x58"],
    "a zip archive (unpack it)": [zipped("mnist_train.csv"), zipped()],
    "an Excel workbook (save it as CSV)": [
        zipped("[Content_Types].xml", "xl/workbook.xml"),
        zipped("docProps/app.xml", "docProps/core.xml", "xl/theme/theme1.xml"),
    ],
    "an office document (save it as CSV)": [
        zipped("[Content_Types].xml", "word/document.xml"),
        b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
    ],
    "an old Excel": [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)],
    "arrays of NumPy (.npz)": [saved(np.savez, images=np.zeros(3))],
    "an array of NumPy (.npy)": [saved(np.save, np.zeros(3))],
    "a file of PyTorch": [zipped("archive/data.pkl", "archive/version")],
    "a tar archive (unpack it)": [tarred("w")],
    "a 7z archive": [b"7z\xbc\xaf\x27\x1c\x00\x04"],
    "a RAR archive": [b"Rar!\x1a\x07\x01\x00"],
    "a PNG image": [picture("PNG")],
    "a JPEG image": [picture("JPEG")],
    "a GIF image": [picture("GIF")],
    "a BMP image": [picture("BMP")],
    "a TIFF image": [picture("TIFF")],
    "a PDF": [picture("PDF"), b"%PDF-1.4\n"],
    "a pickle": [
        *(pickle.dumps([1], protocol) for protocol in (0, 2, 3, 4, 5)),
        pickle.dumps(np.zeros(3)),
    ],
    "a Parquet file": [b"PAR1\x15\x04\x15"],
    "an Arrow file": [b"ARROW1\0\0"],
    "an HDF5 file": [b"\x89HDF\r\n\x1a\n"],
    "a MATLAB file": [b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\1IM"],
    "an SQLite database": [database()],
    "a safetensors file": [safetensors.numpy.save({"x": np.zeros(3)})],
    "UTF-16 text (save it as UTF-8)": [
        TABLE.decode().encode(encoding) for encoding in ("utf-16", "utf-16-le", "utf-16-be")
    ],
    "UTF-32 text": [TABLE.decode().encode("utf-32")],
    "an HTML page": [
        b"<!DOCTYPE html><html>",
        b"\r\n <HTML>",
        b"\xef\xbb\xbf<!doctype HTML>",
        "<html>ä".encode("latin-1"),
    ],
    "an XML document": [b'<?xml version="1.0"?>', b"<Error><Code>AccessDenied</Code></Error>"],
    "a Git LFS pointer": [b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"],
    "a git-annex pointer": [b"/annex/objects/SHA256E-s9--00.csv\n"],
    "JSON": [b'{"label": 5}', b"[[5, 0]]", b'[\n  {"label"', b"[]"],
    "an ARFF file": [b"@RELATION mnist\n", b"% MNIST\n% more\n\n@relation mnist_784\n"],
    "a LIBSVM file": [b"5 153:3 154:18 155:18\n"],
    "an IDX file of images": [idx_images(np.zeros((1, 28, 28), np.uint8))],
    "an IDX file of labels": [b"\0\0\x08\x01\0\0\0\0"],
    "an IDX file of float64, 2-dimensional": [b"\0\0\x0e\x02\0\0\0\0"],
    "reverse order (little-endian)": [b"\x01\x08\0\0\x0a\0\0\0", b"\x03\x08\0\0\x0a\0\0\0"],
    "the companion that macOS keeps": [b"\0\x05\x16\x07\0\x02\0\0Mac OS X"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_what_its_library_wrote(kind):
    """Broken otherwise: the user is told a number of columns where a page of HTML lies."""
    for content in KINDS[kind]:
        found = file_kind(content[:HEAD_BYTES])
        assert found is not None, content[:20]
        assert kind in found


@pytest.mark.parametrize(
    "content",
    [
        TABLE,
        b"\xef\xbb\xbf" + TABLE,
        b"label,pixel0\n5,0\n",
        "étiquette,pixel0\n".encode(),
        ("é" * HEAD_BYTES).encode()[: HEAD_BYTES - 1],  # a letter cut in two
        b"PAR1,PAR2,BM,GIF8,BZh\n",
        b"RIFF,ARROW1\r\n5.0e+00\t3\f\n",
        b"404: Not Found",
    ],
)
def test_a_table_is_text_and_nothing_else(content):
    """Broken otherwise: a good table is refused for the names in its header."""
    assert file_kind(content) == TEXT


@pytest.mark.parametrize(
    "content", ["étiquette,0\n".encode("latin-1"), b"5,\0,3\n", b"\x01\x02\x03"]
)
def test_what_is_not_known_is_not_named(content):
    """Broken otherwise: a file is called what it is not."""
    assert file_kind(content) is None


@pytest.mark.parametrize("name", ["csv", "images", "labels", "gzip", "csv.gz"])
def test_valid_files_are_never_taken_for_another(name):
    """Broken otherwise: a good file is refused."""
    kinds = {"csv": TEXT, "images": "an IDX file of images", "labels": "an IDX file of labels"}
    for content in READERS[name].seeds():
        found = file_kind(content[:HEAD_BYTES])
        assert found == kinds.get(name, "gzip (unpack it once)")


@pytest.mark.parametrize(
    "content",
    [b"% " * 2048, b"../" * 1365, b"%\n" * 2048, b"(" * 4096, b"5" * 4096, b"5 1:1" * 819],
)
def test_no_head_keeps_the_patterns_busy(content):
    """Broken otherwise: a file of 4 KiB takes minutes, because a pattern tries every split."""
    start = time.perf_counter()
    file_kind(content)
    assert time.perf_counter() - start < 1  # a split tried twice at each place would take 2⁴⁰⁰⁰
