"""A trained network in use, in Python: pairs judged, images embedded, references ranked."""

import hashlib
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

import numpy_siamese
from numpy_siamese.data.image_likes import as_images
from numpy_siamese.data.preparation import Preparation
from numpy_siamese.errors import InputError
from numpy_siamese.runs.trained_run import Ranked
from numpy_siamese.tests.support.drawings import drawing
from numpy_siamese.tests.support.tiny import split
from numpy_siamese.tests.support.trained import write_run

DIGITS = split([6, 6]).images


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of digits that was evaluated."""
    return numpy_siamese.load_run(write_run(tmp_path_factory.mktemp("use") / "run", 0.75))


def test_a_run_is_loaded_with_all_that_its_use_takes(tmp_path):
    """Broken otherwise: pictures are prepared otherwise, or verdicts told at no threshold."""
    names, ground = {"3": "cross", "11": "square"}, {"ground": "light"}
    folder = write_run(tmp_path / "run", 0.75, class_names=names, preparation=ground)
    run = numpy_siamese.load_run(str(folder), threads=1)
    assert run.path == folder
    assert run.class_names == {3: "cross", 11: "square"}
    assert run.preparation == Preparation("light")
    assert run.threshold == (0.75, (0.25, 0.125, 0.5), (0.375, 0.125, 0.5), None)
    assert run.run.config.threads == 1
    assert "weights" not in repr(run)


def test_a_network_of_digits_judges_the_ground_of_each_picture(tmp_path):
    """Broken otherwise: half of the pictures that a digits network is shown are negatives."""
    run = numpy_siamese.load_run(write_run(tmp_path / "run"))
    assert run.preparation == Preparation("mixed")
    assert run.threshold is None
    pictures = [drawing("cross", 1, kind) for kind in ("light", "dark", "clear")]
    expected = run.network.embed(as_images(pictures, Preparation("mixed")))
    np.testing.assert_array_equal(run.embed(pictures), expected, strict=True)
    assert run.embed(pictures[0]).shape == (1, 84)
    np.testing.assert_array_equal(run.images(pictures), as_images(pictures, run.preparation))


def test_a_verdict_is_the_networks(run):
    """Broken otherwise: probability, logit or distance are of another pair or another network."""
    left, right = DIGITS[:2]
    embeddings = run.embed(DIGITS[:2])
    logits, probs = run.network.compare(embeddings[:1], embeddings[1:])
    found = run.verify(left, right)
    assert (found.probability, found.logit) == (probs.item(), logits.item())
    assert found.distance == math.fsum(abs(embeddings[0] - embeddings[1]).tolist())
    assert run.verify(right, left) == found
    same = run.verify(left, left)
    assert (same.distance, same.logit) == (0, run.network.head()[1].item())


@pytest.mark.parametrize(
    ("probability", "at_half", "at_threshold"),
    [(0.5, False, False), (0.501, True, False), (0.75, True, False), (0.751, True, True)],
)
def test_a_pair_is_same_above_a_threshold_and_not_at_it(
    run, monkeypatch, probability, at_half, at_threshold
):
    """Broken otherwise: the rates that are told are those of another rule than the verdicts."""
    answer = np.zeros((1, 1)), np.array([[probability]])
    monkeypatch.setattr(run.network, "compare", lambda left, right: answer)
    found = run.verify(*DIGITS[:2])
    assert (found.same, found.same_at_threshold) == (at_half, at_threshold)


def test_without_a_validated_threshold_there_is_no_verdict_at_it(tmp_path):
    """Broken otherwise: a run that was never evaluated rejects every pair, or cannot be used."""
    found = numpy_siamese.load_run(write_run(tmp_path / "run")).verify(*DIGITS[:2])
    assert found.same_at_threshold is None


def test_a_threshold_of_other_weights_does_not_count(tmp_path):
    """Broken otherwise: after `train --resume` verdicts are told with rates of another network."""
    folder = write_run(tmp_path / "run", 0.75)
    path = folder / "evaluation" / "evaluation.json"
    own = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    for sha256, threshold in ((own, 0.75), ("0" * 64, None)):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"model_sha256": sha256}))
        found = numpy_siamese.load_run(folder).threshold
        assert (found and found.value) == threshold


def test_weights_that_overflow_are_told(tmp_path):
    """Broken otherwise: a network that diverged gives verdicts of NaN, or warnings of NumPy's."""
    folder = write_run(tmp_path / "run")
    weights = load_file(folder / "model.safetensors")
    for name, said in (("net.conv1.weight", "embeddings that are not finite"), ("fc1.weight", "")):
        save_file(weights | {name: np.sign(weights[name]) * 1e307}, folder / "model.safetensors")
        run = numpy_siamese.load_run(folder)
        with pytest.raises(InputError, match=re.escape(f"{folder}: found {said}")):
            run.verify(*DIGITS[:2])


def test_references_are_ranked_as_pairs_are_judged(run):
    """Broken otherwise: the first of a ranking is not the pair with the highest probability."""
    query, references = DIGITS[0], np.concatenate([DIGITS[1:], DIGITS[1:3]])
    verdicts = [run.verify(query, image) for image in references]
    expected = sorted(range(len(references)), key=lambda i: (-verdicts[i].logit, i))
    found = run.rank(query, references)
    assert [ranked.index for ranked in found] == expected
    for ranked in found:
        verdict = verdicts[ranked.index]
        assert ranked.logit == verdict.logit
        # of either: exp to an ulp, the sum, the quotient or a logarithm to an ulp, and exp
        assert ranked.probability == pytest.approx(verdict.probability, rel=8 * 2.0**-52)
    assert run.rank(query, references, top=3) == found[:3]
    assert run.rank(query, references, top=99) == found
    assert isinstance(found[0], Ranked)


