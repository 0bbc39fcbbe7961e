"""Folders of pictures: their classes, their halves, and what cannot be trained on."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from numpy_siamese import data
from numpy_siamese.data import image_folder
from numpy_siamese.data.image_reader import read_image
from numpy_siamese.data.preparation import Preparation
from numpy_siamese.tests.support.drawings import SHAPES, write_drawings
from numpy_siamese.tests.support.written import assert_rejects, write_idx_folder


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Ten drawings of each shape, on light paper and on none."""
    return write_drawings(tmp_path_factory.mktemp("drawn") / "shapes", 10)


@pytest.fixture
def shapes(drawn, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(drawn, tmp_path / "shapes")


def halved(folder, names=("train", "test")):
    """Move the images to two halves: of each class the first four to test."""
    for shape in SHAPES:
        for i, path in enumerate(sorted((folder / shape).iterdir())):
            half = folder / names[i < 4] / shape
            half.mkdir(parents=True, exist_ok=True)
            path.rename(half / path.name)
        (folder / shape).rmdir()
    return folder


def as_set(images: np.ndarray) -> set[bytes]:
    return {image.tobytes() for image in images}


def test_sub_folders_are_classes_in_the_order_of_their_names(drawn):
    """Broken otherwise: labels differ from those of torchvision, or from run to run."""
    dataset = data.load(drawn)
    assert dataset.name == str(drawn)
    assert dataset.class_names == dict(enumerate(SHAPES))
    for split, count in ((dataset.train, 8), (dataset.test, 2)):
        np.testing.assert_array_equal(split.labels, np.repeat([0, 1, 2], count), strict=True)
    for label, shape in enumerate(SHAPES):
        found = as_set(np.concatenate([s.images[s.labels == label] for s in dataset_halves(drawn)]))
        prepared = [Preparation("light")(read_image(path)) for path in (drawn / shape).iterdir()]
        assert found == as_set(np.stack(prepared))
        assert len(found) == 10


def dataset_halves(folder, **how) -> tuple[data.Split, data.Split]:
    dataset = data.load(folder, **how)
    return dataset.train, dataset.test


@pytest.mark.parametrize(
    ("share", "count"), [(0.01, 2), (0.2, 2), (0.34, 3), (0.5, 5), (0.79, 8), (0.99, 8)]
)
def test_the_share_of_each_class_is_to_test(drawn, share, count):
    """Broken otherwise: a class is missing in a half, or no pair can be drawn of it there."""
    train, test = dataset_halves(drawn, test_share=share)
    assert np.bincount(test.labels).tolist() == [count] * 3
    assert np.bincount(train.labels).tolist() == [10 - count] * 3
    assert not as_set(train.images) & as_set(test.images)


def test_the_split_is_of_the_seed_and_the_names_alone(drawn, shapes):
    """Broken otherwise: a run cannot go on once its folder has moved, or all seeds have one split.

    One more image changes a class's half by one image at most.
    """
    first, other = data.load(drawn, seed=1), data.load(drawn, seed=2)
    assert data.load(shapes, seed=1).checksum() == first.checksum()
    assert as_set(other.test.images) != as_set(first.test.images)
    shutil.copy(shapes / "square" / "0.png", shapes / "circle" / "new.png")
    again = data.load(shapes, seed=1).test
    assert len(as_set(again.images) - as_set(first.test.images)) <= 1


@pytest.mark.parametrize("names", [("train", "test"), ("Training", "Testing")])
def test_halves_are_taken_as_they_are(shapes, names):
    """Broken otherwise: images to test are trained on."""
    expected = {path.name for path in sorted((shapes / "cross").iterdir())[:4]}
    halved(shapes, names)
    shutil.copytree(shapes / names[0], shapes / "unused")
    dataset = data.load(shapes)
    assert dataset.class_names == dict(enumerate(SHAPES))
    assert np.bincount(dataset.train.labels).tolist() == [6] * 3
    assert np.bincount(dataset.test.labels).tolist() == [4] * 3
    assert {path.name for path in (shapes / names[1] / "cross").iterdir()} == expected
    image = Preparation("light")(read_image(shapes / names[1] / "cross" / min(expected)))
    assert image.tobytes() in as_set(dataset.test.images)


def test_a_class_of_one_half_keeps_its_label(shapes):
    """Broken otherwise: a class that is new in the test has the label of a trained one."""
    halved(shapes)
    shutil.rmtree(shapes / "train" / "circle")
    dataset = data.load(shapes)
    assert np.unique(dataset.train.labels).tolist() == [1, 2]
    assert np.unique(dataset.test.labels).tolist() == [0, 1, 2]


def test_capital_letters_come_first(shapes):
    """Broken otherwise: labels differ from those of torchvision, which sorts by code points."""
    (shapes / "square").rename(shapes / "Square")
    assert data.load(shapes).class_names == {0: "Square", 1: "circle", 2: "cross"}


def test_classes_may_be_called_train_and_test(drawn, tmp_path):
    """Broken otherwise: photographs of trains are taken for half of a data set."""
    for name, shape in (("train", "circle"), ("tram", "cross")):
        shutil.copytree(drawn / shape, tmp_path / name)
    assert data.load(tmp_path).class_names == {0: "train", 1: "tram"}


def test_images_may_lie_deeper_and_other_files_beside(shapes):
    """Broken otherwise: what systems and people leave in folders has to be removed first."""
    before = data.load(shapes).checksum()
    (shapes / "circle" / "from 2024").mkdir()
    for name in (".DS_Store", "._0.png", "Thumbs.db", "notes.txt"):
        (shapes / "circle" / name).write_bytes(b"\0")
    for folder in ("__MACOSX", ".thumbnails"):
        shutil.copytree(shapes / "circle", shapes / folder)
        shutil.copytree(shapes / folder, shapes / "circle" / folder)
    (shapes / "README.png").write_bytes(b"")
    assert data.load(shapes).checksum() == before
    (shapes / "circle" / "6.jpg").rename(shapes / "circle" / "from 2024" / "6.JPG")
    assert len(as_set(data.load(shapes).train.images)) == 24


def test_files_of_a_data_set_come_before_images(shapes, digits):
    """Broken otherwise: a folder that was MNIST is another data set because of its pictures."""
    write_idx_folder(shapes, *digits)
    np.testing.assert_array_equal(data.load(shapes).train.images, digits[0])


# The ground


@pytest.mark.parametrize(
    ("kinds", "ground", "said"),
    [
        (("light", "clear"), "light", "light ground in 30 of 30 images, all inverted"),
        (("dark",), "dark", "light ground in 0 of 30 images, none inverted"),
        (("light", "dark"), "mixed", "light ground in 15 of 30 images, these inverted"),
    ],
)
def test_drawings_look_alike_on_every_paper(tmp_path, kinds, ground, said):
    """Broken otherwise: ink is 0 for one image and 255 for the next."""
    dataset = data.load(write_drawings(tmp_path / "it", 10, kinds))
    assert dataset.preparation == Preparation(ground)
    assert said in dataset.remarks
    for image in dataset.train.images:
        assert image.max() == 255
        assert (image[0] == 0).all()
        assert 0.02 < (image > 127).mean() < 0.35


def test_the_set_outvotes_an_image(shapes):
    """Broken otherwise: one image of its own kind is a negative among the others."""
    grey = np.full((40, 40), 140, np.uint8)
    grey[5:35, 18:21], grey[10:30, 5:9] = 255, 0
    grey[8:32, 30:36] = 255  # more light than dark ink
    Image.fromarray(grey).save(shapes / "cross" / "odd.png")
    dataset = data.load(shapes)
    assert dataset.preparation == Preparation("light")
    assert "light ground in 30 of 31 images, all inverted" in dataset.remarks
    expected = Preparation("light")(grey.astype(np.float32))
    assert expected.tobytes() in as_set(np.concatenate([half.images for half in (
        dataset.train, dataset.test)]))  # fmt: skip


def test_both_halves_decide_about_the_ground(tmp_path):
    """Broken otherwise: the images to test are prepared for the ground of those to train."""
    folder = tmp_path / "shapes"
    write_drawings(folder / "train", 4, ("light",))
    write_drawings(folder / "test", 4, ("dark",), seed=5000)
    dataset = data.load(folder)
    assert dataset.preparation == Preparation("mixed")
    for half, ground in (("train", "light"), ("test", "dark")):
        files = (path for shape in SHAPES for path in (folder / half / shape).iterdir())
        expected = as_set(np.stack([Preparation(ground)(read_image(path)) for path in files]))
        assert as_set(getattr(dataset, half).images) == expected


def test_what_was_decided_is_said(drawn, shapes):
    """Broken otherwise: nobody knows which images were put aside, or what the classes are."""
    first, second, _ = data.load(drawn, 0.3, 5).remarks
    assert first == "3 classes: circle, cross, square"
    assert second == "9 of 30 images put aside to test, by seed 5"
    assert len(data.load(halved(shapes)).remarks) == 2


# What is refused


def test_the_first_unreadable_file_is_named_and_the_others_counted(shapes):
    """Broken otherwise: files are left out unsaid, or mended one by one."""
    (shapes / "cross" / "3.png").write_bytes(b"")
    assert_rejects(data.load, shapes, f"{shapes / 'cross' / '3.png'}: found an empty file")
    (shapes / "circle" / "7.png").write_bytes(b"text")
    Image.new("L", (50, 50), 200).save(shapes / "square" / "blank.png")
    (shapes / "square" / "7.png").write_bytes(b"")
    said = f"{shapes / 'circle' / '7.png'}: found text", "(and 2 more of 31 images cannot be used)"
    assert_rejects(data.load, shapes, *said)


def test_an_image_that_shows_nothing_is_named(shapes):
    """Broken otherwise: black squares are trained on."""
    path = shapes / "square" / "blank.png"
    Image.new("L", (50, 50), 200).save(path)
    said = "found nothing drawn on a light ground, which the images of this set have, expected"
    assert_rejects(data.load, shapes, f"{path}: {said}")


@pytest.mark.parametrize("count", [1, 3])
def test_a_class_of_too_few_images_is_named(shapes, count):
    """Broken otherwise: the only *same* pair of a class is an image with itself."""
    paths = sorted((shapes / "cross").iterdir())
    for path in paths[count:]:
        path.unlink()
    images = "1 image" if count == 1 else "3 images"
    said = f"{shapes}: found {images} (.bmp, ", ") of class cross, expected at least 4: 2 to train"
    assert_rejects(data.load, shapes, *said)
    for path in sorted((shapes / "square").iterdir())[1:]:
        path.unlink()
    assert_rejects(data.load, shapes, "of class cross (and 1 more such classes), expected")


@pytest.mark.parametrize("half", ["train", "test"])
def test_a_class_of_one_image_in_a_half_is_named(shapes, half):
    """Broken otherwise: a half has no pair of two images of a class."""
    halved(shapes)
    for path in sorted((shapes / half / "cross").iterdir())[1:]:
        path.unlink()
    said = f"found 1 image to {half} (.bmp, ", "of class cross, expected at least 2: a pair of the"
    assert_rejects(data.load, shapes, *said)


def test_a_class_without_images_is_named(shapes):
    """Broken otherwise: a class in a format that is not read is left out unsaid."""
    for path in (shapes / "cross").iterdir():
        path.rename(path.with_suffix(".heic"))
    assert_rejects(data.load, shapes, "found no images (.bmp, .gif", "of class cross, expected at")


def test_one_class_is_refused(shapes):
    """Broken otherwise: no pair of different images can be drawn."""
    for shape in SHAPES[1:]:
        shutil.rmtree(shapes / shape)
    assert_rejects(data.load, shapes, "found images of one class, circle, expected a sub-folder")
    for path in (shapes / "circle").iterdir():
        path.unlink()
    assert_rejects(data.load, shapes, "found none of the files (but circle/), expected")


def test_one_class_in_a_half_is_refused(shapes):
    """Broken otherwise: it is told of another folder, or in the test after the first epoch."""
    halved(shapes)
    for shape in SHAPES[1:]:
        shutil.rmtree(shapes / "test" / shape)
    assert_rejects(data.load, shapes, "found images to test of one class, circle, expected")


@pytest.mark.parametrize(("kept", "gone"), [("train", "test"), ("test", "train")])
def test_half_a_data_set_is_refused(shapes, kept, gone):
    """Broken otherwise: it is one class, called train."""
    halved(shapes)
    (shapes / gone).rename(shapes / "val")
    assert_rejects(data.load, shapes, f"found classes in {kept}, but none in {gone}, expected both")


def test_a_share_of_what_is_divided_already_is_refused(shapes, digits, tmp_path):
    """Broken otherwise: a flag is accepted and ignored."""
    (tmp_path / "idx").mkdir()
    write_idx_folder(tmp_path / "idx", *digits)
    for name in (halved(shapes), tmp_path / "idx", "mnist-5k"):
        said = f"--test-share: found 0.3, but {name} has images to test"
        assert_rejects(lambda it: data.load(it, 0.3), name, said)


def test_too_many_images_are_refused_unread(shapes, monkeypatch):
    """Broken otherwise: a disk given by mistake is read until memory ends."""
    monkeypatch.setattr(image_folder, "MOST_IMAGES", 29)
    monkeypatch.delattr(image_folder, "read_image")
    assert_rejects(data.load, shapes, "found 30 images, expected at most 29")


@pytest.mark.parametrize("what", ["listdir", "walk"])
def test_a_folder_that_may_not_be_listed_is_told(shapes, monkeypatch, what):
    """Broken otherwise: missing permission ends in a traceback, or in a class without images."""

    def refuse(*folder, **_):
        raise PermissionError(13, "Permission denied", str(shapes / "cross"))

    monkeypatch.setattr(os, "scandir" if what == "walk" else "listdir", refuse)
    said = f"{shapes / 'cross'}: Permission denied, expected a folder of images"
    with pytest.raises(image_folder.InputError, match="Permission denied") as caught:
        image_folder.find_images(shapes)
    assert str(caught.value).startswith(said)


def test_names_that_no_terminal_shows_are_escaped(drawn, tmp_path):
    """Broken otherwise: a folder's name forges lines of a log, or commands the terminal."""
    for name, shape in (("a\n\x1b[2J", "circle"), ("b", "cross")):
        shutil.copytree(drawn / shape, tmp_path / name)
    assert data.load(tmp_path).class_names == {0: r"a\n\x1b[2J", 1: "b"}


def test_two_names_that_are_shown_alike_are_refused(shapes):
    """Broken otherwise: a class name and its escaped twin end in a traceback."""
    (shapes / "circle").rename(shapes / "\x1b")
    (shapes / "cross").rename(shapes / r"\x1b")
    assert_rejects(data.load, shapes, r"found two classes that are shown as \x1b, expected")
