"""The figures of an evaluation, each computed anew from its files, with other code."""

import hashlib
import shutil
from fractions import Fraction

import numpy as np
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve

import numpy_siamese
from numpy_siamese.data import load
from numpy_siamese.data.episodes import draw_episodes
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.errors import InputError
from numpy_siamese.evaluation.bootstrap import multiplicities
from numpy_siamese.evaluation.calibration import BINS
from numpy_siamese.inference import NumpyNetwork
from numpy_siamese.runs.checkpoint import save_model
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.evaluation.config import EvaluationConfig
from numpy_siamese.runs.evaluation.figures import evaluated
from numpy_siamese.runs.evaluation.subject import read_subject
from numpy_siamese.runs.finished_run import read_finished_run
from numpy_siamese.tests.evaluation import loops
from numpy_siamese.tests.support.evaluations import evaluation_in, pairs_in

SETTINGS = {"pairs": 60, "episodes": 40, "resamples": 15, "seed": 5}

ROUNDING = 10_000 * loops.UNIT_ROUNDOFF
"""A resample has at most a thousand pairs; of each ten rounded operations on numbers up to 1."""

EDGES = np.linspace(0, 1, BINS + 1).tolist()


@pytest.fixture(scope="module", params=["whole", "held out"])
def written(request, finished, held_out, tmp_path_factory):
    """The folder of an evaluation, and the run."""
    out = tmp_path_factory.mktemp("evaluation") / "new"
    run = {"whole": finished, "held out": held_out}[request.param]
    figures = numpy_siamese.evaluate(run, out=out, **SETTINGS)
    assert evaluation_in(out) == figures
    return out, run


def test_episodes_have_no_more_ways_than_are_worth_it(finished, monkeypatch, tmp_path):
    """Broken otherwise: data of 400 classes are judged by tasks of minutes that tell little."""
    monkeypatch.setattr("numpy_siamese.runs.evaluation.figures.MOST_WAYS", 3)
    found = numpy_siamese.evaluate(finished, out=tmp_path / "new", **SETTINGS)
    assert {entry["ways"] for entry in found["one_shot"]} == {2, 3}


def parts_of(folder):
    """Yield the figures of seen and of unseen classes, each with its pairs."""
    figures = evaluation_in(folder)
    for part in (figures, figures.get("unseen")):
        if part is not None:
            yield part, pairs_in(folder / part["probabilities"])


def scored(pairs):
    return [(p, target) for _, _, target, p, _ in pairs]


def chosen_in(folder):
    """Return p and target of the validation pairs, and the threshold of equal error rates."""
    pairs = scored(pairs_in(folder / evaluation_in(folder)["validation_probabilities"]))
    return pairs, loops.threshold_at_equal_error(pairs)


def by_loop(threshold):
    """Return each figure as a function of (p, target) pairs."""
    return {
        "accuracy": lambda pairs: loops.accuracy(pairs, 0.5),
        "roc_auc": loops.auc,
        "eer": loops.equal_error_rate,
        "brier": loops.brier,
        "ece": lambda pairs: loops.expected_calibration_error(pairs, EDGES),
        "accuracy_at_threshold": lambda pairs: loops.accuracy(pairs, threshold),
        "far": lambda pairs: loops.far(pairs, threshold),
        "frr": lambda pairs: loops.frr(pairs, threshold),
    }


def test_every_figure_is_that_of_a_loop_over_the_written_pairs(written):
    """Broken otherwise: nobody can compute the figures anew, for they are of other numbers."""
    validation, threshold = chosen_in(written[0])
    assert evaluation_in(written[0])["threshold"] == threshold
    for figures, pairs in parts_of(written[0]):
        assert figures["pairs"] == len(pairs) == 60
        for name, loop in by_loop(threshold).items():
            found = figures[name]
            assert abs(found["value"] - loop(scored(pairs))) <= ROUNDING, name
            assert 0 <= found["low"] <= found["high"] <= 1
        for level, at in zip((0.01, 0.001), figures["at_far"], strict=True):
            t = loops.threshold_at_far(validation, Fraction(level))
            assert (at["target"], at["threshold"]) == (level, t)
            assert abs(at["far"]["value"] - loops.far(scored(pairs), t)) <= ROUNDING
            assert abs(at["frr"]["value"] - loops.frr(scored(pairs), t)) <= ROUNDING


