"""Files as an enemy or a bad disk would have them, and what each reader may make of them.

Every `Reader` starts from valid files and changes them by their structure. `outcome` reads the
result and holds the reader to its promise: the data that the bytes stand for, or an `InputError`.
"""

import csv
import functools
import gzip
import json
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import safetensors.numpy

from numpy_siamese.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from numpy_siamese.config import TrainConfig
from numpy_siamese.data_files import read_csv, read_idx_images, read_idx_labels
from numpy_siamese.errors import MOST_REASON, InputError
from numpy_siamese.history import History, Metrics
from numpy_siamese.recorded import ONLY_TORCH, RecordedConfig, read_config
from numpy_siamese.tensor_files import read_tensors

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


# CSV

FIELDS = "0;1;255;256;-1;;nan;NA;inf;1e308;1e-400;3.0;3e0;2.5;0x10;1_0;True;\ufeff3;\u0663; 3 ;\t3"
TOKENS = [field.encode() for field in FIELDS.split(";")]
TOKENS += [b'"3"', b'"', b'""', b'"3\n"', b"3\0", b"\0", b"\r", b"\n", b"\x1c3", b"9" * 400, b"#3"]
TOKENS += [b"2147483647", b"2147483648", b"9223372036854775808", b"18446744073709551616"]
LINE_ENDS = [b"\n", b"\r", b"\r\n", b"\n \n"]


@functools.cache
def _csv_seeds() -> list[bytes]:
    plain, spread = (",".join(str(p * k % 256) for p in range(785)).encode() for k in (1, 7))
    floats = plain.replace(b",7,", b",7.0,").replace(b",8,", b',"8",')
    return [plain, plain + b"\r\n" + spread + b"\r\n", b"\xef\xbb\xbf" + spread + b"\n\n" + floats]


def _change_csv(random: Random, content: bytes) -> bytes:
    fields = content.split(b",")
    at = random.randint(0, len(fields) - 1)
    what = random.randint(0, 6)
    if what == 0:
        fields[at] = random.choice(TOKENS)
    elif what == 1:
        fields[at] += random.choice(TOKENS)
    elif what == 2:
        del fields[at]
    elif what == 3:
        fields.insert(at, random.choice(TOKENS))
    elif what == 4:
        fields[at] = str(random.randint(-1, 260)).encode()
    else:  # more lines, perhaps a last one of little
        last = [random.choice(TOKENS)] if what == 5 else []
        return random.choice(LINE_ENDS).join([content] * random.randint(1, 3) + last)
    return b",".join(fields)


