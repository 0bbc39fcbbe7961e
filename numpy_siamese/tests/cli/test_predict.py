"""The verb `predict`: pairs and references, in words, in JSON and as pictures; bad input."""

import errno
import json
import sys

import numpy as np
import pytest
from PIL import Image

import numpy_siamese
from numpy_siamese.tests.robustness.hostile_images import encoded, png
from numpy_siamese.tests.support.commands import assert_refused, status
from numpy_siamese.tests.support.drawings import SHAPES, drawing, write_drawings
from numpy_siamese.tests.support.run_files import shape_of
from numpy_siamese.tests.support.streams import Failing
from numpy_siamese.tests.support.trained import write_run


@pytest.fixture
def predict(tmp_path, monkeypatch):
    """Return a function from arguments to a command line, in a folder with a run and drawings."""
    write_run(tmp_path / "run", 0.75)
    for name, shape, kind in (("a", "cross", "light"), ("b", "square", "dark")):
        drawing(shape, 1, kind).convert("RGB").save(tmp_path / f"{name}.png")
    write_drawings(tmp_path / "shapes", 2, seed=7)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: ["predict", "run", *map(str, arguments)]


def answer(capfd, argv) -> str:
    """Return what a command prints that ends well."""
    assert status(argv) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert max(map(len, out.splitlines())) <= 80
    return out


def test_a_pair_is_told_in_words(predict, capfd):
    """Broken otherwise: the verdict is of another pair, or its error rates are exchanged."""
    expected = numpy_siamese.load_run("run").verify("a.png", "b.png")
    found = answer(capfd, predict("a.png", "b.png")).splitlines()
    assert found == [
        f"same class with probability {expected.probability:.4f}",
        f"logit {expected.logit:.3f}, L1 distance of the embeddings {expected.distance:.1f}",
        "at 0.5: different",
        "at the validated threshold 0.7500: different",
        "FAR 25.0 % [12.5, 50.0] and FRR 37.5 % [12.5, 50.0] there, on test pairs",
    ]
    assert answer(capfd, predict("a.png", "a.png")).count(": same") == 2


def test_a_pair_is_told_in_json(predict, capfd):
    """Broken otherwise: a program that asks gets words, or other numbers than Python's."""
    expected = numpy_siamese.load_run("run").verify("a.png", "b.png")
    found = json.loads(answer(capfd, predict("a.png", "b.png", "--json")))
    rate = {"value": 0.25, "low": 0.125, "high": 0.5}
    frr = rate | {"value": 0.375}
    assert found == {
        "run": "run",
        "left": "a.png",
        "right": "b.png",
        "probability": expected.probability,
        "logit": expected.logit,
        "distance": expected.distance,
        "same": False,
        "threshold": {"value": 0.75, "same": False, "far": rate, "frr": frr},
    }


def test_without_a_threshold_a_line_says_how_to_get_one(predict, capfd, tmp_path):
    """Broken otherwise: whoever skipped the evaluation does not learn of it."""
    (tmp_path / "run" / "evaluation" / "evaluation.json").unlink()
    lines = answer(capfd, predict("a.png", "b.png")).splitlines()
    assert lines[-1] == "no validated threshold yet: numpy-siamese evaluate run"
    assert json.loads(answer(capfd, predict("a.png", "b.png", "--json")))["threshold"] is None


