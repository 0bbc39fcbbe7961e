"""A whole run: how many batches, what a line of metrics means, and that it can be repeated."""

import itertools

import numpy as np
import pytest
from safetensors.numpy import load_file

from numpy_siamese import training
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.parallel import heap
from numpy_siamese.runs.run import Run
from numpy_siamese.tests.support.folders import contents
from numpy_siamese.tests.support.run_files import table
from numpy_siamese.tests.support.tiny import FakeLearner, config, dataset
from numpy_siamese.training import NumpyLearner


@pytest.mark.usefixtures("no_pictures")
def test_freed_memory_is_given_back_after_checkpoints_and_results(tmp_path, monkeypatch):
    """Broken otherwise: the memory of a long run grows in steps."""
    given = []
    monkeypatch.setattr(heap, "give_back", lambda: given.append("after a checkpoint"))
    monkeypatch.setattr(heap, "collect", lambda: given.append("after results"))
    digits, settings = dataset(), config(epochs=1, batches=3, checkpoint_every=1)
    Run(
        settings, digits, NumpyLearner(settings, digits.train.images), tmp_path / "run", quiet=True
    ).train()
    assert given.count("after a checkpoint") == 1 + 3  # the first before any batch
    assert given[-1] == "after results"


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_same_configuration_gives_the_same_bytes(tmp_path, monkeypatch, threads):
    """Broken otherwise: a result cannot be repeated, alone or with other threads.

    Three micro-batches are enough for threads to matter.
    """
    monkeypatch.setattr(training, "MICRO_BATCH", 20)
    digits = dataset()
    files = []
    for name, n in (("first", 1), ("second", threads)):
        settings = config(batch_size=60, batches=2, epochs=1, seed=5, threads=n)
        learner = NumpyLearner(settings, digits.train.images)
        Run(settings, digits, learner, tmp_path / name, quiet=True).train()
        files.append(contents(tmp_path / name))
    first, second = files
    assert first["model.safetensors"] == second["model.safetensors"]
    momenta, expected = (
        load_file(tmp_path / name / "checkpoint.safetensors") for name in ("first", "second")
    )
    assert momenta.keys() == expected.keys()
    for name, value in expected.items():
        without_time = slice(-1) if name in ("history.train", "history.test") else slice(None)
        np.testing.assert_array_equal(
            momenta[name][..., without_time], value[..., without_time], strict=True
        )
    for name in ("metrics.csv", "test_metrics.csv"):
        without_seconds = [
            [line.rsplit(b",", 1)[0] for line in each[name].splitlines()] for each in files
        ]
        assert without_seconds[0] == without_seconds[1]


@pytest.mark.usefixtures("no_pictures")
def test_another_seed_gives_other_weights(tmp_path):
    """Broken otherwise: the seed is not what the run depends on."""
    digits = dataset()
    models = []
    for seed in (0, 1):
        settings = config(epochs=1, batches=1, seed=seed)
        learner = NumpyLearner(settings, digits.train.images)
        Run(settings, digits, learner, tmp_path / str(seed), quiet=True).train()
        models.append((tmp_path / str(seed) / "model.safetensors").read_bytes())
    assert models[0] != models[1]


# Batches and windows


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(
    ("batches", "window"), [(6, 2), (7, 3), (5, 5), (4, 9), (3, 1), (1, 1), (10, 9)]
)
def test_each_line_is_the_mean_of_its_window(tmp_path, batches, window):
    """Known mistakes: a first line divided by the window though one batch was seen; an epoch of
    one batch too many. Broken too if windows run over an epoch's end or its rest is dropped.
    """
    digits, epochs = dataset(), 2
    settings = config(epochs=epochs, batches=batches, window=window)
    learner = FakeLearner(digits)
    Run(settings, digits, learner, tmp_path / "run", quiet=True).train()
    assert len(learner.batches) == epochs * batches
    rows = table(tmp_path / "run" / "metrics.csv")
    assert len(rows) == epochs * -(-batches // window)
    steps = iter(range(1, epochs * batches + 1))
    for epoch in range(1, epochs + 1):
        batch = 0
        while batch < batches:
            seen = list(itertools.islice(steps, min(window, batches - batch)))
            batch += len(seen)
            row = rows.pop(0)
            assert (row["epoch"], row["batch"]) == (epoch, batch)
            assert row["loss"] == sum(seen) / 8 / len(seen)
            assert row["accuracy"] == np.mean([1 / n for n in seen])
    assert rows == []


@pytest.mark.usefixtures("no_pictures")
def test_the_learner_sees_the_samplers_batches_in_order(tmp_path):
    """Broken otherwise: epochs repeat each other, or the two packages see different pairs."""
    digits = dataset()
    learner = FakeLearner(digits)
    Run(config(seed=7), digits, learner, tmp_path / "run", quiet=True).train()
    sampler = PairSampler(digits.train.labels, 4, seed=7)
    places = itertools.product(range(2), range(3))
    for found, (epoch, k) in zip(learner.batches, places, strict=True):
        for a, b in zip(found, sampler.batch(epoch, k), strict=True):
            np.testing.assert_array_equal(a, b, strict=True)


@pytest.mark.usefixtures("no_pictures")
def test_test_pairs_are_judged_after_every_epoch(tmp_path):
    """A known mistake: test accuracy never computed. Every verdict of the fake is right, with the
    probability ¾.
    """
    digits = dataset()
    Run(config(), digits, FakeLearner(digits), tmp_path / "run", quiet=True).train()
    rows = table(tmp_path / "run" / "test_metrics.csv")
    assert [(row["epoch"], row["batch"]) for row in rows] == [(1, 3), (2, 3)]
    for row in rows:
        assert row["accuracy"] == 1.0
        assert row["loss"] == np.full(10, -np.log(0.75)).mean()


@pytest.mark.usefixtures("no_pictures")
def test_test_pairs_are_of_the_test_images_and_never_of_one_image(tmp_path):
    """Broken otherwise: the test is easier than it says, or of pairs that training saw too."""
    digits = dataset()
    run = Run(config(test_pairs=500, seed=3), digits, FakeLearner(digits), tmp_path / "run", True)
    left, right, targets = run.test_pairs
    expected = PairSampler(digits.test.labels, 500, 3, "test", allow_self_pairs=False).batch(0, 0)
    for found, wanted in zip(run.test_pairs, expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert (left != right).all()
    labels = digits.test.labels
    np.testing.assert_array_equal(labels[left] == labels[right], targets[:, 0] == 1)


@pytest.mark.usefixtures("no_pictures")
def test_seconds_never_run_backwards(tmp_path):
    """Broken otherwise: times in the metrics mean nothing."""
    digits = dataset()
    run = Run(config(window=1), digits, FakeLearner(digits), tmp_path / "run", quiet=True)
    summary = run.train()
    seconds = [row["seconds"] for row in table(tmp_path / "run" / "metrics.csv")]
    assert len(seconds) == 6
    assert seconds[0] > 0
    assert seconds == sorted(seconds)
    assert seconds[-1] <= summary["seconds"] + 0.0005  # rounded to milliseconds
