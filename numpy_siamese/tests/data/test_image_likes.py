"""Images as callers have them: which are taken as they are, which prepared, which refused."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numpy_siamese.data.image_likes import as_image, as_images, read_prepared
from numpy_siamese.data.image_reader import MOST_PIXELS, read_image
from numpy_siamese.data.preparation import Preparation
from numpy_siamese.errors import InputError
from numpy_siamese.tests.support.drawings import drawing

MIXED = Preparation("mixed")


@pytest.fixture
def paths(tmp_path):
    """Drawings in files: light, dark and transparent."""
    found = []
    for i, kind in enumerate(("light", "dark", "clear")):
        found.append(tmp_path / f"{i}.png")
        image = drawing("cross", i, kind)
        (image if kind == "clear" else image.convert("RGB")).save(found[-1])
    return found


def prepared(path: Path) -> np.ndarray:
    return MIXED(read_image(path))


@pytest.mark.parametrize("shape", [(28, 28), (1, 28, 28), (3, 28, 28), (0, 28, 28)])
def test_what_the_network_reads_is_taken_as_it_is(shape):
    """Broken otherwise: digits of MNIST are centred anew, or a light ground is guessed."""
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    np.testing.assert_array_equal(as_images(images, MIXED), images.reshape(-1, 28, 28), strict=True)


def test_files_pillow_images_and_arrays_are_prepared_alike(paths):
    """Broken otherwise: a picture gets another verdict as a file than as an image or an array."""
    expected = np.stack([prepared(path) for path in paths])
    images = [Image.open(path) for path in paths]
    arrays = [np.asarray(image) for image in images]
    grey = [np.asarray(image.convert("L")) for image in images[:2]]
    texts = [*map(str, paths)]
    for given in (paths, texts, np.array(texts), iter(paths), tuple(images), arrays):
        np.testing.assert_array_equal(as_images(given, MIXED), expected, strict=True)
    np.testing.assert_array_equal(as_images(grey, MIXED), expected[:2], strict=True)
    np.testing.assert_array_equal(read_prepared(paths, MIXED), expected, strict=True)
    mixture = [paths[0], images[1], arrays[2]]
    np.testing.assert_array_equal(as_images(mixture, MIXED), expected, strict=True)
    for one in (paths[0], texts[0], np.str_(texts[0]), images[0], arrays[0], grey[0]):
        np.testing.assert_array_equal(as_image(one, MIXED, "left"), expected[0], strict=True)


def test_an_array_holds_several_pictures_along_its_first_axis(paths):
    """Broken otherwise: rows are taken for pictures, or colours for columns."""
    image = np.asarray(Image.open(paths[0]))  # (H, W, 3)
    expected = prepared(paths[0])
    both = as_images(np.stack([image, image]), MIXED)
    np.testing.assert_array_equal(both, np.stack([expected, expected]), strict=True)
    grey = np.asarray(Image.fromarray(image).convert("L"))
    found = as_images(np.stack([grey, grey, grey]), MIXED)
    np.testing.assert_array_equal(found, np.stack([expected] * 3), strict=True)


def test_a_pillow_image_is_left_as_it_was(tmp_path):
    """Broken otherwise: whoever goes on with the image has a smaller one, without colours."""
    drawing("square", 0, "light").convert("RGB").resize((2100, 2100)).save(tmp_path / "large.jpg")
    image = Image.open(tmp_path / "large.jpg")
    as_images(image, MIXED)
    assert (image.size, image.mode) == ((2100, 2100), "RGB")


def test_the_ground_of_the_preparation_counts(paths):
    """Broken otherwise: pictures are inverted otherwise than those that the network learnt from."""
    dark = as_images(paths[1], Preparation("dark"))
    np.testing.assert_array_equal(dark[0], prepared(paths[1]))
    with pytest.raises(InputError, match="found nothing drawn on a light ground"):
        as_images(np.where(np.eye(40, dtype=bool), 255, 0).astype(np.uint8), Preparation("light"))


def test_the_first_fault_is_named_and_the_others_are_counted(paths, tmp_path):
    """Broken otherwise: a folder with ten bad files takes ten attempts."""
    (tmp_path / "bad.png").write_text("hello")
    bad = tmp_path / "bad.png"
    with pytest.raises(InputError) as caught:
        as_images([paths[0], bad, tmp_path / "missing.png", paths[1]], MIXED)
    assert str(caught.value).startswith(f"{bad}: found text, expected an image")
    assert str(caught.value).endswith("(and 1 more of 4 images cannot be used)")


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        (np.zeros((2, 28, 28)), TypeError, "images must be uint8, .* got float64"),
        (np.zeros((2, 28, 28), bool), TypeError, "images must be uint8, .* got bool"),
        (
            np.zeros((9, 784), np.uint8),
            ValueError,
            r"784 pixels are images as .reshape\(-1, 28, 28",
        ),
        (np.zeros((28, 28, 1), np.uint8), ValueError, r"one colour in \(28, 28, 1\), expected"),
        (np.zeros((2, 1, 28, 28), np.uint8), ValueError, r"got \(2, 1, 28, 28\)"),
        (np.zeros(784, np.uint8), ValueError, r"got \(784,\)"),
        ([np.zeros((2, 28, 28), np.uint8)], ValueError, r"images\[0\] must be one image, got 2"),
        ([3], TypeError, r"images\[0\] must be an array of uint8, a path or a Pillow .*, got int"),
        (b"left.png", TypeError, "images must be an array of uint8, a path .*, got bytes"),
        (None, TypeError, "images must be .*, got None"),
        ([Image.new("L", (0, 3))], InputError, r"images\[0\]: found 0×3 pixels, expected at least"),
        (Image.new("F", (3, 3)), InputError, "images: found pixels of floating-point numbers"),
        (Image.new("L", (9, 9)), InputError, "images: found nothing drawn on a light or dark"),
        (np.ones((50, 50), np.uint8), InputError, "found nothing drawn"),
    ],
)
def test_what_is_no_image_is_refused(value, kind, said):
    """Broken otherwise: numbers of another scale or layout get a verdict that means nothing."""
    with pytest.raises(kind, match=said):
        as_images(value, MIXED)


def test_damage_that_only_decoding_shows_is_one_line(tmp_path):
    """Broken otherwise: an image that Pillow opened ends in Pillow's own error."""
    drawing("square", 0, "light").convert("RGB").save(tmp_path / "cut.jpg")
    content = (tmp_path / "cut.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) // 2])
    said = r"^left: found an image, damaged \("
    with Image.open(tmp_path / "cut.jpg") as image, pytest.raises(InputError, match=said) as caught:
        as_image(image, MIXED, "left")
    assert "\n" not in str(caught.value)


def test_an_enormous_pillow_image_is_refused(monkeypatch):
    """Broken otherwise: an image that promises more than memory holds is decoded."""
    monkeypatch.setattr("numpy_siamese.data.image_reader.MOST_PIXELS", 80)
    assert MOST_PIXELS > 80
    with pytest.raises(
        InputError, match=re.escape("images: found 9×9 pixels, expected at most 80")
    ):
        as_images(Image.new("L", (9, 9)), MIXED)


def test_one_image_is_asked_for():
    """Broken otherwise: of several images the first gets the verdict, without a word."""
    for count in (0, 2):
        with pytest.raises(ValueError, match=f"right must be one image, got {count}"):
            as_image(np.zeros((count, 28, 28), np.uint8), MIXED, "right")


def test_a_picture_of_28_pixels_a_side_is_prepared_unless_it_is_an_array_of_grey(tmp_path):
    """Broken otherwise: small files are prepared to train on, and not to predict."""
    small = drawing("square", 0, "light").convert("RGB").resize((28, 28))
    small.save(tmp_path / "small.png")
    expected = MIXED(read_image(tmp_path / "small.png"))[None]
    grey = np.asarray(small.convert("L"))
    assert not np.array_equal(expected[0], grey)
    for value in (tmp_path / "small.png", small, small.convert("L"), np.asarray(small)):
        np.testing.assert_array_equal(as_images(value, MIXED), expected, strict=True)
    np.testing.assert_array_equal(as_images(grey, MIXED), grey[None], strict=True)


@pytest.mark.parametrize("width", [3, 4])
def test_a_grey_picture_may_be_as_wide_as_a_pixel_has_colours(width):
    """Broken otherwise: a narrow strip is refused."""
    strip = np.zeros((40, width), np.uint8)
    strip[5:30, 1] = 255
    expected = MIXED(strip.astype(np.float32))[None]
    np.testing.assert_array_equal(as_images(strip, MIXED), expected, strict=True)


def test_a_pillow_image_is_turned_as_its_camera_noted(tmp_path):
    """Broken otherwise: an image that was opened before shows something else than its file."""
    image, exif = drawing("square", 0, "light").convert("L"), Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    image.save(tmp_path / "turned.png", exif=exif)
    expected = MIXED(np.rot90(np.asarray(image), -1).astype(np.float32))[None]
    for value in (tmp_path / "turned.png", Image.open(tmp_path / "turned.png")):
        np.testing.assert_array_equal(as_images(value, MIXED), expected, strict=True)
