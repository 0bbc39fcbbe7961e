"""The batches of a run: which kind a configuration gives, and what is prepared ahead."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from numpy_siamese.data.distortions import Distortions
from numpy_siamese.data.holdout import held_out_labels, without_classes
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.data.rotations import with_turns
from numpy_siamese.errors import InputError
from numpy_siamese.runs.batches import batches_of
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.trainer import Trainer
from numpy_siamese.tests.support import omniglot
from numpy_siamese.training import NumpyLearner

DATA = omniglot.dataset()


def config(**changes):
    return TrainConfig(**{"batch_size": 4, "batches": 3, "threads": 1} | changes)


def drawn(places, **changes):
    """Return batches by (epoch, k), drawn in this order."""
    source = batches_of(config(**changes), DATA)
    try:
        return {place: source.batches(place[0], [place[1]])[0] for place in places}
    finally:
        source.close()


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_recipe_draws_indices():
    (batch,) = drawn([(1, 2)]).values()
    assert same(batch, PairSampler(DATA.train.labels, 4, 0).batch(1, 2))


@pytest.mark.parametrize(
    "changes",
    [
        {"distortions": 1.0},
        {"rotations": True},
        {"loss": "n-pair", "distortions": 1.0, "rotations": True, "alphabet_share": 0.5},
    ],
)
def test_a_batch_is_the_same_in_any_order(changes):
    """Broken otherwise: a run that goes on does not learn what it would have learned."""
    places = [(0, 0), (0, 1), (0, 2), (1, 0)]
    in_order = drawn(places, **changes)
    for place, found in drawn(places[::-1], **changes).items():
        assert same(found, in_order[place]), place
    (together,) = (source.batches(0, [1, 2]) for source in [batches_of(config(**changes), DATA)])
    assert same(together[1], in_order[0, 2])


def test_each_side_is_distorted_for_itself():
    (found,) = drawn([(1, 2)], distortions=1.5).values()
    left, right, targets = PairSampler(DATA.train.labels, 4, 0).batch(1, 2)
    distort, images = Distortions(0, 1.5), DATA.train.images
    expected = (distort(images[left], 1, 2, "left"), distort(images[right], 1, 2, "right"), targets)
    assert same(found, expected)


def test_turned_characters_are_told_apart():
    (found,) = drawn([(0, 0)], rotations=True).values()
    turned = with_turns(DATA.train)
    left, right, _ = PairSampler(turned.labels, 4, 0).batch(0, 0)
    assert same(found[:2], (turned.images[left], turned.images[right]))


def test_all_pairs_come_with_a_target_for_each():
    (found,) = drawn([(0, 0)], loss="n-pair").values()
    assert [part.shape for part in found] == [(4, 28, 28), (4, 28, 28), (4, 4)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"alphabet_share": 0.5}, "found --loss bce, expected --loss n-pair"),
        (
            {"alphabet_share": 0.5, "loss": "n-pair"},
            "found --data tiny, expected data with alphabet",
        ),
    ],
)
def test_alphabets_need_all_pairs_and_data_that_have_some(changes, said):
    data = DATA if "loss" not in changes else without_alphabets()
    with pytest.raises(InputError, match=said):
        batches_of(config(data="tiny", **changes), data)


def test_classes_that_are_held_out_leave_their_alphabets_to_the_others():
    """Broken otherwise: alphabets are counted of all classes, and each gets another one's."""
    names = ",".join(DATA.class_names[label] for label in (0, 3, 5))
    seen = without_classes(DATA, held_out_labels(DATA, names))
    settings = config(loss="n-pair", alphabet_share=1.0, batch_size=2, rotations=True)
    batches = batches_of(settings, seen)
    turned = with_turns(seen.train)
    labels = {image.tobytes(): label for image, label in zip(*turned, strict=True)}
    alphabets = set()
    for left, right, _ in batches.batches(0, range(8)):
        found = [labels[image.tobytes()] for image in (*left, *right)]
        assert not {0, 3, 5} & {label // 4 for label in found}
        of_batch = {(seen.alphabets[label // 4], label % 4) for label in found}
        assert len(of_batch) == 1
        alphabets |= of_batch
    batches.close()
    assert len(alphabets) > 3


def test_each_batch_but_the_first_is_prepared_ahead(monkeypatch):
    """Broken otherwise: at the end of an epoch the step waits for distorted images."""
    source = batches_of(config(distortions=1.0), DATA)
    batch, places = source.batch, []

    def recorded(*place):
        places.append((place, threading.current_thread() is threading.main_thread()))
        return batch(*place)

    monkeypatch.setattr(source, "batch", recorded)
    for place in ((0, 0), (0, 1), (0, 2), (1, 0)):
        source.batches(place[0], [place[1]])
    source.close()
    asked = [((0, 0), True), *(((epoch, k), False) for epoch, k in ((0, 1), (0, 2), (1, 0)))]
    assert places[:4] == asked


def without_alphabets():
    return replace(DATA, alphabets={}, one_shot=None, validation=None)


def test_no_thread_is_left_behind(tmp_path):
    settings = config(loss="n-pair", distortions=1.0, epochs=1, test_pairs=4, window=2)
    before = threading.active_count()
    learner = NumpyLearner(settings, DATA.train.images)
    trainer = Trainer(settings, DATA, learner, tmp_path / "run", quiet=True)
    trainer.train()
    assert threading.active_count() == before
    assert len(trainer.history.train) == 2


def test_an_error_of_the_thread_reaches_the_caller(monkeypatch):
    source = batches_of(config(distortions=1.0), DATA)
    source.batches(0, [0])

    def failing(*_):
        raise MemoryError("too much")

    monkeypatch.setattr(Distortions, "__call__", failing)
    with pytest.raises(MemoryError, match="too much"):
        source.batches(0, [2])
    source.close()
