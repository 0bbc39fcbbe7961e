"""Image files of every mode: grey levels as a person sees them, or one clear line."""

import io
import os
import warnings

import numpy as np
import pytest
from PIL import Image

from numpy_siamese.data import image_reader
from numpy_siamese.data.image_reader import grey_levels, read_image
from numpy_siamese.errors import InputError
from numpy_siamese.tests.robustness.hostile_images import encoded, png
from numpy_siamese.tests.support.written import assert_rejects

LEVELS = np.array([[0, 60, 255], [10, 200, 30]], np.uint8)


def read(tmp_path, content: bytes) -> np.ndarray:
    path = tmp_path / "picture"
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_image(path)


def clear(colour: tuple[int, int, int]) -> Image.Image:
    """Return one pixel of a colour beside one that is transparent."""
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((0, 0), (*colour, 255))
    return image


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "PPM", "GIF", "WEBP"])
def test_grey_levels_are_those_of_the_file(tmp_path, format):
    """Broken otherwise: rows and columns are exchanged, levels rescaled, or a format refused."""
    found = read(tmp_path, encoded(Image.fromarray(LEVELS), format, **{"lossless": True}))
    np.testing.assert_array_equal(found, LEVELS.astype(np.float32), strict=True)


@pytest.mark.parametrize(
    ("mode", "level"),
    [("1", 255), ("P", 102), ("LA", 90), ("RGB", 90), ("RGBA", 90), ("CMYK", 90)],
)
def test_every_mode_is_read(tmp_path, mode, level):
    """Broken otherwise: a palette's numbers are taken for levels, or CMYK is read as a negative."""
    grey = Image.new("L", (4, 4), level)
    image = grey.convert("RGB").convert(mode) if mode in ("P", "CMYK") else grey.convert(mode)
    content = encoded(image, "TIFF" if mode == "CMYK" else "PNG")
    assert np.unique(read(tmp_path, content)) == pytest.approx(level, abs=1e-4)


def test_colours_become_grey_by_their_luma(tmp_path):
    """Broken otherwise: red ink on white is another grey than in every other program."""
    image = Image.fromarray(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8))
    for mode in ("RGB", "RGBA"):
        found = read(tmp_path, encoded(image.convert(mode), "PNG"))
        assert found.tolist() == [[pytest.approx(255 * s, abs=0.5) for s in (0.299, 0.587, 0.114)]]


