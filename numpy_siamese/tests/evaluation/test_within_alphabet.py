"""Accuracy within alphabets: against plain loops, ties, what is embedded, what is reported."""

import json
from fractions import Fraction

import numpy as np
import pytest

from numpy_siamese.data.trials import Run, draw_trials
from numpy_siamese.evaluation.dyads import runs_interval
from numpy_siamese.evaluation.one_shot import Embedded, head_logits
from numpy_siamese.evaluation.wilson import wilson_interval
from numpy_siamese.evaluation.within_alphabet import (
    METHODS,
    network_likeness,
    one_shot_validation,
    pixel_likeness,
    score,
    trial_measures,
    views_likeness,
)
from numpy_siamese.tests.evaluation.test_one_shot import logit, pixel_methods, whole_numbers
from numpy_siamese.tests.support.drawn_alphabets import columns

DRAWN = columns([22, 3], [4, 5])
n = len(DRAWN.labels)
IMAGES = np.random.default_rng(0).integers(0, 256, (n, 5, 6), dtype=np.uint8)
RUNS = draw_trials(*DRAWN, 90, seed=2)


def plain_credits(likeness):
    """Return what each trial counts, by loops over all, as fractions."""
    found = []
    for run in RUNS:
        for q, position in zip(run.query.tolist(), run.position.tolist(), strict=True):
            values = [likeness(q, s) for s in run.support.tolist()]
            best = [k for k, value in enumerate(values) if value == max(values)]
            found.append(Fraction(position in best, len(best)))
    return found


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_accuracy_is_that_of_a_plain_loop(dtype):
    """Broken otherwise: a query meets another run's support, or a method another's figure.

    Whole numbers are exact. The accuracy is a mean of 92 numbers: an error below 92 units of 2⁻⁵³.
    """
    network = whole_numbers(n, 1, dtype=dtype)
    measured = trial_measures(score(IMAGES, [network], RUNS))
    for method, likeness in zip(METHODS, (logit(network), *pixel_methods(IMAGES)), strict=True):
        credits = plain_credits(likeness)
        assert abs(measured[method]["value"] - float(sum(credits) / len(credits))) <= 92 * 2.0**-53
        of_first = [sum(map(len, (run.query for run in RUNS if run.alphabet == a))) for a in (0, 1)]
        assert [entry["trials"] for entry in measured["alphabets"]] == of_first
        own = iter(credits)
        by_run = [[next(own) for _ in run.query] for run in RUNS]
        for a, entry in enumerate(measured["alphabets"]):
            right = sum(sum(of) for of, run in zip(by_run, RUNS, strict=True) if run.alphabet == a)
            assert abs(entry[method] - float(right / of_first[a])) <= 92 * 2.0**-53
        if method == "siamese":
            assert abs(measured["right"] - float(sum(credits))) <= 92**2 * 2.0**-53


def test_an_entry_is_that_of_the_contract():
    """Broken otherwise: who reads evaluation.json finds other names, or no JSON."""
    scores = score(IMAGES, [whole_numbers(n)], RUNS)
    entry = trial_measures(scores)
    assert json.loads(json.dumps(entry)) == entry
    names = ["trials", "runs", "ways", *METHODS, "right", "binomial", "chance", "alphabets"]
    assert list(entry) == names
    assert (entry["trials"], entry["runs"], entry["ways"]) == (92, 8, [3, 20])
    assert entry["chance"] == 8 / 92
    for method in METHODS:
        low, high = runs_interval(scores.credits[method], RUNS)
        assert (entry[method]["low"], entry[method]["high"]) == (low, high)
    low, high = wilson_interval(entry["siamese"]["value"], 92)
    assert entry["binomial"] == {"low": low, "high": high}
    assert [list(of)[:2] for of in entry["alphabets"]] == [["alphabet", "trials"]] * 2
    assert [of["alphabet"] for of in entry["alphabets"]] == ["0", "1"]


