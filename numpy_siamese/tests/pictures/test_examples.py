"""Which pairs a run's pictures show, and under which title."""

import dataclasses

import numpy as np
import pytest

from numpy_siamese.pictures import plots
from numpy_siamese.pictures.examples import first_of_each_kind, surest_mistakes
from numpy_siamese.runs.trainer import Trainer
from numpy_siamese.tests.support.tiny import FakeLearner, config, dataset, replace_pictures, split


def batch(N, images):
    """Return N pairs, the first half different: (left, right, targets)."""
    rng = np.random.default_rng(N)
    left, right = rng.integers(0, len(images), (2, N))
    return left, right, (np.arange(N) >= N // 2).astype(np.float32)[:, None]


@pytest.mark.parametrize(
    ("N", "expected"),
    [
        (2, [0, 1]),
        (5, [0, 1, 2, 3, 4]),
        (19, range(19)),
        (41, [*range(10), *range(20, 30)]),
        (100, [*range(10), *range(50, 60)]),
    ],
)
def test_the_first_ten_of_each_kind_are_taken(N, expected):
    """Broken otherwise: one kind is missing, or probabilities are those of other pairs."""
    images = split([50]).images
    left, right, targets = batch(N, images)
    probs = np.arange(N, dtype=np.float32)[:, None] / 128
    found = first_of_each_kind(images, (left, right, targets), probs)
    np.testing.assert_array_equal(found.left, images[left[expected]])
    np.testing.assert_array_equal(found.right, images[right[expected]])
    np.testing.assert_array_equal(found.targets, targets[expected, 0])
    np.testing.assert_array_equal(found.probs, probs[expected, 0])
    different, same = min(10, N // 2), min(10, N - N // 2)
    assert found.heading == f"The first {different} different and {same} same pairs"
    assert first_of_each_kind(images, (left, right, targets)).probs is None


def test_the_surest_mistakes_come_first():
    """Broken otherwise: right verdicts, or mistakes that were nearly right, pass for the worst."""
    images = split([50]).images
    left, right, targets = batch(8, images)  # different: 0..3, same: 4..7
    probs = np.array([0.1, 0.6, 0.99, 0.5, 0.01, 0.8, np.nan, 0.4])[:, None]
    found = surest_mistakes(images, (left, right, targets), probs)
    order = [2, 4, 1, 7, 6]  # 0.49, 0.49, 0.1, 0.1 from the threshold, and nobody knows
    assert found.targets.tolist() == [0, 1, 0, 1, 1]
    np.testing.assert_array_equal(found.probs, probs[order, 0])
    np.testing.assert_array_equal(found.left, images[left[order]])
    np.testing.assert_array_equal(found.right, images[right[order]])
    assert found.heading == "The surest of 5 mistakes in 8 pairs"


def test_names_of_classes_stand_over_their_pair():
    """Broken otherwise: a pair bears the names of another one, or of its partner."""
    images, labels = split([3, 3])
    names = [("circle", "cross")[label] for label in labels]
    zero, one = (np.flatnonzero(labels == label) for label in (0, 1))
    pairs = np.array([zero[0], one[0]]), np.array([one[1], one[2]]), np.array([[0.0], [1.0]])
    probs = np.array([[0.75], [0.875]])
    wrong = ["circle", "cross", "same, p(same) = 0.750\ntruth: different (wrong)"]
    right = ["cross", "cross", "same, p(same) = 0.875\ntruth: same"]
    truths = ["circle", "cross", "different", "cross", "cross", "same"]
    for section, expected in (
        (first_of_each_kind(images, pairs, names=names), truths),
        (first_of_each_kind(images, pairs, probs, names), wrong + right),
        (surest_mistakes(images, pairs, probs, names), wrong),
    ):
        figure = plots.pair_grid_figure("t", section)
        assert [text.get_text() for text in figure.axes[0].texts] == expected
    too_few = first_of_each_kind(images, pairs, probs, names)._replace(names=[("a", "b")])
    with pytest.raises(ValueError, match=r"^names must be 2, got 1"):
        plots.pair_grid_figure("t", too_few)


def test_a_run_names_its_classes_where_they_have_names(tmp_path, monkeypatch):
    """Broken otherwise: who trains on folders of pictures sees numbers, or nothing."""
    replace_pictures(monkeypatch)
    drawn = []
    monkeypatch.setattr(plots, "pair_grid", lambda title, *shown: drawn.extend(shown) or b"")
    digits = dataset()
    named = dataclasses.replace(digits, class_names={0: "a", 1: "b", 2: "c", 3: "d"})
    for data, out in ((digits, "numbers"), (named, "names")):
        Trainer(config(epochs=1), data, FakeLearner(data), tmp_path / out, quiet=True).train()
    assert [section.names for section in drawn[:3]] == [None, None, None]
    for section, half in zip(drawn[3:5], (named.train, named.test), strict=True):
        for image, (name, _) in zip(section.left, section.names, strict=True):
            (n,) = np.flatnonzero((half.images == image).all(axis=(1, 2)))
            assert name == "abcd"[half.labels[n]]


def test_ten_mistakes_are_enough_and_none_are_none():
    """Broken otherwise: a page without end, or a traceback for a network without fault."""
    images = split([50]).images
    pairs = batch(2000, images)
    probs = np.linspace(0.5, 0.75, 2000)[:, None]  # all called same, but the first
    found = surest_mistakes(images, pairs, probs)
    assert len(found.left) == len(found.probs) == 10
    assert found.heading == "The surest of 999 mistakes in 2,000 pairs"
    assert found.probs.tolist() == probs[999:989:-1, 0].tolist()
    none = surest_mistakes(images, pairs, pairs[2])
    assert none.left.shape == (0, 28, 28)
    assert none.heading == "No mistakes in 2,000 pairs"


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["bce", "n-pair"])
def test_curves_say_of_which_loss_they_are(tmp_path, monkeypatch, loss):
    """Broken otherwise: the loss of all pairs is drawn as that of single ones."""
    replace_pictures(monkeypatch)
    said = []
    monkeypatch.setattr(plots, "curves", lambda *rows, loss: said.append(loss) or b"")
    digits = dataset()
    run = Trainer(config(loss=loss), digits, FakeLearner(digits), tmp_path / "run", quiet=True)
    run.train()
    assert set(said) == {loss}


def test_a_run_draws_what_its_titles_say(tmp_path, monkeypatch):
    """Broken otherwise: a picture shows the other half of the data, another batch or epoch, or
    the curves of other rows, or does not say of which data and seed it is.
    """
    replace_pictures(monkeypatch)
    drawn = {}
    write = "numpy_siamese.runs.run_directory.RunDirectory.write_picture"
    monkeypatch.setattr(
        write, lambda self, name, picture: drawn.setdefault(name, []).append(picture)
    )
    monkeypatch.setattr(plots, "pair_grid", lambda *shown: shown)
    monkeypatch.setattr(
        plots, "curves", lambda title, batches, *rows, loss: (title, batches, *map(list, rows))
    )

    class Mistaken(FakeLearner):
        def evaluate(self, *pairs):
            found = super().evaluate(*pairs)
            found.probs[::3] = 1 - found.probs[::3]
            return found

    digits = dataset()
    run = Trainer(config(seed=7), digits, Mistaken(digits), tmp_path / "run", quiet=True)
    run.train()

    def same(found, expected):
        assert found.heading == expected.heading
        for a, b in zip(found[1:], expected[1:], strict=True):
            np.testing.assert_array_equal(a, b)

    ((title, section),) = drawn["pairs.png"]
    assert title == "First training batch, tiny, seed 7"
    same(section, first_of_each_kind(digits.train.images, run.batches.batches(0, [0])[0]))
    probs = run.learner.evaluate(digits.test.images, *run.test_pairs).probs
    for epoch, (title, first, mistakes) in enumerate(drawn["predictions.png"], start=1):
        assert title == f"Test pairs after epoch {epoch}, tiny, seed 7"
        same(first, first_of_each_kind(digits.test.images, run.test_pairs, probs))
        same(mistakes, surest_mistakes(digits.test.images, run.test_pairs, probs))
    history = run.history
    assert drawn["curves.png"] == [
        ("Training, tiny, seed 7", 3, history.train[:epoch], history.test[:epoch], [])
        for epoch in (1, 2)
    ]


@pytest.mark.parametrize(
    ("data", "name"), [("a/b", "b"), ("a/b/", "b"), ("/", "/"), (".", "."), ("..", "..")]
)
def test_a_title_names_the_folder(tmp_path, monkeypatch, data, name):
    """Broken otherwise: the title of a run on the current folder names nothing."""
    replace_pictures(monkeypatch)
    titles = []
    monkeypatch.setattr(plots, "pair_grid", lambda title, *_: titles.append(title) or b"")
    digits = dataset()
    settings = config()
    object.__setattr__(settings, "data", data)
    Trainer(settings, digits, FakeLearner(digits), tmp_path / "run", quiet=True)
    assert titles == [f"First training batch, {name}, seed 0"]
