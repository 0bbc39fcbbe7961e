"""What is wrong with a table is told: the line and column, what is there, what may mend it."""

import gzip

import pytest

from numpy_siamese.data.csv_reader import read_csv
from numpy_siamese.data.raw_images import MOST_LABEL
from numpy_siamese.errors import InputError
from numpy_siamese.tests.support.written import assert_rejects, csv_rows, csv_text

HEADER = ["label", *(f"pixel{p}" for p in range(784))]


@pytest.fixture
def refused(tmp_path):
    """Return a function that writes a file and checks what is said of it."""

    def check(content: str | bytes, *said: str) -> None:
        path = tmp_path / "digits.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        assert_rejects(read_csv, path, *said)

    return check


@pytest.mark.parametrize("header", [[], [HEADER]])
@pytest.mark.parametrize(
    ("separator", "name", "decimals"),
    [
        *[(";", ";", decimals) for decimals in ("", ".0", ",0")],
        *[("\t", "tabs", decimals) for decimals in ("", ".0", ",0")],
        *[("|", "|", decimals) for decimals in ("", ".0", ",0")],
        *[(" ", "spaces", decimals) for decimals in ("", ".0", "e+00")],
    ],
)
def test_another_separator_is_named(refused, header, separator, name, decimals):
    """Broken otherwise: the user counts columns that a spreadsheet shows as they should be."""
    rows = [[field + decimals for field in row] for row in csv_rows()]
    text = csv_text([*header, *rows], separator)
    refused(text, f"line 1: found columns separated by {name}, expected commas")


def test_a_decimal_comma_in_quotes_is_told(refused):
    """Broken otherwise: a number that looks good is refused without a reason."""
    rows = [[f'"{field},0"' for field in row] for row in csv_rows()]
    refused(csv_text(rows), "line 1, column 1: found '0,0', expected a label", "a decimal comma?")


def of_width(columns: int) -> str:
    return csv_text([["3"] * columns] * 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (of_width(784), ["found 784 columns, expected 785 (a label, then 784 pixels): no label?"]),
        (of_width(786), ["found 786 columns", ": an index column first?"]),
        (of_width(785).replace("\n", ",\n"), ["found 786 columns", ": a comma at the line's end?"]),
        (of_width(794), ["found 794 columns", ": a column for each class instead of one label?"]),
        (of_width(1025), ["found 1025 columns", ": images of 32×32?"]),
        (of_width(1024), ["found 1024 columns", ": images of 32×32 without a label?"]),
        (of_width(65), ["found 65 columns", ": images of 8×8?"]),
        (of_width(2353), ["found 2353 columns", ": colour images of 28×28?"]),
        (of_width(3072), ["found 3072 columns", ": colour images of 32×32 without a label?"]),
        ("404: Not Found", ["found 1 columns ('404: Not Found')"]),
    ],
    ids=lambda part: part[-1].strip(": ?") if isinstance(part, list) else "",
)
def test_a_wrong_number_of_columns_has_its_likely_reason(refused, text, said):
    """Broken otherwise: the user has to guess what 786 columns are."""
    refused(text, "line 1: found", *said)


def test_an_index_and_a_header_are_told_apart(refused):
    """Broken otherwise: what pandas and R write by default is refused without a reason."""
    rows = [[str(i), *row] for i, row in enumerate(csv_rows())]
    refused(csv_text([["", *HEADER], *rows]), "line 1: found 786 columns", "an index column first?")
    refused(csv_text([HEADER, *rows]), "line 2: found 786 columns", "an index column first?")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_table_cut_short_says_so(refused, pack):
    """Broken otherwise: half a download looks like a fault of its source."""
    text = csv_text(csv_rows()).encode()
    cut = text[: text.rindex(b",") - 300]
    refused(pack(cut), "line 4: found ", "the file ends here, cut short?")
    cut = text[: text.rindex(b",") + 1]
    refused(pack(cut), "line 4, column 785: found ''", "the file ends here, cut short?")
    refused(pack(b'1,"2\n' + b'1,"'), "line 1: not CSV")
    refused(gzip.compress(text)[:-9], "damaged gzip", "expected a CSV file")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_that_ends_is_not_called_cut_short(tmp_path, end):
    """Broken otherwise: the user fetches anew what is wrong at its source."""
    rows = csv_rows()
    rows[3] = rows[3][:700]
    path = tmp_path / "digits.csv"
    path.write_text(csv_text(rows), newline=end)
    with pytest.raises(InputError, match="line 4: found 700 columns") as caught:
        read_csv(path)
    assert "cut short" not in str(caught.value)