@pytest.mark.parametrize("size", [(105, 105), (1, 1)])
def test_pixels_are_compared_exactly(size):
    """Broken otherwise: near images change their order by a rounding.

    All but one pixel are as large as can be. The exact numbers are integers below 2⁵³.
    """
    images = np.full((6, *size), 255, np.uint8)
    images[np.arange(4), 0, 0] = [0, 1, 253, 254]
    images[5] = 0
    every = np.arange(6)
    (l2,), (cosine,) = pixel_likeness(images, [Run("a", None, every, every, every)])
    p = images.reshape(6, -1).astype(np.int64)
    squares = (p * p).sum(axis=1)
    distances = ((p[:, None] - p[None]) ** 2).sum(axis=2)
    np.testing.assert_array_equal(l2, squares[:, None] - distances)
    np.testing.assert_array_equal(cosine, (p @ p.T) / np.sqrt(np.maximum(squares, 1)))


def test_logits_are_those_of_episodes():
    """Broken otherwise: trials are judged by another head, and equal images do not tie."""
    rng = np.random.default_rng(1)
    network = Embedded(*(rng.standard_normal(shape) for shape in ((n, 37), (1, 37), (1,))))
    for run, found in zip(RUNS, network_likeness(network, RUNS), strict=True):
        support = np.tile(run.support, (len(run.query), 1))[:, :, None]
        expected = head_logits(*network, run.query, support)[..., 0]
        np.testing.assert_array_equal(found, expected, strict=True)


def test_a_network_that_ties_all_is_at_chance():
    """A known mistake: the first of equals is taken, which is the true one where that is first."""
    alike = Embedded(np.zeros((n, 2)), np.ones((1, 2)), np.zeros(1))
    entry = trial_measures(score(IMAGES, [alike], RUNS))
    assert entry["siamese"]["value"] == pytest.approx(entry["chance"], abs=92 * 2.0**-53)


def test_validation_is_the_same_accuracy_of_fewer_images():
    """Broken otherwise: training stops by another measure, or embeds what no trial has."""
    network, given = whole_numbers(n), []

    def embed(images):
        given.append(images)
        place = {image.tobytes(): k for k, image in enumerate(IMAGES)}
        return network.embeddings[[place[image.tobytes()] for image in images]]

    found = one_shot_validation(embed, network.weight, network.bias, IMAGES, RUNS[:2])
    few = trial_measures(score(IMAGES, [network], RUNS[:2]))
    assert found == few["siamese"]["value"]
    assert [len(images) for images in given] == [2 * 20 + 2 * 3]


@pytest.mark.parametrize("part", [0, 1, 2])
def test_of_a_network_that_diverged_validation_is_nan(part):
    """Broken otherwise: training ends in a traceback, or goes on as the best so far."""
    network = [array.copy() for array in whole_numbers(n, dtype=np.float64)]
    network[part].flat[0] = np.inf
    images = IMAGES[: len(network[0])]

    def embed(chosen):
        return network[0][: len(chosen)]

    assert np.isnan(one_shot_validation(embed, network[1], network[2], images, RUNS))


def test_the_logits_of_views_are_their_mean():
    """Broken otherwise: some views count more than others, or pixels are those of a view.

    Sums of whole numbers are exact, and so is their half and quarter.
    """
    views = [whole_numbers(n, seed) for seed in range(4)]
    views = [view._replace(weight=views[0].weight, bias=views[0].bias) for view in views]
    single = [network_likeness(view, RUNS) for view in views]
    for count in (1, 2, 4):
        scores = score(IMAGES, iter(views[:count]), RUNS)
        for found, *of_views in zip(scores.likeness["siamese"], *single[:count], strict=True):
            np.testing.assert_array_equal(found, sum(of_views) / count)
            assert found.dtype == of_views[0].dtype
        np.testing.assert_array_equal(
            np.stack(scores.likeness["nearest_neighbor"][:1]),
            np.stack(pixel_likeness(IMAGES, RUNS)[0][:1]),
        )


def test_views_of_other_images_or_of_none_are_refused():
    """Broken otherwise: logits are of other images than pixels, or a mean is of nothing."""
    network = whole_numbers(n)
    fewer = network._replace(embeddings=network.embeddings[1:])
    with pytest.raises(ValueError, match=f"views must be of the {n} images, got {n - 1}"):
        score(IMAGES, [network, fewer], RUNS)
    with pytest.raises(ValueError, match=r"^views must hold at least one$"):
        views_likeness([], RUNS)
