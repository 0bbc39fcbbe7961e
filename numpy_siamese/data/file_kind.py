"""What a file is, told by its first bytes, so that a reader can say what it was given instead."""

import codecs
import re

HEAD_BYTES = 2**12
"""Enough to see the names of an archive's first entries."""

TEXT = "text (CSV?)"
"""Any text without a mark of its own, which a table in CSV is too."""

_IDX_TYPES = {
    b"\x08": "uint8",
    b"\x09": "int8",
    b"\x0b": "int16",
    b"\x0c": "int32",
    b"\x0d": "float32",
    b"\x0e": "float64",
}
_ENCODINGS = {  # the longer mark first, whose start is the shorter
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_BINARY = {
    b"\x1f\x8b": "gzip (unpack it once)",  # readers unpack one themselves
    b"\x1f\x9d": "a file packed by compress (unpack it)",
    b"BZh": "a file packed by bzip2 (unpack it)",
    b"\xfd7zXZ\0": "a file packed by xz (unpack it)",
    b"\x28\xb5\x2f\xfd": "a file packed by zstd (unpack it)",
    b"\x04\x22\x4d\x18": "a file packed by lz4 (unpack it)",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive (unpack it)",
    b"Rar!\x1a\x07": "a RAR archive (unpack it)",
    b"\x89PNG\r\n": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"BM": "a BMP image",
    b"II*\0": "a TIFF image",
    b"MM\0*": "a TIFF image",
    b"RIFF": "a WebP image, a sound or a film",
    b"%PDF-": "a PDF",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"FEA1": "a Feather file",
    b"\x93NUMPY": "an array of NumPy (.npy)",
    b"\x89HDF\r\n": "an HDF5 file",
    b"MATLAB 5.0": "a MATLAB file",
    b"SQLite format 3": "an SQLite database",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel or Word file",
    b"\0\x05\x16\x07": "the companion that macOS keeps beside a file",
    **{bytes([0x80, protocol]): "a pickle" for protocol in range(2, 6)},
}
_TEXTS = {
    rb"version https://git-lfs\.github\.com/spec/": "a Git LFS pointer (run: git lfs pull)",
    rb"\S*/annex/objects/": "a git-annex pointer (run: git annex get)",
    rb"<(!doctype html|html|head|body|script|!--)": "an HTML page",
    rb"<(\?xml|error)": "an XML document",
    rb"%pdf-": "a PDF",  # also where it is text to its end
    rb"\{\\rtf": "an RTF document",
    rb"[\[{]\s*[\"\[{\]}\d-]": "JSON",
    rb"(%[^\n]*\n\s*)*@relation\b": "an ARFF file",
    rb"\S+( \d+:[\d.e+-]+)+\s": "a LIBSVM file",
    rb"\(?[ld]p\d\n|ccopy_reg\n|cnumpy": "a pickle",
}
_PRINTED = bytes(range(0x20, 0x7F)) + b"\t\n\r\f"


def file_kind(head: bytes) -> str | None:
    """Tell what a file is.

    Parameters
    ----------
    head : bytes
        Its first `HEAD_BYTES` bytes, or all of them.

    Returns
    -------
    str or None
        What to call it, with its article, and what to do with it where that is plain. `TEXT` for a
        text that is nothing in particular. None if it is not known.
    """
    if not head:
        return "an empty file"
    if not head.strip(b"\0"):
        return "zero bytes"
    for kind in (_encoded(head), _idx(head), _text(head), _archive(head)):
        if kind:
            return kind
    return next((kind for magic, kind in _BINARY.items() if head.startswith(magic)), None)


def _encoded(head: bytes) -> str | None:
    """Tell text in two or four bytes a letter, by its mark or by a zero in every second byte."""
    for mark, encoding in _ENCODINGS.items():
        if head.startswith(mark):
            return f"{encoding} text (save it as UTF-8)"
    even, odd = head[:64:2], head[1:64:2]
    for zeros, letters in ((even, odd), (odd, even)):
        if zeros and letters and not zeros.strip(b"\0") and not letters.strip(_PRINTED):
            return "UTF-16 text (save it as UTF-8)"
    return None


def _idx(head: bytes) -> str | None:
    magic = head[:4]
    if magic == b"\0\0\x08\x03":
        return "an IDX file of images"
    if magic == b"\0\0\x08\x01":
        return "an IDX file of labels"
    if magic[:2] == b"\0\0" and head[2:3] in _IDX_TYPES:
        return f"an IDX file of {_IDX_TYPES[head[2:3]]}, {int.from_bytes(head[3:4])}-dimensional"
    if magic[2:] == b"\0\0" and head[1:2] in _IDX_TYPES:
        return "an IDX file with the bytes of its numbers in reverse order (little-endian)"
    return None


def _text(head: bytes) -> str | None:
    start = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    for pattern, kind in _TEXTS.items():
        if re.match(pattern, start):
            return kind
    return TEXT if _is_text(head) else None


def _is_text(head: bytes) -> bool:
    try:
        # The last letter may be cut.
        letters = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter.isspace() for letter in letters.lstrip("\ufeff"))


def _archive(head: bytes) -> str | None:
    if head[257:262] == b"ustar":
        return "a tar archive (unpack it)"
    if head[8:10] == b'{"' and not any(head[4:8]):
        return "a safetensors file"
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return None
    if b"xl/" in head:
        return "an Excel workbook (save it as CSV)"
    if b"opendocument" in head or b"[Content_Types].xml" in head:
        return "an office document (save it as CSV)"
    if b".npy" in head[:256]:
        return "arrays of NumPy (.npz)"
    if b"data.pkl" in head[:256]:
        return "a file of PyTorch"
    return "a zip archive (unpack it)"