def scaled(change) -> str:
    rows = [[row[0], *(change(int(pixel)) for pixel in row[1:])] for row in csv_rows()]
    return csv_text(rows)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda pixel: str(pixel / 255), "scaled to 0..1?"),
        (lambda pixel: f"{pixel / 255:.2f}", "scaled to 0..1?"),
        (lambda pixel: str(pixel / 127.5 - 1), "centred or standardised?"),
        (lambda pixel: str(pixel - 127), "centred or standardised?"),
        (lambda pixel: f"{(pixel - 33.3) / 78.6:.4f}", "centred or standardised?"),
    ],
)
def test_pixels_that_are_not_raw_are_told(refused, change, said):
    """Broken otherwise: a whole number from 0 to 255 is asked for, and nobody knows where from."""
    refused(scaled(change), "expected a pixel, a whole number from 0 to 255: ", said)


@pytest.mark.parametrize(("column", "text"), [(9, "0.5"), (9, "-1"), (0, "0.5")])
def test_a_single_bad_field_has_no_hint(tmp_path, column, text):
    """Broken otherwise: one slip sends the user to multiply good pixels."""
    rows = csv_rows()
    rows[2][column] = text
    path = tmp_path / "digits.csv"
    path.write_text(csv_text(rows))
    with pytest.raises(InputError, match=f"line 3, column {column + 1}: found") as caught:
        read_csv(path)
    assert str(caught.value).endswith(("from 0 to 255", f"from 0 to {MOST_LABEL}"))


@pytest.mark.parametrize("column", [0, 784])
def test_labels_in_words_are_told(refused, column):
    """Broken otherwise: names of classes become numbers, or a traceback."""
    rows = csv_rows()
    for row in rows:
        row[column] = "seven"
    refused(csv_text(rows), f"line 1, column {column + 1}: found 'seven'", "a whole number")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("3,0\n".encode("utf-16"), "found UTF-16 text (save it as UTF-8)"),
        ("3,0\n".encode("utf-16-le"), "found UTF-16 text"),
        (b"\n<!DOCTYPE html>\n<html>", "found an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "found a Git LFS pointer"),
        (b"PK\x03\x04" + bytes(40), "found a zip archive (unpack it)"),
        (b"\x00\x00\x08\x03" + bytes(40), "found an IDX file of images"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "found a PNG image"),
        (bytes(400), "found zero bytes"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_is_there_instead_is_named(refused, content, said, pack):
    """Broken otherwise: a page of HTML is refused for its number of columns."""
    refused(pack(content), said, "expected a label and 784 pixels a line in CSV")


def test_gzip_in_gzip_is_named(refused):
    """Broken otherwise: bytes of a packed file are told as columns."""
    twice = gzip.compress(gzip.compress(csv_text(csv_rows()).encode()))
    refused(twice, "found gzip (unpack it once)")


@pytest.mark.parametrize("field", ["inf", "nan", "1e999", "-", "0x3", "ü"])
def test_what_is_no_number_has_no_hint(refused, field):
    """Broken otherwise: the search for a reason ends in a traceback."""
    rows = csv_rows(1)
    rows[0][5], rows[0][6] = field, "1e308"
    refused(csv_text(rows), f"line 1, column 6: found {field!r}, expected a pixel")
