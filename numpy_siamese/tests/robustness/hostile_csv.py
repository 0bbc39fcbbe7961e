"""Tables as an enemy or a bad disk would have them: CSV, with a header and without, and packed."""

import csv
import functools
from random import Random

import numpy as np

from numpy_siamese.data.csv_reader import read_csv
from numpy_siamese.tests.robustness.spoiling import Reader, change_inside, packed, unpacked

FIELDS = "0;1;255;256;-1;;nan;NA;inf;1e308;1e-400;3.0;3e0;2.5;0x10;1_0;True;\ufeff3;\u0663; 3 ;\t3"
TOKENS = [field.encode() for field in FIELDS.split(";")]
TOKENS += [b'"3"', b'"', b'""', b'"3\n"', b"3\0", b"\0", b"\r", b"\n", b"\x1c3", b"9" * 400, b"#3"]
TOKENS += [b"2147483647", b"2147483648", b"9223372036854775808", b"18446744073709551616"]
TOKENS += [
    b"label",
    b"class",
    b"id",
    b"# y",
    b'"a,b"',
    b"pixel1",
    b"\xe9",
    b"0.1",
    b"a\0",
    b"x" * 70,
]
LINE_ENDS = [b"\n", b"\r", b"\r\n", b"\n \n"]
PIXELS = b",".join(b"pixel%d" % p for p in range(784))
HEADERS = [
    b"label," + PIXELS,
    b'"Class",' + PIXELS,
    PIXELS + b",target",
    PIXELS + b",pixel784",
    b",".join(b"%d" % p for p in range(785)),
    b"," + PIXELS,
    b"label," + PIXELS + b",y",
    b"," * 784,
]


@functools.cache
def _seeds() -> list[bytes]:
    plain, spread = (",".join(str(p * k % 256) for p in range(785)).encode() for k in (1, 7))
    floats = plain.replace(b",7,", b",7.0,").replace(b",8,", b',"8",')
    two = plain + b"\r\n" + spread + b"\r\n"
    named = [header + b"\r\n" + two for header in HEADERS[:5]]
    return [plain, two, b"\xef\xbb\xbf" + spread + b"\n\n" + floats, *named]


def _change(random: Random, content: bytes) -> bytes:
    fields = content.split(b",")
    at = random.randint(0, len(fields) - 1)
    what = random.randint(0, 7)
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
    elif what == 5:
        return random.choice(HEADERS) + random.choice(LINE_ENDS) + content
    else:  # more lines, perhaps a last one of little
        last = [random.choice(TOKENS)] if what == 6 else []
        return random.choice(LINE_ENDS).join([content] * random.randint(1, 3) + last)
    return b",".join(fields)


def _check(content: bytes, found: tuple[np.ndarray, np.ndarray]) -> None:
    """Each row is there but one that is no data; the label is first, or where the header has it."""
    images, labels = found
    lines = [line for line in content.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()]
    rows = list(csv.reader(line.decode(errors="replace") for line in lines))
    header = rows.pop(0) if len(rows) == len(labels) + 1 else None
    assert header is None or not all(map(_is_pixel, header))
    expected = np.array([[float(field) for field in row] for row in rows])
    places = [0] if header is None else [0, 784, *(i for i in range(785) if header[i].isalpha())]
    assert any(
        np.array_equal(expected[:, place], labels)
        and np.array_equal(np.delete(expected, place, axis=1), images.reshape(len(images), 784))
        for place in places
    )
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64


def _is_pixel(field: str) -> bool:
    try:
        return float(field) in range(256)
    except ValueError:
        return False


@functools.cache
def _packed_seeds() -> list[bytes]:
    plain, _, floats, *named = _seeds()
    return [packed(content) for content in (plain, floats, *named)] + [
        packed(named[0][:5000]) + packed(named[0][5000:])
    ]


def _change_packed(random: Random, content: bytes) -> bytes:
    """Change what is packed, leave out a check, add a member, or expand without end."""
    what = random.randint(0, 3)
    if what == 0:
        more = random.choice([b"0,1\n", b"\n" * 2**20, b" " * 2**20, bytes(2**20), b"0," * 2**19])
        return content + packed(more)
    if what == 1:
        return content[:-8] + random.randbytes(8)
    return change_inside(random, content, _change)


def _check_packed(content: bytes, found: tuple[np.ndarray, np.ndarray]) -> None:
    _check(unpacked(content), found)


READERS = {
    "csv": Reader(read_csv, _seeds, _change, _check),
    "csv.gz": Reader(read_csv, _packed_seeds, _change_packed, _check_packed),
}