def test_unseen_pairs_are_those_of_the_seed_and_the_split(held_out):
    """Broken otherwise: two versions of the program judge a run on other pairs."""
    subject = read_subject(held_out, None, "test", NumpyNetwork, TrainConfig)
    found = evaluated(subject, EvaluationConfig(**SETTINGS)).pairs["pairs-unseen.csv"]
    unseen, labels = subject.unseen, subject.images.labels
    sampler = PairSampler(labels[unseen], 60, SETTINGS["seed"], "test", allow_self_pairs=False)
    left, right, targets = sampler.batch(0, 0)
    np.testing.assert_array_equal(found.left_index, unseen[left], strict=True)
    np.testing.assert_array_equal(found.right_index, unseen[right], strict=True)
    np.testing.assert_array_equal(found.targets, targets, strict=True)


def test_the_weights_that_were_read_are_said_though_the_run_goes_on(finished, tmp_path):
    """Broken otherwise: a threshold of earlier weights counts for later ones."""
    run = shutil.copytree(finished, tmp_path / "run")
    subject = read_subject(run, str(finished.parent / "data"), "test", NumpyNetwork, TrainConfig)
    expected = hashlib.sha256((run / "model.safetensors").read_bytes()).hexdigest()
    save_model(run / "model.safetensors", subject.untrained.net.state_dict())
    assert evaluated(subject, EvaluationConfig(**SETTINGS)).figures["model_sha256"] == expected


def test_scikit_learn_says_the_same_of_the_written_pairs(written):
    """Broken otherwise: a figure is not what the field calls so."""
    for figures, pairs in parts_of(written[0]):
        p, target = np.array(scored(pairs)).T
        share_same, mean = calibration_curve(target, p, n_bins=BINS)
        count = np.bincount(np.searchsorted(EDGES[1:-1], p))
        expected = {
            "roc_auc": metrics.roc_auc_score(target, p),
            "brier": metrics.brier_score_loss(target, p),
            "accuracy": metrics.accuracy_score(target, p > 0.5),
            "ece": np.average(abs(share_same - mean), weights=count[count > 0]),
        }
        for name, value in expected.items():
            assert abs(figures[name]["value"] - value) <= ROUNDING, name


def test_intervals_are_those_of_images_drawn_anew(written):
    """Broken otherwise: an interval is of another seed, of other images, or of pairs."""
    _, threshold = chosen_in(written[0])
    for figures, pairs in parts_of(written[0]):
        images = sorted({image for left, right, *_ in pairs for image in (left, right)})
        assert figures["images"]["pairs"] == len(images)
        resamples = []
        for resample in range(SETTINGS["resamples"]):
            counts = multiplicities(len(images), SETTINGS["seed"], resample)
            often = dict(zip(images, counts.tolist(), strict=True))
            resamples.append(
                [(p, y) for a, b, y, p, _ in pairs for _ in range(often[a] * often[b])]
            )
        assert all({y for _, y in resample} == {0, 1} for resample in resamples)
        for name, loop in by_loop(threshold).items():
            values = [float(loop(resample)) for resample in resamples]
            for end, q in (("low", 0.025), ("high", 0.975)):
                expected = loops.end(float(loop(scored(pairs))), values, q)
                assert abs(figures[name][end] - min(max(expected, 0), 1)) <= ROUNDING, name


def test_pairs_are_balanced_and_of_images_apart(written):
    """Broken otherwise: a threshold is chosen on images that it is tested on, or with the help of
    classes that training never saw.
    """
    out, run = written
    labels = load(run.parent / "data").test.labels
    held = [1, 3] if "unseen" in evaluation_in(out) else []
    groups = [pairs_in(out / "validation-pairs.csv"), *(pairs for _, pairs in parts_of(out))]
    images = [{image for a, b, *_ in pairs for image in (a, b)} for pairs in groups]
    for k, pairs in enumerate(groups):
        assert all(a != b for a, b, *_ in pairs)
        assert sum(target for _, _, target, *_ in pairs) == 30
        assert all((labels[a] == labels[b]) == target for a, b, target, *_ in pairs)
        assert {*np.isin(labels[[*images[k]]], held).tolist()} == {k == 2}
    assert len(set.union(*images)) == sum(map(len, images))


def test_probabilities_are_those_of_the_run_to_the_last_bit(written):
    """Broken otherwise: the file has fewer digits than the network gave, or another network's."""
    out, run = written
    network = read_finished_run(run, TrainConfig).network(NumpyNetwork)
    embeddings = network.embed(load(run.parent / "data").test.images)
    for _, pairs in parts_of(out):
        left, right, _, p, logit = map(np.array, zip(*pairs, strict=True))
        logits, probs = network.compare(embeddings[left], embeddings[right])
        np.testing.assert_array_equal(p, probs[:, 0])
        np.testing.assert_array_equal(logit, logits[:, 0])


