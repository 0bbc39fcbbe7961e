"""Header rows: names are no image, and a header that says where the label is decides."""

import gzip

import numpy as np
import pytest

from numpy_siamese.data.csv_header import is_header, is_number, label_column
from numpy_siamese.data.csv_reader import read_csv
from numpy_siamese.tests.support.written import assert_rejects, csv_rows, csv_text

PIXELS = [f"pixel{p}" for p in range(784)]
PLACES = [f"{row}x{column}" for row in range(1, 29) for column in range(1, 29)]
POINTS = [place.replace("x", ".") for place in PLACES]


def label_last(rows: list[list[str]]) -> list[list[str]]:
    return [[*row[1:], row[0]] for row in rows]


def check(path, rows: int = 4) -> None:
    """Check that the file gives `csv_rows`, all of them."""
    images, labels = read_csv(path)
    expected = np.array(csv_rows(rows), int)
    np.testing.assert_array_equal(images.reshape(-1, 784), expected[:, 1:])
    np.testing.assert_array_equal(labels, expected[:, 0])


@pytest.mark.parametrize("pixels", [PIXELS, PLACES, POINTS, [str(p) for p in range(784)]])
@pytest.mark.parametrize("label", ["label", "LABEL", " Class", "# label", "y", "digit", "Ziffer"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_header_names_the_label_first_or_last(tmp_path, pixels, label, quote):
    """Broken otherwise: Kaggle's MNIST and Fashion-MNIST are refused, or lose their first image."""
    path = tmp_path / "digits.csv"
    for header, rows in (
        ([label, *pixels], csv_rows()),
        ([*pixels, label], label_last(csv_rows())),
    ):
        path.write_text(csv_text([[f"{quote}{name}{quote}" for name in header], *rows]))
        check(path)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param([f"V{i}" for i in range(1, 786)], id="R"),
        pytest.param([str(i) for i in range(785)], id="pandas"),
        pytest.param([str(i) for i in range(1, 786)], id="from 1"),
        pytest.param([f"{'abcde'[i % 5]}{i}" for i in range(785)], id="several stems"),
        pytest.param(["label"] + ["pixel"] * 784, id="one name for all pixels"),
        pytest.param(["label", *(f"{'ABCD'[p % 4]}{p}" for p in range(784))], id="as in sheets"),
    ],
)
def test_a_header_that_does_not_say_is_skipped_and_the_label_comes_first(tmp_path, header):
    """Broken otherwise: the header is an image, or the first image a header."""
    path = tmp_path / "digits.csv"
    path.write_text(csv_text([header, *csv_rows()]))
    check(path)


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda text: text.encode("utf-8-sig"), id="byte order mark"),
        pytest.param(lambda text: text.replace("\n", "\r\n").encode(), id="Windows line ends"),
        pytest.param(lambda text: text.replace("\n", "\r").encode(), id="old Mac line ends"),
        pytest.param(lambda text: f"\n \n{text}".encode(), id="after blank lines"),
        pytest.param(
            lambda text: text.replace("label", "étiquette").encode("latin-1"), id="cp1252"
        ),
        pytest.param(lambda text: text.replace("label", "Wär").encode(), id="UTF-8"),
        pytest.param(lambda text: gzip.compress(text.encode()), id="packed"),
    ],
)
def test_a_header_is_read_however_it_is_written(tmp_path, write):
    """Broken otherwise: a table from another system is refused, or loses its first image."""
    path = tmp_path / "digits.csv"
    path.write_bytes(write(csv_text([["label", *PIXELS], *csv_rows()])))
    check(path)


@pytest.mark.parametrize("blank", ["", "\n"])
def test_commas_in_names_lose_no_line(tmp_path, blank):
    """Broken otherwise: the rest of a block behind such a header is left out, silently."""
    names = ["label", *(f'"({p // 28}, {p % 28})"' for p in range(784))]
    path = tmp_path / "digits.csv"
    path.write_text(blank + csv_text([names, *csv_rows(9)]))
    check(path, rows=9)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_without_a_header_the_first_line_is_an_image(tmp_path, rows):
    """Broken otherwise: the first image of every table is lost."""
    path = tmp_path / "digits.csv"
    path.write_text(csv_text(csv_rows(rows)))
    check(path, rows)


