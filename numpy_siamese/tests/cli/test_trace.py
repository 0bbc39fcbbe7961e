"""The verb `trace`: a page of a pair, by numbers or files; bad input."""

import errno
import json
import os
import re
import shutil

import numpy as np
import pytest

from numpy_siamese.data.sources import load
from numpy_siamese.model import SiameseNet
from numpy_siamese.tests.support.commands import assert_refused, status
from numpy_siamese.tests.support.drawings import drawing
from numpy_siamese.tests.support.finished import write_finished_run
from numpy_siamese.tracing import trace as traced


@pytest.fixture
def trace(tmp_path, twelve_images, monkeypatch):
    """Return a function from arguments to a command line, in a folder with a run and drawings."""
    digest = load(twelve_images).checksum()
    net = SiameseNet(2)
    write_finished_run(tmp_path / "run", net, seed=2, data=str(twelve_images), data_sha256=digest)
    for name, shape in (("a", "cross"), ("b", "square")):
        drawing(shape, 1, "light").convert("RGB").save(tmp_path / f"{name}.png")
    monkeypatch.chdir(tmp_path)

    def command(left, right, *more):
        return ["trace", "run", "--left", str(left), "--right", str(right), *map(str, more)]

    return command


def about(path) -> dict:
    """Return what a page says of itself."""
    text = path.read_text(encoding="utf-8")
    (found,) = re.findall(r'id="about">(.*?)</script>', text, re.DOTALL)
    return json.loads(found)


def test_a_pair_of_test_images_is_traced(trace, tmp_path, twelve_images, capfd):
    """Broken otherwise: the page is of other images, or the line of another page."""
    assert status(trace(0, 11)) == 0
    out, err = capfd.readouterr()
    assert err == ""
    page = about(tmp_path / "trace.html")
    test, last = load(twelve_images).test, page["states"][-1]
    assert [image["title"] for image in page["images"]] == [
        f"{load(twelve_images).name} test {k}, class {test.labels[k]}" for k in (0, 11)
    ]
    assert page["target"] == int(test.labels[0] == test.labels[11])
    images = test.images[[0, 11], None]
    expected = traced(SiameseNet(2).state_dict(), *images, page["target"])
    numbers = [expected.logit.value[0], expected.logit.gradient[0], expected.loss]
    assert [last["logit"], last["logitGradient"], last["loss"]] == numbers
    assert page["states"][0]["logit"] == last["logit"]  # the run's seed gives its weights
    assert page["source"] == "run, seed 2, by numpy-siamese."
    size = (tmp_path / "trace.html").stat().st_size
    assert size < 5_000_000
    assert out == (
        f"probability of the same class {last['probability']:.3g}, logit {last['logit']:.3g}, "
        f"loss {last['loss']:.3g}\n  page of {size / 1e6:.1f} MB in trace.html\n"
    )


def test_two_files_are_traced_as_the_network_sees_them(trace, tmp_path):
    """Broken otherwise: a picture is not prepared, or its class is invented."""
    assert status(trace("a.png", "b.png", "--out", "t.html")) == 0
    page = about(tmp_path / "t.html")
    assert [image["title"] for image in page["images"]] == ["a.png", "b.png"]
    assert page["assumed"]
    assert page["torch"] is None
    assert status(trace("a.png", 3, "--out", "t.html", "--target", "different")) == 0
    assert (about(tmp_path / "t.html")["target"], about(tmp_path / "t.html")["assumed"]) == (
        0,
        False,
    )


def test_a_name_may_have_any_characters(trace, tmp_path):
    """Broken otherwise: a quote, a tag or a byte that is no UTF-8 spoils the page."""
    for name in ('it\'s "a" <b>&amp;.png', "<script><!--.png", b"\xff\xfe.png"):
        place = os.path.join(os.fsencode(tmp_path), os.fsencode(name))
        shutil.copy(tmp_path / "a.png", place)
        assert status(trace(os.fsdecode(name), "b.png", "--out", "t.html")) == 0
        title = about(tmp_path / "t.html")["images"][0]["title"]
        assert title == os.fsdecode(name)


def test_a_run_in_float64_begins_with_its_own_weights(trace, tmp_path):
    """Broken otherwise: the page begins with a network that the run never had."""
    write_finished_run(tmp_path / "run", SiameseNet(2, np.float64), seed=2)
    assert status(trace("a.png", "b.png")) == 0
    first, last = about(tmp_path / "trace.html")["states"]
    assert first["logit"] == last["logit"]


def test_other_data_have_their_own_numbers(trace, tmp_path, twelve_images):
    """Broken otherwise: --data is not heeded."""
    assert status(trace(0, 999, "--data", "mnist-5k")) == 0
    page = about(tmp_path / "trace.html")
    assert page["images"][1]["title"].startswith("mnist-5k test 999")
    images = load("mnist-5k").test.images[[0, 999], None]
    expected = traced(SiameseNet(2).state_dict(), *images, page["target"])
    assert page["states"][-1]["logit"] == expected.logit.value[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((0, 12), ("--right: found 12, expected a test image of", "0 to 11")),
        ((-1, 0), ("-1: ", "expected an image")),
        (("c.png", 0), ("c.png",)),
        (("a.png", "b.png", "--data", "mnist-5k"), ("--data: found two image files",)),
        ((0, 1, "--data", "nowhere"), ("unknown data set 'nowhere'",)),
        ((0, 1, "--out", "t.png"), ("--out: found t.png, expected a name that ends in .html",)),
        ((0, 1, "--out", "no/t.html"), ("--out: found no folder no",)),
        ((0, 1, "--target", "0"), ("--target",)),
    ],
)
def test_what_cannot_be_traced_is_told_in_one_line(trace, tmp_path, capfd, arguments, said):
    """Broken otherwise: a traceback, a page of other images, or an empty file."""
    before = sorted(tmp_path.iterdir())
    assert_refused(capfd, trace(*arguments), *said)
    assert sorted(tmp_path.iterdir()) == before


def test_a_run_that_is_not_finished_or_another_network_is_refused(trace, tmp_path, capfd):
    """Broken otherwise: a page of half a training, or a traceback."""
    (tmp_path / "run" / "summary.json").write_text('{"finished": false}')
    assert_refused(capfd, trace(0, 1), "found a run that is not finished")
    (tmp_path / "run" / "summary.json").write_text('{"finished": true}')
    net = SiameseNet(dtype=np.float64)
    write_finished_run(tmp_path / "run", net, dtype="float32")
    assert_refused(capfd, trace("a.png", "b.png"), "expected those of the network")
    assert not (tmp_path / "trace.html").exists()


def test_a_full_disk_leaves_the_page_that_was_there(trace, tmp_path, capfd, monkeypatch):
    """Broken otherwise: a half-written page replaces a whole one."""
    (tmp_path / "trace.html").write_text("before")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert_refused(capfd, trace(0, 1), "trace.html", "No space left on device")
    assert (tmp_path / "trace.html").read_text() == "before"
    assert not list(tmp_path.glob(".trace*"))
