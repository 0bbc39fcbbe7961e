"""Trials of an evaluation: which there are, and every figure computed anew from the files."""

import csv
import dataclasses
import json

import numpy as np
import pytest

from numpy_siamese.data.one_shot_images import Drawings
from numpy_siamese.data.trials import Run, draw_trials
from numpy_siamese.errors import InputError
from numpy_siamese.evaluation.dyads import runs_interval
from numpy_siamese.evaluation.within_alphabet import METHODS
from numpy_siamese.inference import NumpyNetwork
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.evaluation import evaluate, folder, subject
from numpy_siamese.runs.evaluation.config import EvaluationConfig
from numpy_siamese.runs.evaluation.figures import evaluated
from numpy_siamese.runs.evaluation.spread import spread
from numpy_siamese.runs.evaluation.subject import read_subject
from numpy_siamese.runs.evaluation.table import table
from numpy_siamese.runs.evaluation.trials import CALLED, FILES, drawn_trials, played
from numpy_siamese.tests.support import omniglot
from numpy_siamese.tests.support.evaluations import FEW

CONFIG = EvaluationConfig(pairs=40, episodes=5, resamples=3, trials=90, seed=3)
TRIALS = {"official": 40, "official_characters": 100, "test": 100, "validation": 100}


@pytest.fixture(scope="module")
def judged(finished):
    """A run's network on alphabets that it never saw."""
    own = read_subject(finished, None, "test", NumpyNetwork, TrainConfig)
    return dataclasses.replace(own, dataset=omniglot.dataset(), is_own=False)


class Exact:
    """A network whose numbers are exact: some pixels, and the distance of them."""

    def embed(self, images):
        return images.reshape(len(images), -1)[:, ::13].astype(np.float32)

    def head(self):
        return np.full((1, 61), -1, np.float32), np.zeros(1, np.float32)


def play(judged, network):
    """Play the trials with another network."""
    drawn = drawn_trials(judged, CONFIG)
    return played(
        dataclasses.replace(judged, trained=network), drawn, CONFIG, lambda _: lambda _: None
    )


@pytest.fixture(scope="module")
def written(judged, tmp_path_factory):
    """The folder of an evaluation, and its figures."""
    out = tmp_path_factory.mktemp("trials")
    evaluation = evaluated(judged, CONFIG)
    exact = play(judged, Exact())
    folder.write_evaluation(out, evaluation, {})
    folder.write_evaluation(out / "exact", evaluation._replace(trials=exact), {})
    return out


def rows_of(path):
    with open(path, newline="") as file:
        return [*csv.DictReader(file)]


def runs_of(rows):
    """Return the runs of a file of trials, and the credits of each by method."""
    runs, credits = [], {method: [] for method in METHODS}
    for number in sorted({int(row["run"]) for row in rows}):
        own = [row for row in rows if int(row["run"]) == number]
        drawers = [own[0][f"{side}_drawer"] for side in ("query", "support")]
        known = None if drawers == ["", ""] else np.array([*map(int, drawers)])
        images = (np.array([int(row[name]) for row in own]) for name in ("query", "right"))
        runs.append(Run(own[0]["alphabet"], known, *images, np.arange(len(own))))
        for method, of_runs in credits.items():
            of_runs.append(np.array([float(row[method]) for row in own]))
    return runs, credits


@pytest.mark.parametrize("kind", FILES)
def test_every_figure_is_that_of_the_written_trials(written, kind):
    """Broken otherwise: nobody can compute the figures anew, for they are of other trials."""
    figures = json.loads((written / "evaluation.json").read_text())["trials"][kind]
    assert figures["file"] == FILES[kind]
    runs, credits = runs_of(rows_of(written / figures["file"]))
    assert figures["trials"] == sum(len(run.query) for run in runs) == TRIALS[kind]
    assert figures["runs"] == len(runs)
    for method in METHODS:
        low, high = runs_interval(credits[method], runs)
        value = np.concatenate(credits[method]).mean()
        assert figures[method] == {"value": value, "low": low, "high": high}
    for entry in figures["alphabets"]:
        own = [r for r, run in enumerate(runs) if run.alphabet == entry["alphabet"]]
        mean = np.concatenate([credits["siamese"][r] for r in own]).mean()
        assert entry["siamese"] == mean