def test_lines_are_counted_with_the_header(tmp_path):
    """Broken otherwise: the user looks for the fault a line too early."""
    rows = csv_rows()
    rows[1][2] = "bad"
    path = tmp_path / "digits.csv"
    path.write_text(csv_text([["label", *PIXELS], *rows]))
    assert_rejects(read_csv, path, "line 3, column 3: found 'bad'")
    path.write_text(csv_text([[*PIXELS, "label"], *label_last(rows)]))
    assert_rejects(read_csv, path, "line 3, column 2: found 'bad', expected a pixel")
    rows[1][2], rows[2][0] = "0", "bad"
    path.write_text(csv_text([[*PIXELS, "label"], *label_last(rows)]))
    assert_rejects(read_csv, path, "line 4, column 785: found 'bad', expected a label")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (["", *PIXELS], "line 1, column 1: found no name (an index column?)"),
        (["", *map(str, range(784))], "line 1, column 1: found no name (an index column?)"),
        (["Unnamed: 0", *PIXELS], "column 1: found the name 'Unnamed: 0' (an index column?)"),
        (["ImageId", *PIXELS], "column 1: found the name 'ImageId' (an index column?)"),
        ([*PIXELS, "id"], "column 785: found the name 'id' (an index column?)"),
        (
            ["label", *PIXELS[1:], "Class"],
            "line 1, column 785: found a second label ('label' and 'Class')",
        ),
        (
            ["3", "0", *(f"0.{i}" for i in range(1, 784))],
            "line 1: found a header made of an image (3, 0, 0.1, 0.2, …)",
        ),
    ],
)
def test_a_header_that_says_what_is_wrong_is_told(tmp_path, header, said):
    """Broken otherwise: an index is learned as the label, or an image lost in a header."""
    path = tmp_path / "digits.csv"
    path.write_text(csv_text([header, *csv_rows()]))
    assert_rejects(read_csv, path, said, "expected a label and 784 pixels")


def test_a_header_alone_is_told(tmp_path):
    """Broken otherwise: a table of no images ends in a traceback."""
    path = tmp_path / "digits.csv"
    path.write_text(csv_text([["label", *PIXELS]]))
    assert_rejects(read_csv, path, "found only a header")


def test_a_header_that_says_so_is_not_doubted(tmp_path):
    """Broken otherwise: a table that says where its label is must look like it as well."""
    rows = [[str(7 * i % 50)] * 783 + ["9", str(i % 2)] for i in range(40)]
    path = tmp_path / "digits.csv"
    path.write_text(csv_text(rows))
    assert_rejects(read_csv, path, "the last column looks like the label")
    path.write_text(csv_text([["label", *PIXELS], *rows]))
    np.testing.assert_array_equal(read_csv(path)[1], 7 * np.arange(40) % 50)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(csv_rows()[0], id="an image"),
        pytest.param([f"{field},0" for field in csv_rows()[0]], id="decimal commas"),
        pytest.param([""] * 785, id="empty fields"),
        pytest.param(["x"] * 785, id="text"),
        pytest.param(["seven", *csv_rows()[0][1:]], id="a label in words"),
        pytest.param(["y", *csv_rows()[0][1:]], id="a label in letters"),
        pytest.param(["3", *(str(p / 784) for p in range(784))], id="scaled"),
    ],
)
def test_damage_is_no_header(row):
    """Broken otherwise: the first image is left out silently because it is damaged."""
    assert not is_header(row)


@pytest.mark.parametrize(
    ("names", "column"),
    [
        (["label", *PIXELS], 0),
        ([*PIXELS, "target"], 784),
        ([*PIXELS[:9], "class", *PIXELS[9:]], 9),
        ([*PIXELS[:9], "pixle9", *PIXELS[10:], "pixel784"], None),  # a slip is no label
        (["a", "b", *PIXELS[1:]], None),
        (["number", *PIXELS[1:], "group"], None),
    ],
)
def test_the_label_is_where_a_header_says_so_without_doubt(names, column):
    """Broken otherwise: a header that may be read in two ways is guessed."""
    assert label_column(names) == column


@pytest.mark.parametrize(("text", "expected"), [("3", 1), (" 3e0 ", 1), ("nan", 1), ("1_0", 0)])
def test_a_number_is_what_pandas_takes_for_one(text, expected):
    """Broken otherwise: a fault is told of a field that is good, or not of one that is none."""
    assert is_number(text) == bool(expected)