def test_references_are_ranked_with_their_classes(predict, capfd):
    """Broken otherwise: a name or a class stands beside another image's probability."""
    run = numpy_siamese.load_run("run")
    files = [f"shapes/{shape}/{i}.png" for shape in SHAPES for i in (0, 1)]
    expected = run.rank("a.png", files)
    found = json.loads(answer(capfd, predict("a.png", "--references", "shapes", "--json")))
    assert (found["query"], found["references"]) == ("a.png", 6)
    assert found["ranking"] == [
        {
            "path": files[index],
            "class": SHAPES[index // 2],
            "probability": probability,
            "logit": logit,
        }
        for index, probability, logit in expected[:5]
    ]
    logits = {ranked.index: ranked.logit for ranked in expected}
    means = {shape: (logits[2 * k] + logits[2 * k + 1]) / 2 for k, shape in enumerate(SHAPES)}
    order = sorted(SHAPES, key=lambda shape: -means[shape])
    assert found["classes"] == [
        {"class": shape, "images": 2, "mean_logit": means[shape]} for shape in order
    ]
    lines = answer(capfd, predict("a.png", "--references", "shapes", "--top", 2)).splitlines()
    assert lines[0].startswith(f"likest class {order[0]}, mean logit {means[order[0]]:.3f}; next")
    assert lines[1] == "the likest of 6 references, with the probability of the same class:"
    assert [line.split() for line in lines[2:]] == [
        [str(n + 1), f"{row['probability']:.4f}", row["class"], row["path"]]
        for n, row in enumerate(found["ranking"][:2])
    ]


def test_plain_images_are_ranked_without_classes(predict, capfd):
    """Broken otherwise: a folder of photographs must be sorted into classes first."""
    argv = predict("a.png", "--references", "shapes/cross", "--top", 99)
    found = json.loads(answer(capfd, [*argv, "--json"]))
    assert found["classes"] is None
    assert [row["class"] for row in found["ranking"]] == [None, None]
    lines = answer(capfd, argv).splitlines()
    assert lines[0].startswith("the likest of 2 references")
    assert len(lines) == 3


@pytest.mark.parametrize("rest", [["b.png"], ["--references", "shapes"]])
def test_what_the_network_saw_is_saved(predict, capfd, tmp_path, rest):
    """Broken otherwise: nobody can see why a picture was misjudged."""
    answer(capfd, predict("a.png", *rest, "--save", "seen.png"))
    assert min(shape_of(tmp_path / "seen.png")[:2]) > 200


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.png"], "found 1 image, expected two, or one with --references DIR"),
        (["a.png", "b.png", "a.png"], "found 3 images, expected two"),
        (["a.png", "b.png", "--references", "shapes"], "found 2 images with --references"),
        (["a.png", "b.png", "--top", "3"], "--top: found 3, expected 1 or more, with --references"),
        (["a.png", "--references", "shapes", "--top", "0"], "--top: found 0, expected 1 or more"),
        (["a.png", "--references", "run/evaluation"], "evaluation: found no images (.bmp"),
        (["a.png", "--references", "gone"], "gone: No such file or directory, expected"),
        (["a.png", "--references", "b.png"], "b.png: Not a directory"),
        (["a.png", "gone.png"], "gone.png: No such file or directory, expected an image"),
        (["gone.png", "shapes"], "gone.png: No such file or directory, expected an image (PNG"),
        (["shapes", "a.png"], "shapes: Is a directory, expected an image"),
        (["a.png", "b.png", "--threads", "0"], "--threads: found 0"),
        (["a.png", "b.png", "--save", "seen.jpg"], "--save: found seen.jpg, expected a name that"),
        (["a.png", "b.png", "--save", "gone/seen.png"], "--save: found no folder gone, expected"),
        (["a.png", "b.png", "--save", "b.png"], "--save: found b.png, which is read, expected"),
        (["a.png", "b.png", "--save", "folder.png"], "--save: found the folder folder.png"),
        (["a.png", "b.png", "--device", "cpu"], "found --device, which is a flag of torch-siamese"),
    ],
)
def test_what_cannot_be_predicted_is_one_line(predict, capfd, tmp_path, arguments, said):
    """Broken otherwise: a slip ends in a traceback, or half of what was asked is done."""
    (tmp_path / "folder.png").mkdir()
    before = sorted(path for path in tmp_path.rglob("*"))
    assert_refused(capfd, predict(*arguments), said)
    assert sorted(path for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file"),
        (b"hello\n", "text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "a PNG image, damaged"),
        (png(2**16, 2**16), "too many pixels"),
        (png(2**14, 2**13), "16384×8192 pixels"),
        (png(28, 28, data=bytes(99)), "a PNG image, damaged (image file is truncated"),
        (encoded(Image.new("L", (50, 50), 200), "PNG"), "nothing drawn"),
        (encoded(Image.new("F", (3, 3)), "TIFF"), "pixels of floating-point numbers"),
    ],
    ids=["empty", "text", "header", "bomb", "large", "short", "blank", "F"],
)
def test_hostile_images_are_one_line(predict, capfd, tmp_path, content, said):
    """Broken otherwise: a bad file ends in a traceback, endless memory or a made-up verdict."""
    (tmp_path / "bad\n.png").write_bytes(content)
    argv = predict("a.png", "bad\n.png", "--save", "seen.png")
    assert_refused(capfd, argv, f"bad\\n.png: found {said}")
    (tmp_path / "shapes" / "cross" / "bad.png").write_bytes(content)
    argv = predict("a.png", "--references", "shapes", "--save", "seen.png")
    assert_refused(capfd, argv, f"bad.png: found {said}")
    assert not (tmp_path / "seen.png").exists()


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA", "CMYK", "I;16", "animated", "turned"])
def test_images_of_every_kind_get_the_verdict_of_the_plain_one(predict, capfd, tmp_path, mode):
    """Broken otherwise: a picture is judged by its file format."""
    plain = Image.new("L", (60, 80), 255)
    plain.paste(0, (20, 10, 30, 70))
    plain.save(tmp_path / "plain.png")
    options: dict = {"format": "TIFF" if mode == "CMYK" else "PNG"}
    image = plain
    if mode == "I;16":
        image = Image.fromarray(np.asarray(plain).astype(np.uint16) * 257)
    elif mode == "animated":
        options = {"format": "GIF", "save_all": True, "append_images": [Image.new("L", (60, 80))]}
    elif mode == "turned":
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned by a quarter, clockwise
        image, options["exif"] = plain.transpose(Image.Transpose.ROTATE_90), exif
    else:
        image = (plain.convert("RGB") if mode in ("P", "CMYK") else plain).convert(mode)
    image.save(tmp_path / "other", **options)
    found = json.loads(answer(capfd, predict("plain.png", "other", "--json")))
    assert found["distance"] == 0


def test_an_unfinished_run_is_told_how_to_go_on(predict, capfd, tmp_path):
    """Broken otherwise: weights of the middle of a run judge pictures."""
    (tmp_path / "run" / "summary.json").unlink()
    assert_refused(capfd, predict("a.png", "b.png"), "run: found a run that has not ended an epoch")


def test_a_closed_output_is_one_line(predict, capsys, monkeypatch):
    """Broken otherwise: a reader that has seen enough is answered by a traceback."""
    monkeypatch.setattr(sys, "stdout", Failing(errno.EPIPE))
    assert status(predict("a.png", "b.png")) == 2
    assert capsys.readouterr().err == "numpy-siamese: error: standard output: Broken pipe\n"
