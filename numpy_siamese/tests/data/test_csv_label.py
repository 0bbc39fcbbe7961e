"""Where the label is, if no header says so: what could be read in two ways is not guessed."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpy_siamese import data
from numpy_siamese.data.csv_label import EVIDENCE_BITS, evidence, looks_last
from numpy_siamese.data.csv_reader import read_csv
from numpy_siamese.data.dataset import Split
from numpy_siamese.tests.support.written import assert_rejects, csv_of, csv_text

Images = tuple[np.ndarray, np.ndarray]  # and labels


def moved(digits: Split) -> np.ndarray:
    """Return digits moved around, so that their corners differ."""
    rng = np.random.default_rng(1)
    return np.stack([np.roll(image, rng.integers(0, 28, 2), (0, 1)) for image in digits.images])


def specks(digits: Split) -> np.ndarray:
    """Return digits of which few have anything in a corner, as in Fashion-MNIST."""
    images = digits.images.copy()
    images[::900, 0, 0] = 9
    images[::700, 27, 27] = np.arange(40, 46)
    return images


def scenes(count: int) -> Images:
    """Return what is like photographs, slopes of any brightness with a little noise."""
    rng = np.random.default_rng(2)
    level, down, right = rng.uniform(40, 215, 2000), *rng.normal(0, 2, (2, 2000))
    place = np.arange(28)
    slopes = np.add.outer(np.multiply.outer(down, place), 0 * place)
    slopes = slopes + np.multiply.outer(right, place)[:, None] + level[:, None, None]
    images = np.clip(slopes + rng.normal(0, 1, slopes.shape), 0, 255).astype(np.uint8)
    return images, rng.integers(0, count, 2000)


def noise(count: int) -> Images:
    rng = np.random.default_rng(3)
    return rng.integers(0, 256, (2000, 28, 28), dtype=np.uint8), rng.integers(0, count, 2000)


SETS: dict[str, Callable[[Split], Images]] = {
    "digits": lambda digits: digits,
    "specks in the corners": lambda digits: (specks(digits), digits.labels),
    "moved": lambda digits: (moved(digits), digits.labels),
    "white": lambda digits: (255 - moved(digits), digits.labels),
    "black and white": lambda digits: (255 * (moved(digits) > 127).astype(np.uint8), digits.labels),
    "large": lambda digits: (
        digits.images[:, 7:21, 7:21].repeat(2, axis=1).repeat(2, axis=2),
        digits.labels,
    ),
    "is it a seven": lambda digits: (moved(digits), (digits.labels == 7).astype(np.int64)),
    "scenes, 2 classes": lambda _: scenes(2),
    "scenes, 40 classes": lambda _: scenes(40),
    "scenes, 200 classes": lambda _: scenes(200),
    "noise, 4 classes": lambda _: noise(4),
    "noise, 47 classes": lambda _: noise(47),
}
each_set = pytest.mark.parametrize("name", SETS)


@pytest.fixture(scope="module")
def sets() -> dict[str, Images]:
    digits = data.load("mnist-5k").train
    return {name: make(digits) for name, make in SETS.items()}


def some_of(images_and_labels: Images, rows: int, seed: int) -> Images:
    images, labels = images_and_labels
    some = np.random.default_rng(seed).choice(len(labels), rows, replace=False)
    return images[some], labels[some]


def read_label_first(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what a file with the label last gives if its first column is taken for the label."""
    pixels = images.reshape(len(images), -1)
    wrong = np.column_stack([pixels[:, 1:], labels]).astype(np.uint8)
    return pixels[:, 0].astype(np.int64), wrong.reshape(images.shape)


@pytest.mark.slow
@each_set
@pytest.mark.parametrize("rows", [5, 20, 100, 2000])
def test_a_file_with_the_label_first_is_never_refused(sets, name, rows):
    """Broken otherwise: good data do not load."""
    for seed in range(20):
        images, labels = some_of(sets[name], rows, seed)
        assert not looks_last(labels, images)


@each_set
@pytest.mark.parametrize("rows", [400, 2000])
def test_a_file_with_the_label_last_is_never_read(sets, name, rows):
    """Broken otherwise: a pixel is learned as the label."""
    for seed in range(20):
        assert looks_last(*read_label_first(*some_of(sets[name], rows, seed)))


def test_few_images_are_enough_to_tell_digits(sets):
    """Broken otherwise: a first try with a handful of lines trains on pixels."""
    for seed in range(50):
        assert looks_last(*read_label_first(*some_of(sets["digits"], 10, seed)))


pixels = hnp.arrays(np.uint8, st.tuples(st.integers(1, 12), st.just(4)), elements=st.integers(0, 3))