def test_one_shot_accuracies_are_those_of_a_loop_over_episodes(written):
    """Broken otherwise: another network, other episodes or other images are compared."""
    out, run = written
    digits, finished = load(run.parent / "data").test, read_finished_run(run, TrainConfig)
    pixels = digits.images.reshape(len(digits.images), -1).astype(float)
    likeness = {
        "siamese": logit_of(finished.network(NumpyNetwork), digits.images),
        "untrained": logit_of(NumpyNetwork(finished.config), digits.images),
    }
    for figures, _ in parts_of(out):
        names = figures["classes"]
        (images,) = np.nonzero(np.isin(digits.labels, [*map(int, names)]))
        assert figures["images"]["one_shot"] == len(images)
        ways = {4: [2, 3, 4], 2: [2]}[len(names)]
        settings = [(entry["ways"], entry["shots"]) for entry in figures["one_shot"]]
        assert settings == [(N, K) for N in ways for K in (1, 5)]
        for entry in figures["one_shot"]:
            N, K = entry["ways"], entry["shots"]
            drawn = draw_episodes(digits.labels[images], N, K, 40, SETTINGS["seed"])
            right = dict.fromkeys(("siamese", "untrained", "nearest_neighbor"), 0)
            for query, support, position in zip(*drawn, strict=True):
                q, s = images[query], images[support]
                for name, logit in likeness.items():
                    right[name] += np.argmax(logit(q, s.ravel()).reshape(N, K).mean(1)) == position
                near = ((pixels[q] - pixels[s]) ** 2).sum(-1).min(1)
                right["nearest_neighbor"] += np.argmin(near) == position
            assert (entry["episodes"], entry["chance"]) == (40, 1 / N)
            for name, count in right.items():
                assert entry[name]["value"] == count / 40, (name, N, K)


def logit_of(network, images):
    """Return a function from an image and others to their logits."""
    embeddings = network.embed(images).astype(np.float64)
    weight, bias = (part.astype(np.float64) for part in network.head())
    return lambda query, others: abs(embeddings[query] - embeddings[others]) @ weight[0] + bias


def test_what_it_is_of_is_said(written):
    """Broken otherwise: nobody knows later which weights, data and settings gave a figure."""
    out, run = written
    found, data = evaluation_in(out), run.parent / "data"
    expected = {
        "run": str(run),
        "data": str(data),
        "data_sha256": load(data).checksum(),
        "split": "test",
        "model_sha256": read_finished_run(run, TrainConfig).model_sha256,
        "resamples": 15,
        "seed": 5,
    }
    assert {name: found[name] for name in expected} == expected
    assert found["environment"]["package"] == "numpy_siamese"
    assert found["held_out"] == (["1", "3"] if "unseen" in found else [])
    assert found["seconds"] > 0


def test_a_seed_gives_its_figures_again_and_another_one_others(finished):
    """Broken otherwise: nobody can repeat an evaluation."""

    def figures(**settings):
        found = numpy_siamese.evaluate(finished, **SETTINGS | settings)
        return {name: found[name] for name in ("accuracy", "brier", "one_shot")}

    first = figures()
    assert figures() == figures(threads=2) == first
    assert all(figures(seed=6)[name] != value for name, value in first.items())
    assert figures(episodes=41)["one_shot"] != first["one_shot"]
    assert figures(episodes=41)["brier"] == first["brier"]


def test_progress_rises_from_nothing_to_all(held_out):
    """Broken otherwise: the bar stands still, goes back, or ends early."""
    subject = read_subject(held_out, None, "test", NumpyNetwork, TrainConfig)
    told = []
    evaluated(subject, EvaluationConfig(**SETTINGS), lambda *step: told.append(step))
    shares, words = zip(*told, strict=True)
    assert (shares[0], shares[-1]) == (0, 1)
    assert [*shares] == sorted(shares)
    stages = ["embedding images", "embedding, untrained"]
    stages += 2 * ["drawing resamples", "playing episodes"]
    assert [word for k, word in enumerate(words) if k == 0 or words[k - 1] != word] == stages
    assert len(set(shares)) == 1 + 2 + 15 + 2 + 15 + 2


@pytest.mark.parametrize("name", ["fc1.weight", "net.fc2.weight"])
def test_a_network_that_has_diverged_is_told(name, finished):
    """Broken otherwise: a figure is NaN, or a check of arrays ends in a traceback."""
    subject = read_subject(finished, None, "test", NumpyNetwork, TrainConfig)
    weights = subject.trained.net.state_dict()
    weights[name] = np.full_like(weights[name], 3e38)
    subject.trained.net.load_state_dict(weights)
    with pytest.raises(InputError, match=r"not finite, expected a network that has not diverged$"):
        evaluated(subject, EvaluationConfig(**SETTINGS))
