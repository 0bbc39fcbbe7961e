"""Runs on a folder of pictures: what is said, what is recorded, and how they go on."""

import json
import shutil

import pytest

from numpy_siamese.tests.support.drawings import write_drawings
from numpy_siamese.tests.support.processes import assert_one_line
from numpy_siamese.tests.support.same_run import assert_same_run

FLAGS = ("--batches", 4, "--batch-size", 4, "--test-pairs", 10, "--window", 3, "--seed", 5)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Six drawings of each shape."""
    return write_drawings(tmp_path_factory.mktemp("drawn") / "shapes", 6)


@pytest.fixture(scope="module")
def whole(server, drawn, tmp_path_factory):
    """A finished run of two epochs, with half of the images to test."""
    out = tmp_path_factory.mktemp("whole") / "run"
    place = ("--data", drawn, "--test-share", 0.5, "--out", out)
    process = server.start("train", *place, *FLAGS, "--epochs", 2)
    assert (process.wait(), process.err) == (0, "")
    return out, process.out


def test_what_was_decided_is_said_once(drawn, whole):
    """Broken otherwise: nobody learns which images were inverted, or put aside to test."""
    _, printed = whole
    lines = printed.splitlines()
    assert lines[0].startswith(f"{drawn}:")
    text = " ".join(printed.split())
    for said in (
        "9 training and 9 test images",
        "3 classes: circle, cross, square",
        "9 of 18 images put aside to test, by seed 5",
        "light ground in 18 of 18 images, all inverted",
    ):
        assert text.count(said) == 1
    assert text.index("all inverted") < text.index("epoch 1/2")


def test_a_run_goes_on_with_the_images_that_it_had(server, drawn, whole, tmp_path):
    """Broken otherwise: a run goes on with another split, or not at all once the folder moved."""
    moved = shutil.copytree(drawn, tmp_path / "elsewhere" / "shapes")
    run, place = tmp_path / "run", ("--data", moved, "--test-share", 0.5)
    assert server.run("train", *place, "--out", run, *FLAGS, "--epochs", 1) == (0, "")
    assert json.loads((run / "config.json").read_text())["test_share"] == 0.5
    assert server.run("train", "--resume", run, "--epochs", 2) == (0, "")
    assert_same_run(run, whole[0])
    assert server.run("train", "--resume", run, "--data", drawn, "--epochs", 3) == (0, "")


def test_a_run_cannot_go_on_with_another_split(server, drawn, whole, tmp_path):
    """Broken otherwise: a network is tested on images that it was trained on."""
    run = shutil.copytree(whole[0], tmp_path / "run")
    again = server.start("train", "--resume", run, "--test-share", 0.2)
    assert_one_line(again, "expected no --test-share other than its 0.5")
    images = shutil.copytree(drawn, tmp_path / "shapes")
    (images / "cross" / "0.png").unlink()
    other = server.start("train", "--resume", run, "--data", images)
    assert_one_line(other, f"--data {images}: found images and labels of SHA-256")


def test_what_cannot_be_trained_on_leaves_nothing(server, drawn, tmp_path):
    """Broken otherwise: a folder with one bad image ends in a traceback, or in half a run."""
    images, out = shutil.copytree(drawn, tmp_path / "shapes"), tmp_path / "run"
    (images / "cross" / "0.png").write_bytes(b"")
    started = server.start("train", "--data", images, "--out", out, *FLAGS)
    assert_one_line(started, f"{images / 'cross' / '0.png'}: found an empty file")
    for share in (0, 1, "nan"):
        started = server.start("train", "--data", drawn, "--test-share", share, "--out", out)
        assert_one_line(started, "--test-share")
    started = server.start("train", "--test-share", 0.2, "--out", out)
    assert_one_line(started, "--test-share: found 0.2, but mnist-5k has images to test")
    assert not out.exists()
