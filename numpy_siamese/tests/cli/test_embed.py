"""The verb `embed`: embeddings with their names and classes, and a map; bad input."""

import errno
import shutil

import numpy as np
import pytest

import numpy_siamese
from numpy_siamese.data.sources import load
from numpy_siamese.pictures import embedding_map
from numpy_siamese.tests.support.commands import assert_refused, status
from numpy_siamese.tests.support.drawings import SHAPES, write_drawings
from numpy_siamese.tests.support.run_files import shape_of
from numpy_siamese.tests.support.trained import write_run


@pytest.fixture
def embed(tmp_path, twelve_images, monkeypatch):
    """Return a function from arguments to a command line, in a folder with a run and drawings."""
    digest = load(twelve_images).checksum()
    write_run(tmp_path / "run", data=str(twelve_images), data_sha256=digest)
    write_drawings(tmp_path / "shapes", 2)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: ["embed", "run", *map(str, arguments)]


def arrays(path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def test_images_are_embedded_with_names_and_classes(embed, capfd):
    """Broken otherwise: an embedding stands beside another image's name, or needs pickle."""
    assert status(embed("shapes", "shapes/cross/1.png", "--out", "e.npz")) == 0
    assert capfd.readouterr() == ("7 images embedded in e.npz  map in map.png\n", "")
    found = arrays("e.npz")
    assert found.keys() == {"embeddings", "names", "labels"}
    names = found["names"].tolist()
    files = [f"shapes/{shape}/{i}.png" for shape in SHAPES for i in (0, 1)]
    assert names == [*files, "shapes/cross/1.png"]
    assert found["labels"].tolist() == [*np.repeat(SHAPES, 2), ""]
    expected = numpy_siamese.load_run("run").embed(names)
    np.testing.assert_array_equal(found["embeddings"], expected, strict=True)


def test_without_a_path_the_runs_own_test_images_are_embedded(embed, twelve_images):
    """Broken otherwise: whoever wants to see what a network learnt has to find the data."""
    assert status(embed("--out", "own.npz")) == 0
    found, test = arrays("own.npz"), load(twelve_images).test
    expected = numpy_siamese.load_run("run").embed(test.images)
    np.testing.assert_array_equal(found["embeddings"], expected, strict=True)
    assert found["labels"].tolist() == [*map(str, test.labels)]
    assert found["names"][11] == f"{twelve_images} test 11"


@pytest.mark.parametrize(("flags", "method"), [([], "PCA"), (["--tsne"], "t-SNE")])
def test_the_map_shows_each_image_at_its_point(embed, monkeypatch, tmp_path, flags, method):
    """Broken otherwise: the map has an image at another one's place, or under another class."""
    drawn = []
    draw = embedding_map.map_picture
    monkeypatch.setattr(
        embedding_map, "map_picture", lambda *args: drawn.append(args) or draw(*args)
    )
    for out in ("e.npz", "again.npz"):
        assert status(embed("shapes", "shapes/cross/0.png", "--out", out, *flags)) == 0
    (points, images, labels, names, told), again = drawn
    np.testing.assert_array_equal(points, again[0])  # by the run's seed
    assert told == method
    run = numpy_siamese.load_run("run")
    order = {run.images(path).tobytes(): k for k, path in enumerate(arrays("e.npz")["names"])}
    places = [order[image.tobytes()] for image in images]
    assert len(set(places)) == 6  # the last is the third once more
    classes = arrays("e.npz")["labels"]
    # what is told of an image twice has one of two labels
    for label, place in zip(labels, places, strict=True):
        expected = {"cross", "no class"} if place == 6 else {classes[place]}
        assert names[label] in expected
    assert sorted(names[label] for label in labels) == sorted([*SHAPES, *SHAPES, "no class"])
    assert shape_of(tmp_path / "map.png")[:2] == (1200, 1200)


@pytest.mark.parametrize("flags", [[], ["--tsne"]])
def test_one_image_is_embedded_too(embed, capfd, flags):
    """Broken otherwise: a single image ends in an error of scikit-learn's."""
    assert status(embed("shapes/cross/0.png", "--out", "e.npz", *flags)) == 0
    assert capfd.readouterr() == ("1 image embedded in e.npz  map in map.png\n", "")
    assert arrays("e.npz")["embeddings"].shape == (1, 84)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shapes"], "the following arguments are required: --out"),
        (["shapes", "--out", "e.txt"], "--out: found e.txt, expected a name that ends in .npz"),
        (["shapes", "--out", "gone/e.npz"], "--out: found no folder gone, expected one"),
        (["shapes", "--out", "folder.npz"], "--out: found the folder folder.npz, expected a file"),
        (["taken/map.png", "--out", "taken/e.npz"], "--out: found taken/map.png, which is read"),
        (["gone", "--out", "e.npz"], "gone: No such file or directory, expected"),
        (["", "--out", "e.npz"], "found an empty path"),
        (["run/evaluation", "--out", "e.npz"], "run/evaluation: found no images"),
        (["shapes", "text.png", "gone.png", "--out", "e.npz"], "(and 1 more of 8 images cannot"),
        (["shapes", "--out", "e.npz", "--threads", "0"], "--threads: found 0"),
    ],
)
def test_what_cannot_be_embedded_is_one_line(embed, capfd, tmp_path, arguments, said):
    """Broken otherwise: a slip ends in a traceback, or in a file of half the images."""
    for name in ("folder.npz", "taken"):
        (tmp_path / name).mkdir()
    (tmp_path / "text.png").write_text("hello")
    shutil.copy(tmp_path / "shapes" / "cross" / "0.png", tmp_path / "taken" / "map.png")
    before = sorted(tmp_path.rglob("*"))
    assert_refused(capfd, embed(*arguments), said)
    assert sorted(tmp_path.rglob("*")) == before


def test_data_that_are_no_longer_there_are_told(embed, capfd, tmp_path, twelve_images):
    """Broken otherwise: a run that was copied to another machine fails without advice."""
    write_run(tmp_path / "moved", data="gone")
    argv = ["embed", "moved", "--out", "e.npz"]
    assert_refused(capfd, argv, "'gone'", "if the data of the run have moved, give a PATH")
    write_run(tmp_path / "other", data=str(twelve_images), data_sha256="0" * 64)
    argv = ["embed", "other", "--out", "e.npz"]
    assert_refused(capfd, argv, "found images and labels of SHA-256", "as recorded in other")


def test_both_files_are_written_or_neither(embed, capfd, tmp_path, monkeypatch):
    """Broken otherwise: a full disk leaves embeddings without their map, or half of them."""
    (tmp_path / "e.npz").write_text("old")

    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("numpy_siamese.files.atomic_write.os.replace", full)
    assert_refused(capfd, embed("shapes", "--out", "e.npz"), "No space left on device")
    assert (tmp_path / "e.npz").read_text() == "old"
    assert not (tmp_path / "map.png").exists()