@pytest.mark.parametrize("kind", ["test", "validation"])
def test_the_trials_are_those_of_the_seed(written, judged, kind):
    """Broken otherwise: other drawings are judged, or numbers of the file are of some of them."""
    drawings = getattr(judged.dataset.one_shot, kind)
    names = np.array([judged.dataset.alphabets[label] for label in drawings.labels.tolist()])
    expected = draw_trials(drawings.labels, names, drawings.drawers, 90, 3)
    found, _ = runs_of(rows_of(written / FILES[kind]))
    for run, other in zip(found, expected, strict=True):
        assert (run.alphabet, [*run.drawers]) == (other.alphabet, [*other.drawers])
        np.testing.assert_array_equal(run.query, other.query)
        np.testing.assert_array_equal(run.support, other.support[other.position])


def images_of(judged, kind):
    """Return the images that a file of trials numbers."""
    one_shot = judged.dataset.one_shot
    if kind == "official":
        return np.concatenate([part for run in one_shot.runs for part in (run.test, run.training)])
    return getattr(one_shot, "validation" if kind == "validation" else "test").images


@pytest.mark.parametrize("kind", FILES)
def test_what_was_chosen_is_the_likest_of_the_support(written, judged, kind):
    """Broken otherwise: pictures show another choice than the figures count."""
    seen = Exact().embed(images_of(judged, kind)).astype(int)
    rows = rows_of(written / "exact" / FILES[kind])
    runs, credits = runs_of(rows)
    chosen = iter([int(row["chosen"]) for row in rows])
    for run, credit in zip(runs, credits["siamese"], strict=True):
        for q, right, counted in zip(run.query, run.support, credit, strict=True):
            distance = {s: int(abs(seen[q] - seen[s]).sum()) for s in run.support.tolist()}
            likest = [s for s, value in distance.items() if value == min(distance.values())]
            assert next(chosen) in likest
            assert counted == (right in likest) / len(likest)


def test_official_trials_are_the_published_ones(written, judged):
    """Broken otherwise: an item counts as right where another character was chosen."""
    runs, _ = runs_of(rows_of(written / FILES["official"]))
    for r, (run, official) in enumerate(zip(runs, judged.dataset.one_shot.runs, strict=True)):
        assert run.alphabet == official.alphabet
        np.testing.assert_array_equal(run.query, 40 * r + np.arange(20))
        np.testing.assert_array_equal(run.support, 40 * r + 20 + official.answers)


def test_there_are_trials_only_where_a_data_set_has_them(judged, finished):
    """Broken otherwise: digits end in a traceback, or training images pass for new characters."""
    assert [*drawn_trials(judged, CONFIG)] == [*FILES]
    assert drawn_trials(dataclasses.replace(judged, split="train"), CONFIG) == {}
    for runs in (0, 1):
        without = dataclasses.replace(judged, dataset=omniglot.dataset(runs=runs))
        assert [*drawn_trials(without, CONFIG)] == ["test", "validation"]
    digits = read_subject(finished, None, "test", NumpyNetwork, TrainConfig)
    assert drawn_trials(digits, CONFIG) == {}


@pytest.mark.parametrize("kind", ["test", "validation"])
def test_drawings_that_are_missing_are_told(judged, kind):
    """Broken otherwise: a folder that lost a drawing ends in a traceback, after minutes of work."""
    whole = judged.dataset.one_shot
    drawings = getattr(whole, kind)
    parts = (getattr(drawings, name)[:-1] for name in ("images", "labels", "alphabets", "drawers"))
    lost = dataclasses.replace(whole, **{kind: Drawings(*parts)})
    dataset = dataclasses.replace(judged.dataset, one_shot=lost)
    with pytest.raises(InputError, match=f"to {kind} of which no trials.*got 0 drawings of"):
        evaluated(dataclasses.replace(judged, dataset=dataset), CONFIG)


