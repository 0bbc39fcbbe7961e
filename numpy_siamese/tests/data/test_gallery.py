"""Images of several sources in one row: files, folders and data sets."""

import numpy as np
import pytest

from numpy_siamese.data import gallery
from numpy_siamese.data.gallery import files_of, of_test_images, read_gallery
from numpy_siamese.data.image_reader import read_image
from numpy_siamese.data.preparation import Preparation
from numpy_siamese.data.sources import load
from numpy_siamese.errors import InputError
from numpy_siamese.tests.support.drawings import SHAPES, drawing, write_drawings
from numpy_siamese.tests.support.omniglot import dataset

MIXED = Preparation("mixed")


@pytest.fixture
def shapes(tmp_path):
    """A folder of three classes with two drawings each."""
    return write_drawings(tmp_path / "shapes", 2)


def test_sources_stand_in_their_order_with_names_and_classes(shapes, twelve_images, tmp_path):
    """Broken otherwise: an embedding has the name or the class of another image."""
    plain = tmp_path / "plain"
    plain.mkdir()
    for name in ("b.png", "a.png"):
        drawing("cross", len(name), "dark").save(plain / name)
    one = shapes / "square" / "0.png"
    images, names, classes = read_gallery(
        [str(plain), str(twelve_images), str(shapes), str(one)], MIXED
    )
    digits = load(twelve_images).test
    files = [shapes / shape / f"{i}.png" for shape in SHAPES for i in (0, 1)]
    of_digits = [f"{twelve_images} test {i}" for i in range(12)]
    pictures = [plain / "a.png", plain / "b.png", *files, one]
    assert names == [*map(str, pictures[:2]), *of_digits, *map(str, [*files, one])]
    assert classes == ["", "", *map(str, digits.labels), *np.repeat(SHAPES, 2), ""]
    prepared = [MIXED(read_image(path)) for path in pictures]
    expected = [*prepared[:2], *digits.images, *prepared[2:]]
    np.testing.assert_array_equal(images, np.stack(expected), strict=True)


def test_a_data_set_has_the_size_that_the_network_reads(monkeypatch):
    """Broken otherwise: Omniglot at 28×28 is embedded by a network of 105×105, and refused."""
    asked = []
    monkeypatch.setattr(gallery, "load", lambda *_, **size: asked.append(size) or dataset())
    read_gallery(["omniglot"], Preparation("dark", 105))
    read_gallery(["omniglot"], MIXED)
    assert asked == [{"image_size": 105}, {"image_size": 28}]


def test_a_folder_in_two_halves_gives_the_one_asked_for(tmp_path):
    """Broken otherwise: a map of test images shows those that the network learnt from."""
    for half in ("train", "test"):
        write_drawings(tmp_path / half, 1)
    for half in ("train", "test"):
        found = files_of(tmp_path, to_test=half == "test")
        assert found == [(tmp_path / half / shape / "0.png", shape) for shape in SHAPES]


@pytest.mark.parametrize("source", ["gone", "gone.png", "empty"])
def test_what_has_no_images_is_refused(tmp_path, source):
    """Broken otherwise: a slip gives an empty file, or a traceback."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("hello")
    with pytest.raises(InputError, match=f"{source}: .*expected") as caught:
        read_gallery([str(tmp_path / source)], MIXED)
    assert "\n" not in str(caught.value)


def test_faults_of_all_sources_are_counted_together(shapes, tmp_path):
    """Broken otherwise: each bad file takes an attempt of its own."""
    (shapes / "cross" / "bad.png").write_text("hello")
    said = r"bad\.png: found text, expected .* \(and 1 more of 8 images cannot be used\)"
    with pytest.raises(InputError, match=said):
        read_gallery([str(shapes), str(tmp_path / "gone.png")], MIXED)


def test_more_images_than_memory_is_for_are_refused(shapes, monkeypatch):
    """Broken otherwise: a folder without end is read to the end of memory."""
    monkeypatch.setattr("numpy_siamese.data.gallery.MOST_IMAGES", 5)
    with pytest.raises(InputError, match="found 6 images, expected at most 5"):
        read_gallery([str(shapes)], MIXED)


def test_of_a_data_set_the_images_to_test_are_taken_with_the_names_of_their_classes(tmp_path):
    """Broken otherwise: a map shows what the network has learnt by heart, or bare numbers."""
    dataset = load(write_drawings(tmp_path / "many", 8))
    images, names, classes = of_test_images(dataset)
    np.testing.assert_array_equal(images, dataset.test.images, strict=True)
    assert classes == np.repeat(SHAPES, 2).tolist()
    assert names == [f"{tmp_path / 'many'} test {i}" for i in range(6)]
