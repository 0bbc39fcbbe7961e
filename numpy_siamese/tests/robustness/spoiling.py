"""How a valid file is spoilt, and what its reader may make of it.

`outcome` holds a reader to its promise: the data that the bytes stand for, or an `InputError`.
"""

import gzip
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from numpy_siamese.errors import MOST_REASON, InputError

MOST_MESSAGE = 2 * MOST_REASON
"""Characters of a message that are still one clear line, the file's name not counted."""

Change = Callable[[Random, bytes], bytes]


@dataclass(frozen=True)
class Reader:
    """A reader, valid files for it, its own ways to spoil them, and what their bytes stand for.

    `check` takes a file's bytes and what the reader made of them, and fails if that is untrue.
    """

    read: Callable[[Path], Any]
    seeds: Callable[[], list[bytes]]
    change: Change
    check: Callable[[bytes, Any], None]


def outcome(reader: Reader, path: Path, content: bytes) -> str:
    """Return "data" or "refused"; what a reader must not do passes through as an exception."""
    path.write_bytes(content)
    try:
        found = reader.read(path)
    except InputError as error:
        message = str(error)
        assert message.isprintable(), f"not one plain line: {message!r}"
        assert message.startswith(str(path)), f"names another file: {message}"
        assert "found " in message or "damaged" in message or "not CSV" in message, message
        assert "expected " in message, message
        assert len(message) - len(str(path)) < MOST_MESSAGE, f"too long: {message}"
        return "refused"
    reader.check(content, found)
    return "data"


def spoil(random: Random, reader: Reader, content: bytes) -> bytes:
    """Return the content after one to four changes, of its bytes or by its structure."""
    for _ in range(random.choice([1, 1, 2, 4])):
        change = random.choice([reader.change, reader.change, *BYTE_CHANGES])
        content = change(random, content)
    return content


# Changes that know nothing of a format

INTERESTING = [0, 1, 2, 27, 28, 127, 128, 255, 256, 784, 2**15, 2**20, 2**20 + 1, 2**31 - 1, 2**31]
INTERESTING += [2**32 - 1, 2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 1]


def _place(random: Random, content: bytes) -> int:
    """Return a place in the content; half of the time one near its start, where headers are."""
    most = len(content) if random.random() < 0.5 else min(len(content), 32)
    return random.randint(0, most)


def _flip(random: Random, content: bytes) -> bytes:
    at = _place(random, content)
    if at == len(content):
        return content
    return content[:at] + bytes([content[at] ^ random.randint(1, 255)]) + content[at + 1 :]


def _insert(random: Random, content: bytes) -> bytes:
    at = _place(random, content)
    some = random.randbytes(random.randint(1, 8))
    return content[:at] + random.choice([some, some[:1] * random.randint(1, 2000)]) + content[at:]


def _delete(random: Random, content: bytes) -> bytes:
    at = _place(random, content)
    return content[:at] + content[at + random.randint(1, 40) :]


def _truncate(random: Random, content: bytes) -> bytes:
    return content[: _place(random, content)]


def _splice(random: Random, content: bytes) -> bytes:
    """Put a piece of the content into another place of it."""
    start = _place(random, content)
    piece = content[start : start + random.choice([1, 4, 40, 2000])]
    at = _place(random, content)
    return content[:at] + piece + content[at + random.choice([0, len(piece)]) :]


def _number(random: Random, content: bytes) -> bytes:
    """Overwrite a place with a number that tends to be at a limit."""
    layout = random.choice([">I", "<I", "<Q", ">H"])
    size = struct.calcsize(layout)
    at = random.choice([0, 4, 8, 12, _place(random, content)])
    value = random.choice(INTERESTING) % 2 ** (8 * size)
    return content[:at] + struct.pack(layout, value) + content[at + size :]


BYTE_CHANGES: Sequence[Change] = (_flip, _insert, _delete, _truncate, _splice, _number)


# gzip


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def unpacked(content: bytes) -> bytes:
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def change_inside(random: Random, content: bytes, change: Change) -> bytes:
    """Change what is packed, in a way of its own or by its bytes."""
    try:
        inside = zlib.decompressobj(wbits=31).decompress(content, 2**16)
    except zlib.error:
        inside = content
    return packed(random.choice([change, *BYTE_CHANGES])(random, inside))