@pytest.mark.parametrize("format", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_are_scaled_to_eight(tmp_path, format):
    """Broken otherwise: all above 255 of 65,535 is white, as `Image.convert("L")` makes it."""
    content = encoded(Image.fromarray(LEVELS.astype(np.uint16) * 257), format)
    np.testing.assert_array_equal(read(tmp_path, content), LEVELS.astype(np.float32), strict=True)


@pytest.mark.parametrize(
    ("colour", "ground"),
    [((0, 0, 0), 255), ((200, 0, 0), 255), ((255, 255, 255), 0), ((255, 255, 0), 0)],
)
def test_what_is_transparent_is_on_the_side_that_shows_the_drawing(tmp_path, colour, ground):
    """Broken otherwise: black ink on nothing is black on black, or white ink white on white."""
    for content in (
        encoded(clear(colour), "PNG"),
        encoded(clear(colour), "WEBP", lossless=True),
        encoded(clear(colour).convert("P"), "GIF", transparency=clear(colour).convert("P")
                .getpixel((1, 0))),
    ):  # fmt: skip
        found = read(tmp_path, content)
        assert found[0, 1] == ground
        assert abs(found[0, 0] - ground) > 100


def test_half_transparent_ink_is_half_as_dark(tmp_path):
    """Broken otherwise: the smooth rim of a stroke is as dark as its middle."""
    image = Image.new("RGBA", (3, 1), (0, 0, 0, 0))
    image.putpixel((0, 0), (0, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 51))
    assert read(tmp_path, encoded(image, "PNG")).tolist() == [[0, pytest.approx(204), 255]]


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [(1, LEVELS), (3, LEVELS[::-1, ::-1]), (6, np.rot90(LEVELS, -1)), (8, np.rot90(LEVELS))],
)
def test_a_photograph_stands_as_it_was_taken(tmp_path, orientation, expected):
    """Broken otherwise: what a telephone took upright lies on its side."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = read(tmp_path, encoded(Image.fromarray(LEVELS), "PNG", exif=exif))
    np.testing.assert_array_equal(found, expected.astype(np.float32), strict=True)


def test_the_first_frame_of_an_animation_is_read(tmp_path):
    """Broken otherwise: a GIF is refused, or read as its last frame."""
    frames = [Image.fromarray(levels) for levels in (LEVELS, 255 - LEVELS)]
    for format, options in (("GIF", {}), ("TIFF", {}), ("WEBP", {"lossless": True})):
        content = encoded(frames[0], format, save_all=True, append_images=frames[1:], **options)
        assert Image.open(io.BytesIO(content)).n_frames == 2
        np.testing.assert_array_equal(read(tmp_path, content), LEVELS)


@pytest.mark.parametrize("kind", ["L", "RGBA", "I;16", "JPEG"])
def test_large_images_are_made_smaller_by_areas(tmp_path, kind):
    """Broken otherwise: a folder of photographs takes minutes and memory, or lines are skipped."""
    levels = np.tile(np.array([[100, 200]], np.uint8), (10, 1500))  # 10 × 3000
    image = Image.fromarray(levels.astype(np.uint16) * 257 if kind == "I;16" else levels)
    image = image.convert("RGBA") if kind == "RGBA" else image
    found = read(tmp_path, encoded(image, "JPEG" if kind == "JPEG" else "PNG"))
    assert max(found.shape) <= 1024
    assert found.mean() == pytest.approx(150, abs=2)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "found an empty file, expected an image (PNG, JPEG"),
        (b"hello\n", "found text, expected an image"),
        (b"%PDF-1.4\n", "found a PDF, expected an image"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "found a PNG image, damaged, expected an image"),
        (png(28, 28, data=bytes(99)), "found a PNG image, damaged (image file is truncated"),
        (encoded(Image.fromarray(LEVELS), "JPEG")[:-30], "found a JPEG image, damaged ("),
        (png(2**14, 2**13), "found 16384×8192 pixels, expected at most 67108864"),
        (png(2**16, 2**16), "found too many pixels (Image size (4294967296 pixels) exceeds"),
        (encoded(Image.new("F", (2, 2)), "TIFF"), "floating-point numbers, expected 8 or 16 bits"),
        (
            encoded(Image.fromarray(np.array([[-1, 70_000]], np.int32)), "TIFF"),
            "found pixels from -1 to 70000, expected 8 or 16 bits",
        ),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "found text, exp"),
    ],
    ids=["empty", "text", "PDF", "header", "short", "cut", "large", "bomb", "F", "I", "EPS"],
)
def test_what_cannot_be_read_is_told_in_one_line(tmp_path, content, said):
    """Broken otherwise: a bad file ends in a traceback, endless memory, or another program."""
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    assert_rejects(read_image, path, said)


def test_the_largest_image_is_read_and_one_row_more_is_not(tmp_path, monkeypatch):
    """Broken otherwise: what is allowed is refused, or the limit is not the one that is told."""
    monkeypatch.setattr(image_reader, "MOST_PIXELS", 6)
    assert read(tmp_path, encoded(Image.fromarray(LEVELS), "PNG")).shape == (2, 3)
    path = tmp_path / "picture"
    path.write_bytes(encoded(Image.new("L", (1, 7)), "PNG"))
    assert_rejects(read_image, path, "found 1×7 pixels, expected at most 6")


def test_libtiff_writes_no_lines_of_its_own(tmp_path, capfd):
    """Broken otherwise: a damaged TIFF prints more than the one line of the program."""
    content = encoded(Image.fromarray(LEVELS), "TIFF", compression="tiff_lzw")
    path = tmp_path / "picture"
    path.write_bytes(content[:8] + b"\xff" * 6 + content[14:])
    with Image.open(path) as image, pytest.raises(OSError, match="decoder error"):
        image.load()
    assert "not yet in table" in capfd.readouterr().err  # libtiff does write
    files = os.listdir("/dev/fd")
    assert_rejects(read_image, path, "damaged (decoder error")
    assert capfd.readouterr() == ("", "")
    assert os.listdir("/dev/fd") == files
    os.write(2, b"heard again")
    assert capfd.readouterr().err == "heard again"


def test_a_tiff_is_read_where_standard_error_is_closed(tmp_path, monkeypatch):
    """Broken otherwise: a program without a console reads no TIFF."""
    monkeypatch.setattr(image_reader, "STDERR", 10_000)
    content = encoded(Image.fromarray(LEVELS), "TIFF", compression="tiff_lzw")
    np.testing.assert_array_equal(read(tmp_path, content), LEVELS)


def test_half_transparent_colour_lies_half_on_its_ground(tmp_path):
    """Broken otherwise: a soft edge is as dark as the stroke, or brighter than white."""
    for level, alpha, ground in ((60, 128, 255), (200, 64, 0)):
        found = read(tmp_path, encoded(Image.new("RGBA", (3, 3), (*[level] * 3, alpha)), "PNG"))
        expected = level * alpha / 255 + ground * (1 - alpha / 255)
        assert np.abs(found - expected).max() <= 1


def test_more_than_sixteen_bits_are_refused_from_the_first_level_on():
    """Broken otherwise: levels above white, which nothing after expects."""
    levels = np.full((2, 2), 2**16 - 1, np.int32)
    assert grey_levels(Image.fromarray(levels)).max() == 255
    levels[0, 0] += 1
    with pytest.raises(InputError, match="found pixels from 65535 to 65536, expected 8 or 16 bits"):
        grey_levels(Image.fromarray(levels))