def test_a_network_that_has_diverged_is_told(judged):
    """Broken otherwise: a check of arrays ends in a traceback."""

    class Diverged(Exact):
        def embed(self, images):
            return super().embed(images) * np.float32(np.inf)

    with pytest.raises(InputError, match="not finite"), np.errstate(invalid="ignore"):
        play(judged, Diverged())


def test_progress_goes_through_all_trials(judged):
    """Broken otherwise: the bar passes its end, or stands still for the trials."""
    told = []
    evaluated(judged, CONFIG, lambda *step: told.append(step))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert {f"playing trials, {CALLED[kind]}" for kind in FILES} <= {word for _, word in told}


def test_the_table_has_trials_and_alphabets(written):
    """Broken otherwise: figures stand under another method's or kind's name, or run too wide."""
    figures = json.loads((written / "evaluation.json").read_text())
    lines = table(figures).splitlines()
    assert max(map(len, lines)) <= 80
    assert "20-way one-shot within an alphabet, accuracy in %" in lines
    official = figures["trials"]["official"]
    three = [official[method] for method in METHODS]
    cells = [f"{100 * f['value']:.1f} +- {50 * (f['high'] - f['low']):4.1f}" for f in three]
    assert f"{'official, 40 trials':32}" + "".join(f"{cell:>16}" for cell in cells) in lines
    low, high = (100 * official["binomial"][end] for end in ("low", "high"))
    said = f"official runs: {official['right']:g} of 40 right, as independent trials"
    assert f"{said} [{low:.1f}, {high:.1f}]" in lines
    of_first = {
        kind: {
            entry["alphabet"]: entry["siamese"] for entry in figures["trials"][kind]["alphabets"]
        }
        for kind in FILES
    }
    for alphabet in ("Alphabet2", "Alphabet4"):
        values = (of_first[kind].get(alphabet) for kind in FILES)
        cells = "".join(f"{'' if v is None else f'{100 * v:.1f}':>12}" for v in values)
        assert f"{alphabet:32}{cells}".rstrip() in lines


def test_small_alphabets_are_said(written):
    """Broken otherwise: trials of fewer ways pass for harder ones."""
    figures = json.loads((written / "evaluation.json").read_text())
    figures["trials"]["validation"]["ways"] = [14, 20]
    assert "\n14- to 20-way one-shot within an alphabet" in table(figures)


def test_the_table_of_several_runs_and_of_long_names_fits_too(written):
    """Broken otherwise: a terminal folds lines, or a spread of runs ends in a traceback."""
    figures = json.loads((written / "evaluation.json").read_text())
    for entry in figures["trials"].values():
        entry["trials"] = 2**31 - 1
        entry["alphabets"][0]["alphabet"] = "an alphabet of a very long name " * 3
    for found in (figures, spread([figures, figures])):
        text = table(found)
        assert max(map(len, text.splitlines())) <= 80
        assert "an alphabet of a very long n..." in text
    over = spread([figures, figures])["trials"]["official"]
    assert over["siamese"]["std"] == 0
    assert "right, as" not in table(spread([figures, figures]))


def test_the_command_writes_the_files_of_trials(finished, tmp_path, monkeypatch, no_pictures):
    """Broken otherwise: trials are played, and nobody finds them."""
    monkeypatch.setattr(subject, "load", lambda *_: omniglot.dataset())
    pairs, episodes, resamples = (int(number) for number in FEW[1::2])
    config = EvaluationConfig(
        data="omniglot", pairs=pairs, episodes=episodes, resamples=resamples, trials=40
    )
    evaluate.evaluate_runs(
        [finished], config, NumpyNetwork, TrainConfig, {}, tmp_path / "out", quiet=True
    )
    assert {*FILES.values(), "trials.png"} <= {path.name for path in (tmp_path / "out").iterdir()}