def test_references_that_are_embedded_already_are_not_embedded_again(run, monkeypatch):
    """Broken otherwise: every query of a large collection embeds all of it anew."""
    embeddings = run.embed(DIGITS)
    expected = run.rank(DIGITS[0], DIGITS)
    embedded = []
    embed = run.network.embed
    monkeypatch.setattr(run.network, "embed", lambda x: embedded.append(len(x)) or embed(x))
    assert run.rank(DIGITS[0], embeddings) == expected
    assert embedded == [1]
    for query in (embeddings[0], embeddings[:1]):
        assert run.rank(query, embeddings) == expected
    assert embedded == [1]
    assert (expected[0].index, expected[0].logit) == (0, 2.0)


def test_far_apart_references_have_probability_nought(run, monkeypatch):
    """Broken otherwise: a warning of an overflow is what the user sees of a clear case."""
    monkeypatch.setattr(run.network, "head", lambda: (np.full((1, 84), -1e9), np.zeros(1)))
    embeddings = run.embed(DIGITS)
    assert run.rank(DIGITS[0], embeddings)[-1].probability == 0.0


def test_no_references_are_no_ranking(run):
    """Broken otherwise: an empty folder ends in an error from somewhere inside."""
    assert run.rank(DIGITS[0], []) == []


def test_paths_and_pillow_images_are_judged_alike(run, tmp_path):
    """Broken otherwise: the file of a picture gets another verdict than the picture."""
    pictures = [drawing(shape, 3, "light").convert("RGB") for shape in ("cross", "square")]
    paths = [tmp_path / f"{i}.png" for i in range(2)]
    for picture, path in zip(pictures, paths, strict=True):
        picture.save(path)
    found = run.verify(*paths)
    assert found == run.verify(*pictures) == run.verify(str(paths[0]), np.asarray(pictures[1]))
    assert run.rank(paths[0], paths) == run.rank(pictures[0], pictures)


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda run: run.verify(DIGITS[0], DIGITS), ValueError, "right must be one image, got 12"),
        (lambda run: run.verify(DIGITS[:0], DIGITS[0]), ValueError, "left must be one image, got"),
        (lambda run: run.verify("gone.png", DIGITS[0]), InputError, "gone.png: No such file"),
        (lambda run: run.verify(DIGITS[0] / 255, DIGITS[0]), TypeError, "left must be uint8"),
        (lambda run: run.rank(DIGITS, DIGITS), ValueError, "query must be one image, got 12"),
        (lambda run: run.rank(DIGITS[0], DIGITS, top=0), ValueError, "top must be at least 1"),
        (lambda run: run.rank(DIGITS[0], np.zeros((3, 83))), ValueError, r"query must be \(83,\)"),
        (
            lambda run: run.rank(np.zeros(9), np.zeros((3, 84))),
            ValueError,
            r"query must be \(84,\)",
        ),
        (lambda run: run.rank(DIGITS[0], np.zeros((3, 84), "f4")), TypeError, "one dtype for all"),
        (
            lambda run: run.rank(DIGITS[0], np.full((3, 84), np.nan)),
            ValueError,
            "references must be finite",
        ),
        (lambda run: run.embed(Image.new("L", (5, 5))), InputError, "found nothing drawn"),
    ],
)
def test_what_cannot_be_used_is_refused(run, call, kind, said):
    """Broken otherwise: a slip gives a verdict that means nothing, or an error that names none."""
    with pytest.raises(kind, match=said):
        call(run)


def test_what_is_no_finished_run_is_refused(tmp_path):
    """Broken otherwise: a slip in the path ends in a traceback."""
    said = re.escape(f"{tmp_path}: found no config.json, expected the folder of a run")
    with pytest.raises(InputError, match=said):
        numpy_siamese.load_run(tmp_path)
    folder = write_run(tmp_path / "run", 0.75)
    (folder / "evaluation" / "evaluation.json").write_text("{}")
    with pytest.raises(InputError, match=r"evaluation\.json: far: found None"):
        numpy_siamese.load_run(folder)


def test_several_embeddings_are_no_query(run):
    """Broken otherwise: the first is ranked against, and the others count for nothing."""
    embeddings = run.embed(DIGITS[:3])
    with pytest.raises(ValueError, match=r"query must be \(84,\) for references \(3, 84\)"):
        run.rank(embeddings[:2], embeddings)
    assert run.rank(embeddings[:1], embeddings) == run.rank(embeddings[0], embeddings)


def test_the_page_on_use_works_as_it_stands(tmp_path, monkeypatch):
    """Broken otherwise: who copies the lines of docs/use.md gets an error."""
    write_run(tmp_path / "runs" / "digits", 0.75)
    for k, name in enumerate(["left", "right", "query", "a", "b", "c"]):
        drawing("circle", k, "light").save(tmp_path / f"{name}.png")
    page = (Path(__file__).parents[3] / "docs" / "use.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(code, "use.md", "exec"), names)
    assert names["embeddings"].shape == (3, 84)
    assert names["verdict"].same_at_threshold is (names["verdict"].probability > 0.75)
    assert names["best"].index in range(3)