@given(pixels)
def test_a_file_and_its_mirror_image_are_not_both_refused(ends):
    """Broken otherwise: the evidence is not a comparison of the two readings."""
    first, second, before_last, last = ends.T
    images, mirrored = np.zeros((2, len(ends), 28, 28), np.uint8)
    images[:, 0, 0], images[:, 27, 26], images[:, 27, 27] = second, before_last, last
    mirrored[:, 0, 0], mirrored[:, 27, 26], mirrored[:, 27, 27] = before_last, second, first
    assert not (
        looks_last(first.astype(np.int64), images) and looks_last(last.astype(np.int64), mirrored)
    )


@pytest.mark.parametrize(
    ("first", "last", "unlike_first", "unlike_last", "bits"),
    [
        ([0, 1] * 8, [0, 1] * 8, 0, 1, 8 + 4),  # 8 bits for one of 16 rows
        ([0, 1] * 8, [0, 1] * 8, 0, 0, 0),
        ([0, 1] * 8, [0, 1] * 8, 1, 1, 0),
        ([0, 1] * 8, [0, 1] * 8, 1, 2, 8 + math.log2(120 / 16)),  # C(16, 2) = 120
        ([0, 1] * 8, [0, 1] * 8, 14, 15, 8 - math.log2(120 / 16)),
        ([0, 3] * 8, [0, 1] * 8, 0, 0, math.log2(6)),  # 2 of 0, …, 3
        ([0, 3] * 8, [0, 1] * 8, 1, 2, 8 + math.log2(120 / 16 * 6)),
        ([0, 3] * 8, [1, 3] * 8, 0, 1, 12),
        ([0, 1, 2, 3] * 2, [0, 1] * 4, 0, 0, 8),  # a bit a row
        ([0, 1, 2, 3] * 3, [0, 1] * 6, 0, 0, 12),
        ([0, 1, 2, 3] * 3, [0, 1, 2] * 4, 0, 1, 12 * math.log2(4 / 3) + 8 + math.log2(12)),
        ([0, 1, 2, 3] * 3, [0, 1, 2] * 4, 1, 1, 12 * math.log2(4 / 3)),
    ],
)
def test_the_evidence_is_that_of_the_derivation(first, last, unlike_first, unlike_last, bits):
    """Broken otherwise: the bits of a label or of a pixel are miscounted."""
    first, last = np.array(first), np.array(last, np.uint8)
    images = np.zeros((len(first), 28, 28), np.uint8)
    images[:, 0, 0], images[:, 27, 26], images[:, 27, 27] = first, last, last
    images[:unlike_first, 0, 0] += 1
    images[:unlike_last, 27, 26] += 1
    roundings, largest = 32, 2.0**8  # of the terms; a rounding is 2⁻⁵³ of its term
    assert abs(evidence(first, images) - bits) <= roundings * largest * 2.0**-53
    assert looks_last(first, images) is (bits > EVIDENCE_BITS)


def test_a_column_of_one_value_is_not_taken_for_the_label():
    """Broken otherwise: a rare class in images whose corners are all black is refused."""
    labels = (np.arange(1000) % 100 == 7).astype(np.int64)
    assert not looks_last(labels, np.zeros((1000, 28, 28), np.uint8))


def test_a_label_above_255_is_no_pixel():
    """Broken otherwise: classes with large numbers are refused for what they cannot be."""
    wrong_labels, wrong_images = read_label_first(*scenes(2))
    assert looks_last(wrong_labels, wrong_images)
    wrong_labels[3] = 256
    assert not looks_last(wrong_labels, wrong_images)


# Through the reader


def with_label_last(images: np.ndarray, labels: np.ndarray) -> list[list[str]]:
    return [
        [*map(str, image.ravel()), str(label)] for image, label in zip(images, labels, strict=True)
    ]


@pytest.mark.parametrize("name", ["digits", "moved", "scenes, 40 classes"])
def test_a_csv_with_the_label_last_is_told(tmp_path, sets, name):
    """Broken otherwise: it loads with a pixel as the label."""
    images, labels = sets[name][0][::50], sets[name][1][::50]
    path = tmp_path / "digits.csv"
    path.write_text(csv_text(with_label_last(images, labels)))
    found = f"the last column looks like the label (found {len(np.unique(labels))} values)"
    assert_rejects(read_csv, path, found, "expected the label first")
    path.write_text(csv_of(images, labels))
    np.testing.assert_array_equal(read_csv(path)[1], labels)


@pytest.mark.parametrize("header", ["pixel", "V"])
def test_a_header_that_says_where_the_label_is_decides(tmp_path, sets, header):
    """Broken otherwise: what is said is guessed anew, or what is not said is taken as said."""
    images, labels = sets["moved"][0][::50], sets["moved"][1][::50]
    path = tmp_path / "digits.csv"
    names = [f"{header}{i}" for i in range(784)]
    last = ["label" if header == "pixel" else "V784"]
    path.write_text(csv_text([names + last, *with_label_last(images, labels)]))
    if header == "V":
        assert_rejects(read_csv, path, "the last column looks like the label", "a header row")
    else:
        for found, expected in zip(read_csv(path), (images, labels), strict=True):
            np.testing.assert_array_equal(found, expected)
