"""Views and official characters in an evaluation: what is judged, told, and left as it was."""

import dataclasses
import json

import numpy as np
import pytest

from numpy_siamese.data.one_shot_images import OneShotImages
from numpy_siamese.data.views import view
from numpy_siamese.errors import InputError
from numpy_siamese.evaluation.one_shot import Embedded
from numpy_siamese.evaluation.within_alphabet import METHODS, network_likeness
from numpy_siamese.inference import NumpyNetwork
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.evaluation.config import EvaluationConfig
from numpy_siamese.runs.evaluation.figures import evaluated
from numpy_siamese.runs.evaluation.spread import spread
from numpy_siamese.runs.evaluation.subject import read_subject
from numpy_siamese.runs.evaluation.table import table
from numpy_siamese.runs.evaluation.trials import FILES, drawn_trials
from numpy_siamese.tests.support import omniglot

CONFIG = EvaluationConfig(pairs=40, episodes=5, resamples=3, trials=40, seed=3)
VIEWS = 3


@pytest.fixture(scope="module")
def judged(finished):
    """A run's network on alphabets that it never saw."""
    own = read_subject(finished, None, "test", NumpyNetwork, TrainConfig)
    return dataclasses.replace(own, dataset=omniglot.dataset(), is_own=False)


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def evaluations(judged, told):
    """The evaluation by one view, and by three."""
    one = evaluated(judged, CONFIG)
    several = dataclasses.replace(CONFIG, views=VIEWS)
    return one, evaluated(judged, several, lambda share, _: told.append(share))


@pytest.mark.parametrize("kind", FILES)
def test_a_logit_is_the_mean_of_those_of_the_views(evaluations, judged, kind):
    """Broken otherwise: views are of other images, or each of the two has a view of its own."""
    played = evaluations[1].trials[kind]
    views = [view(played.images, played.places, number, 3) for number in range(VIEWS)]
    runs = played.scores.runs
    by_view = [
        network_likeness(Embedded(judged.trained.embed(seen), *judged.trained.head()), runs)
        for seen in views
    ]
    for found, *logits in zip(played.scores.likeness["siamese"], *by_view, strict=True):
        np.testing.assert_array_equal(found, sum(logits) / VIEWS)


def test_views_are_of_the_network_in_trials_alone(evaluations):
    """Broken otherwise: pixels have views, or pairs change with a flag of trials."""
    one, several = (evaluation.figures for evaluation in evaluations)
    for kind in FILES:
        assert (one["trials"][kind]["views"], several["trials"][kind]["views"]) == (1, VIEWS)
        for method in METHODS[1:]:
            assert several["trials"][kind][method] == one["trials"][kind][method]
    for name in ("accuracy", "roc_auc", "one_shot", "threshold"):
        assert several[name] == one[name]


def test_the_bar_moves_through_the_views(evaluations, told):
    """Broken otherwise: it starts anew with each view, or ends before the last."""
    assert told == sorted(told)
    assert told[-1] == 1


def test_the_table_says_how_many_views(evaluations):
    """Broken otherwise: figures of many views pass for those of the images alone."""
    one, several = (evaluation.figures for evaluation in evaluations)
    line = f"network: the mean logit of {VIEWS} views of each image"
    for figures in (several, spread([several, several])):
        assert line in table(figures).splitlines()
    assert "views" not in table(one)
    json.dumps(several, allow_nan=False)


def test_official_characters_are_those_of_the_runs_in_turn(judged):
    """Broken otherwise: the trials are of other characters than the published ones."""
    drawings, official = judged.dataset.one_shot.test, judged.dataset.one_shot.runs
    drawn = drawn_trials(judged, EvaluationConfig(trials=200, seed=3))["official_characters"]
    assert len(drawn.runs) == 10
    for r, run in enumerate(drawn.runs):
        of = official[r % len(official)]
        assert run.alphabet == of.alphabet
        for images in (run.query, run.support):
            drawers, counts = np.unique(drawings.drawers[images], return_counts=True)
            assert (len(drawers), counts[0]) == (1, 20)
        for image in of.training:
            own = drawings.labels[(drawings.images == image).all(axis=(1, 2))]
            assert np.isin(own, drawings.labels[run.query]).any()
    assert len({run.drawers.tobytes() for run in drawn.runs}) > 5
    other = drawn_trials(judged, EvaluationConfig(trials=200, seed=4))["official_characters"]
    assert [r.drawers.tolist() for r in other.runs] != [r.drawers.tolist() for r in drawn.runs]


def test_official_runs_of_other_drawings_are_told(judged):
    """Broken otherwise: an evaluation ends in a traceback, or judges characters of its own."""
    whole = judged.dataset.one_shot
    strange = dataclasses.replace(whole.runs[1], test=255 - whole.runs[1].test)
    mixed = OneShotImages(whole.validation, whole.test, (whole.runs[0], strange))
    dataset = dataclasses.replace(judged.dataset, one_shot=mixed)
    with pytest.raises(InputError, match=r"no trials can be drawn.*got 0 for training image"):
        drawn_trials(dataclasses.replace(judged, dataset=dataset), CONFIG)
