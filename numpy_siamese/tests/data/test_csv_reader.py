"""CSV: what is read is what was written, and no number is taken for another."""

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpy_siamese.data import csv_reader
from numpy_siamese.data.csv_reader import read_csv
from numpy_siamese.tests.support.written import assert_rejects, csv_of, csv_rows, csv_text

images_of_any_count = hnp.arrays(np.uint8, st.tuples(st.integers(1, 4), st.just(28), st.just(28)))


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
    path.write_text(csv_text(csv_rows()) + "1" * (csv_reader.MOST_LINE_BYTES + 1) + end)
    assert_rejects(read_csv, path, "line 5: found more than 65536 bytes")


def test_the_longest_line_is_read(tmp_path):
    """Broken otherwise: what `numpy.savetxt` or a padded table holds is refused."""
    rows = csv_rows(2)
    rows[1][7] = rows[1][7].rjust(
        csv_reader.MOST_LINE_BYTES - len(",".join(rows[1])) + len(rows[1][7])
    )
    path = tmp_path / "digits.csv"
    path.write_text(csv_text(rows))
    assert len(path.read_text().splitlines()[1]) == csv_reader.MOST_LINE_BYTES
    assert len(read_csv(path)[0]) == 2


@pytest.mark.slow
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("block", [2**16, 9_999, 2**12 + 1, 97])
def test_csv_is_the_same_however_its_bytes_fall_into_blocks(tmp_path, monkeypatch, end, block):
    """Broken otherwise: a line cut by a block's end is lost, or lines are counted wrongly."""
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", block)
    rows = csv_rows(30)
    path = tmp_path / "digits.csv"
    path.write_text("\ufeff" + csv_text(rows), encoding="utf-8", newline=end)
    images, labels = read_csv(path)
    np.testing.assert_array_equal(images.reshape(30, 784), np.array(rows, int)[:, 1:])
    np.testing.assert_array_equal(labels, np.arange(30) % 2)
    rows[28][3] = "300"
    path.write_text(csv_text(rows), newline=end)
    assert_rejects(read_csv, path, "line 29, column 4: found '300'")


def test_a_packed_table_is_read_whatever_its_name(tmp_path):
    """Broken otherwise: what is passed around as .csv.gz has to be unpacked by hand."""
    text = csv_text(csv_rows()).encode()
    for name, content in (
        ("a.csv", gzip.compress(text)),
        ("a.csv.gz", gzip.compress(text[:4000]) + gzip.compress(text[4000:])),
        ("b.csv.gz", text),
    ):
        (tmp_path / name).write_bytes(content)
        images, labels = read_csv(tmp_path / name)
        np.testing.assert_array_equal(images.reshape(4, 784), np.array(csv_rows(), int)[:, 1:])
        np.testing.assert_array_equal(labels, [0, 1, 0, 1])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_table_without_end_is_refused_before_it_is_read(tmp_path, monkeypatch, pack):
    """Broken otherwise: a packed file of megabytes takes the machine's memory, or its time."""
    path = tmp_path / "digits.csv"
    path.write_bytes(pack(csv_text(csv_rows(30)).encode()))
    assert len(read_csv(path)[1]) == 30
    with monkeypatch.context() as limited:
        limited.setattr(csv_reader, "MOST_IMAGES", 29)
        assert_rejects(read_csv, path, "found 30 images, expected at most 29")
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(csv_reader, "MOST_BYTES", 20_000)
    assert_rejects(read_csv, path, "found more than 20000 bytes")


@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b" " * 70 + b"\n"])
def test_blank_lines_without_end_are_refused(tmp_path, monkeypatch, blank):
    """Broken otherwise: gigabytes of nothing, which pack to nothing, are read to their end."""
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 10_000)
    path = tmp_path / "digits.csv"
    rows = csv_text(csv_rows()).encode()
    path.write_bytes(rows + blank * (8_000 // len(blank)) + rows)
    assert len(read_csv(path)[1]) == 8
    path.write_bytes(rows + blank * (40_000 // len(blank)) + rows)
    assert_rejects(read_csv, path, "blank bytes")


def test_blank_lines_at_the_end_are_no_fault(tmp_path, monkeypatch):
    """Broken otherwise: whether they are refused depends on where the blocks of reading end."""
    rows = csv_text(csv_rows()).encode()
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", len(rows))
    path = tmp_path / "digits.csv"
    path.write_bytes(rows + b"\n\n \n")
    assert len(read_csv(path)[1]) == 4