def _check_csv(content: bytes, found: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = found
    lines = content.removeprefix(b"\xef\xbb\xbf").splitlines()
    rows = list(csv.reader(line.decode() for line in lines if line.strip()))
    expected = np.array([[float(field) for field in row] for row in rows])
    np.testing.assert_array_equal(expected[:, 0], labels)
    np.testing.assert_array_equal(expected[:, 1:], images.reshape(len(images), 784))
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64


# IDX, plain and gzip


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
    assert _unzipped(content) == header + images.tobytes()


def _check_labels(content: bytes, labels: np.ndarray) -> None:
    assert (labels.dtype, labels.ndim) == (np.int64, 1)
    header = struct.pack(">2I", 0x801, len(labels))
    assert _unzipped(content) == header + labels.astype(np.uint8).tobytes()


def _unzipped(content: bytes) -> bytes:
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


@functools.cache
def _gzip_seeds() -> list[bytes]:
    one, none, three = _image_seeds()
    return [_zipped(one), _zipped(none), _zipped(three[:700]) + _zipped(three[700:])]


def _zipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def _change_gzip(random: Random, content: bytes) -> bytes:
    """Change what is packed, leave out a check, add a member, or expand without end."""
    what = random.randint(0, 3)
    if what == 0:
        return content + _zipped(bytes(random.choice([0, 1, 784, 2**16])))
    if what == 1:  # name, comment, extra field, header checksum; reserved flags
        return content[:3] + bytes([random.randint(0, 255)]) + content[4:]
    if what == 2:
        return content[:-8] + random.randbytes(8)
    try:
        inside = zlib.decompressobj(wbits=31).decompress(content, 2**16)
    except zlib.error:
        inside = content
    return _zipped(random.choice([_change_idx, *BYTE_CHANGES])(random, inside))


# safetensors

VALUES: Sequence[Any] = [
    *(None, True, -1, 0.5, "", "F32", "BF16", "F8_E4M3", "C64", "\x1b[2J\n", "x" * 3000, {}, []),
    *([0, 4], [4, 0], [0, 2**63], [2**64], [1] * 70, [0, 2**62, 2**62], [[]], {"progress": "{}"}),
    *INTERESTING,
]


@functools.cache
def _tensor_seeds() -> list[bytes]:
    numbers = np.arange(6, dtype=np.float32)
    state: dict[str, np.ndarray] = {
        "fc1.weight": numbers.reshape(1, 6),
        "fc1.bias": numbers[:1].astype(np.float64),
    }
    progress = {"progress": json.dumps({"epoch": 1, "batch": 2})}
    return [
        safetensors.numpy.save(state, {"format": "np"}),
        safetensors.numpy.save({f"model.{name}": value for name, value in state.items()}, progress),
        safetensors.numpy.save(
            {"none": numbers[:0], "one": np.full((), 3, np.int16), "of": numbers > 2}
        ),
    ]


def _change_tensors(random: Random, content: bytes) -> bytes:
    """Change a field of the header, and mend the header's length."""
    if len(content) < 8:
        return content
    (length,) = struct.unpack("<Q", content[:8])
    if random.random() < 0.1:
        return struct.pack("<Q", random.choice([*INTERESTING, (length + 1) % 2**64])) + content[8:]
    try:
        header = json.loads(content[8 : 8 + length])
    except (ValueError, RecursionError):
        return content
    if not isinstance(header, dict) or not header:
        return content
    name = random.choice(sorted(header))
    body, value, what = content[8 + length :], random.choice(VALUES), random.randint(0, 4)
    if what == 0:
        header[name] = value
    elif what == 1:
        header[random.choice(["__metadata__", "", "\n", name + "2"])] = random.choice(
            [value, header[name]]
        )
    elif isinstance(header[name], dict):
        key = random.choice([*sorted(header[name]), "extra"])
        if what == 2:
            header[name].pop(key, None)
        else:
            header[name][key] = value
    text = json.dumps(header, ensure_ascii=random.random() < 0.5).encode(errors="replace")
    if random.random() < 0.1:
        deep = random.choice([200, 20_000])
        text = text[:-1] + b',"deep":' + b"[" * deep + b"]" * deep + b"}"
    return struct.pack("<Q", len(text)) + text + body


def _check_tensors(content: bytes, found: tuple[dict[str, np.ndarray], dict[str, str]]) -> None:
    tensors, metadata = found
    (length,) = struct.unpack("<Q", content[:8])
    assert sum(tensor.nbytes for tensor in tensors.values()) == len(content) - 8 - length
    header = json.loads(content[8 : 8 + length])
    assert metadata == (header.pop("__metadata__", None) or {})
    assert all(isinstance(value, str) for value in metadata.values())
    assert header.keys() == tensors.keys()
    for name, tensor in tensors.items():
        start, end = header[name]["data_offsets"]
        assert tensor.tobytes() == content[8 + length + start : 8 + length + end]
        assert tensor.shape == tuple(header[name]["shape"])


# a run's checkpoint and config.json


@functools.cache
def _checkpoint_seeds() -> list[bytes]:
    weights = {"fc1.weight": np.arange(6, dtype=np.float32)}
    history = History()
    history.train.append(Metrics(1, 2, 0.5, 0.75, 1.5))
    states = [Checkpoint(weights, {}, 0, 0), Checkpoint(weights, weights, 0, 2, 1.5, history)]
    contents = []
    with TemporaryDirectory() as folder:
        for state in states:
            save_checkpoint(Path(folder, "checkpoint"), state)
            contents.append(Path(folder, "checkpoint").read_bytes())
    return contents


def _check_checkpoint(content: bytes, found: Checkpoint) -> None:
    (length,) = struct.unpack("<Q", content[:8])
    progress = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["progress"])
    assert progress == {"epoch": found.epoch, "batch": found.batch, "seconds": found.seconds}


@functools.cache
def _config_seeds() -> list[bytes]:
    settings = TrainConfig().to_dict() | {"data_sha256": "0" * 64}
    return [json.dumps(settings).encode(), b"{}", b'{"lr": 1, "device": "cpu"}']


def change_json(random: Random, content: bytes) -> bytes:
    """Set, rename, drop or nest a value, in one of the objects."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return content
    objects = [some for some in _objects(found) if some]
    if not objects:
        return content
    some, what = random.choice(objects), random.randint(0, 3)
    name = random.choice(sorted(some))
    if what == 0:
        some[name] = random.choice([*VALUES, float("nan"), float("inf"), 10**400])
    elif what == 1:
        some[random.choice(["", "\n", name + "2", "device"])] = some.pop(name)
    elif what == 2:
        del some[name]
    else:
        deep = random.choice([200, 20_000])
        return b"[" * deep + content + b"]" * deep
    return json.dumps(found).encode(errors="replace")


def _objects(found: Any, depth: int = 10) -> list[dict[str, Any]]:
    """Return the objects of a JSON document, those in others as well."""
    values = list(found.values()) if isinstance(found, dict) else found
    inside = values if isinstance(values, list) and depth else []
    own = [found] if isinstance(found, dict) else []
    return own + [some for value in inside for some in _objects(value, depth - 1)]


def _check_config(content: bytes, found: RecordedConfig) -> None:
    told = json.loads(content)
    assert found.data_sha256 == told.pop("data_sha256", None)
    assert found.settings.keys() == told.keys() - ONLY_TORCH
    for name, value in found.settings.items():
        expected = float(told[name]) if isinstance(value, float) else told[name]
        assert value == expected or (value != value and expected != expected)


READERS = {
    "csv": Reader(read_csv, _csv_seeds, _change_csv, _check_csv),
    "images": Reader(read_idx_images, _image_seeds, _change_idx, _check_images),
    "labels": Reader(read_idx_labels, _label_seeds, _change_idx, _check_labels),
    "gzip": Reader(read_idx_images, _gzip_seeds, _change_gzip, _check_images),
    "safetensors": Reader(read_tensors, _tensor_seeds, _change_tensors, _check_tensors),
    "checkpoint": Reader(load_checkpoint, _checkpoint_seeds, _change_tensors, _check_checkpoint),
    "config": Reader(
        lambda path: read_config(path, TrainConfig), _config_seeds, change_json, _check_config
    ),
}
