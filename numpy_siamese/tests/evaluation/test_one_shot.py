"""N-way K-shot accuracy: logits and pixels against plain loops, ties, saturation, order."""

import json
import tracemalloc
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_siamese.data.episodes import draw_episodes
from numpy_siamese.evaluation import one_shot
from numpy_siamese.evaluation.one_shot import (
    Embedded,
    episode_accuracy,
    head_logits,
    one_shot_measures,
    pixel_likeness,
)
from numpy_siamese.functional import sigmoid
from numpy_siamese.model import SiameseNet
from numpy_siamese.tests.support.tiny import split

METHODS = ("siamese", "nearest_neighbor", "nearest_neighbor_cosine", "untrained")
DIGITS = split([7, 8, 9])

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)


def whole_numbers(n, seed=0, D=84, dtype=np.float32):
    """Embeddings and a head of small whole numbers, of which every sum is exact in any order."""
    rng = np.random.default_rng(seed)
    shapes = (n, D), (1, D), (1,)
    return Embedded(*(rng.integers(-3, 4, shape).astype(dtype) for shape in shapes))


def real_numbers(n, D, dtype):
    rng = np.random.default_rng(0)
    return Embedded(*(rng.standard_normal(shape).astype(dtype) for shape in ((n, D), (1, D), (1,))))


# Accuracy, by a plain loop


def plain_accuracy(likeness, labels, episodes, combine):
    """Return the accuracy as a fraction; `likeness` compares two images."""
    credit = []
    for q, classes in zip(episodes.query.tolist(), episodes.support.tolist(), strict=True):
        of_ways = [combine([likeness(q, s) for s in images]) for images in classes]
        best = [w for w, value in enumerate(of_ways) if value == max(of_ways)]
        true = [w for w in best if labels[classes[w][0]] == labels[q]]
        credit.append(Fraction(len(true), len(best)))
    return sum(credit) / len(credit)


def mean(values):
    return Fraction(sum(values)) / len(values)


def logit(network):
    embeddings, weight, bias = (part.astype(int).tolist() for part in network)
    return lambda q, s: (
        bias[0]
        + sum(
            w * abs(a - b) for w, a, b in zip(weight[0], embeddings[q], embeddings[s], strict=True)
        )
    )


def pixel_methods(images):
    """The squared L2 distance, negative, and the squared cosine, which orders as the cosine."""
    pixels = images.reshape(len(images), -1).astype(int)

    def l2(q, s):
        return -int(((pixels[q] - pixels[s]) ** 2).sum())

    def cosine(q, s):
        dot, square = int(pixels[q] @ pixels[s]), int(pixels[s] @ pixels[s])
        return Fraction(dot**2, square) if square else 0

    return l2, cosine


@every_dtype
def test_accuracy_is_that_of_a_plain_loop(dtype):
    """Broken otherwise: a query meets other support images, a class others' shots, or a method
    another's figure.

    Whole numbers are exact. The accuracy is a mean of 40 numbers: an error below 40 units of 2⁻⁵³.
    """
    trained, untrained = (whole_numbers(24, seed, dtype=dtype) for seed in (1, 2))
    entries = one_shot_measures(*DIGITS[::-1], trained, untrained, episodes=40, seed=3)
    l2, cosine = pixel_methods(DIGITS.images)
    ways = ((logit(trained), mean), (l2, max), (cosine, max), (logit(untrained), mean))
    assert [(e["ways"], e["shots"]) for e in entries] == [(2, 1), (2, 5), (3, 1), (3, 5)]
    for entry in entries:
        N, K = entry["ways"], entry["shots"]
        drawn = draw_episodes(DIGITS.labels, N, K, 40, 3)
        for name, (likeness, combine) in zip(METHODS, ways, strict=True):
            expected = plain_accuracy(likeness, DIGITS.labels, drawn, combine)
            assert abs(entry[name]["value"] - float(expected)) <= 40 * 2.0**-53, (N, K, name)


def test_an_entry_is_that_of_the_contract():
    """Broken otherwise: who reads evaluation.json finds other names, or no JSON."""
    network = whole_numbers(24)
    (entry,) = one_shot_measures(*DIGITS[::-1], network, network, [3], [2], 30)
    assert json.loads(json.dumps(entry)) == entry
    assert list(entry) == ["ways", "shots", "episodes", *METHODS, "chance"]
    assert [entry[name] for name in ("ways", "shots", "episodes")] == [3, 2, 30]
    assert entry["chance"] == 1 / 3
    for name in METHODS:
        assert list(entry[name]) == ["value", "low", "high"]
        assert 0 <= entry[name]["low"] <= entry[name]["value"] <= entry[name]["high"] <= 1
    assert entry["siamese"] == entry["untrained"]


def test_2000_episodes_are_drawn_unless_said_otherwise():
    """Broken otherwise: figures are of fewer episodes than the documents say, or of a seed."""
    network = whole_numbers(24)
    usual = one_shot_measures(*DIGITS[::-1], network, network)
    assert [entry["episodes"] for entry in usual] == [2000] * 4
    assert usual == one_shot_measures(*DIGITS[::-1], network, network, None, None, 2000, 0)


def test_a_network_that_sees_the_class_is_always_right():
    """Broken otherwise: trained and untrained are confused, or the least alike class wins."""
    sees = Embedded(DIGITS.labels[:, None] * 1.0, -np.ones((1, 1)), np.zeros(1))
    blind = Embedded(np.zeros((24, 1)), -np.ones((1, 1)), np.zeros(1))
    for entry in one_shot_measures(*DIGITS[::-1], sees, blind, episodes=20):
        assert entry["siamese"]["value"] == 1
        assert entry["untrained"]["value"] == pytest.approx(entry["chance"], abs=20 * 2.0**-53)


# What is compared


def test_logits_are_compared_and_not_probabilities():
    """A known mistake: probabilities of float32 are 1.0 for all, and a tie or the first class wins.

    Two support images are sure, the true one surer. So are they with five shots.
    """
    embeddings = np.array([[0], [10], [11], [12]], np.float32)  # the query, and distances 10 to 12
    head = -np.ones((1, 1), np.float32), np.full(1, 42, np.float32)
    for K in (1, 5):
        support = np.repeat([[[2], [3], [1]]], K, axis=2)
        logits = head_logits(embeddings, *head, np.array([0]), support)
        assert (logits == [[[31], [30], [32]]]).all()
        assert (sigmoid(logits)[0] == 1).all()
        assert episode_accuracy(logits.mean(axis=-1), np.array([2])) == 1


@every_dtype
def test_logits_are_the_networks_own(dtype):
    """Broken otherwise: episodes are judged by another head than pairs are.

    Both are exact up to the sigmoid, which is the same function: weights are multiples of 2⁻⁸. So
    no logit is so large that its probability is 0 or 1.
    """
    network = whole_numbers(24, dtype=dtype)
    network = network._replace(weight=network.weight / 256, bias=np.full(1, 0.5, dtype))
    net = SiameseNet(0, dtype)
    head = {"fc1.weight": network.weight, "fc1.bias": network.bias}
    net.load_state_dict(net.state_dict() | head)
    query, support, _ = draw_episodes(DIGITS.labels, 3, 2, 7)
    logits = head_logits(*network, query, support)
    assert logits.dtype == dtype
    left, right = network.embeddings[query.repeat(6)], network.embeddings[support.ravel()]
    probs = net.compare(left, right)[0]
    assert 0 < probs.min() < probs.max() < 1
    np.testing.assert_array_equal(sigmoid(logits.reshape(42, 1))[0], probs)


def test_of_five_shots_the_mean_logit_counts():
    """Broken otherwise: a single odd shot decides, or the shots of a class are not combined.

    The first class has distances 0 and 9, the second 3 and 4: by the nearest it would win.
    """
    embeddings = np.array([[0], [0], [9], [3], [4]], np.float32)
    network = Embedded(embeddings, np.array([[-1]], np.float32), np.zeros(1, np.float32))
    logits = head_logits(*network, np.array([0]), np.array([[[1, 2], [3, 4]]]))
    assert one_shot._mean(logits).tolist() == [[-4.5, -3.5]]
    assert one_shot._mean(logits).dtype == np.float64


@given(st.integers(1, 9), st.sampled_from([np.float32, np.float64]), st.randoms())
def test_the_order_of_support_changes_nothing_but_the_position(D, dtype, random):
    """Broken otherwise: the place of a class decides between equals, or rounding depends on it."""
    labels = np.arange(45) % 9
    network = real_numbers(45, 12 * D - 1, dtype)
    query, support, position = draw_episodes(labels, 7, 3, 5)
    order = np.array(random.sample(range(7), 7))
    logits = head_logits(*network, query, support)
    moved = head_logits(*network, query, support[:, order])
    np.testing.assert_array_equal(moved, logits[:, order])
    np.testing.assert_array_equal(
        episode_accuracy(moved.max(axis=-1), np.argsort(order)[position]),
        episode_accuracy(logits.max(axis=-1), position),
    )


@every_dtype
@pytest.mark.parametrize("block", [1, 1000, 5000])
def test_blocks_change_no_bit(block, dtype, monkeypatch):
    """Broken otherwise: the last pairs of a block are left out, or meet another query."""
    query, support, _ = draw_episodes(DIGITS.labels, 3, 5, 11)
    network = real_numbers(24, 84, dtype)
    expected = [
        head_logits(*network, query, support),
        *pixel_likeness(DIGITS.images, query, support),
    ]
    monkeypatch.setattr(one_shot, "BLOCK", block)
    found = [head_logits(*network, query, support), *pixel_likeness(DIGITS.images, query, support)]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


def test_memory_is_bounded():
    """Broken otherwise: 2,000 episodes of 10 ways and 5 shots hold all pairs' pixels: 600 MB.

    Beside results of 8 bytes a pair, of which two and some temporaries are alive, some blocks.
    """
    query, support, _ = draw_episodes(np.arange(120) % 10, 10, 5)
    network = real_numbers(120, 84, np.float32)
    images = np.zeros((120, 28, 28), np.uint8)
    for call in (
        lambda: head_logits(*network, query, support),
        lambda: pixel_likeness(images, query, support),
    ):
        tracemalloc.start()
        call()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 6 * 8 * support.size + 8 * one_shot.BLOCK


# Pixels


@pytest.mark.parametrize("size", [(28, 28), (40, 41), (1, 1)])
def test_pixels_are_compared_exactly(size):
    """Broken otherwise: float32 loses units of 784 · 255², and near images change their order.

    All but one pixel are as large as can be. The exact numbers are integers below 2⁵³.
    """
    images = np.full((6, *size), 255, np.uint8)
    images[np.arange(4), 0, 0] = [0, 1, 253, 254]
    images[5] = 0
    query, support = np.arange(6), np.tile(np.arange(6), (6, 1))[:, :, None]
    l2, cosine = (part[..., 0] for part in pixel_likeness(images, query, support))
    p = images.reshape(6, -1).astype(np.int64)
    squares = (p * p).sum(axis=1)
    distances = ((p[:, None] - p[None]) ** 2).sum(axis=2)
    np.testing.assert_array_equal(l2, squares[:, None] - distances)
    norms = np.sqrt(np.maximum(squares, 1))
    np.testing.assert_array_equal(cosine, (p @ p.T) / norms)
    assert not cosine[:, 5].any()


def test_equal_images_tie():
    """Broken otherwise: of two copies of an image the first, or the one at a better place, wins."""
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)[[0, 1, 1, 2]]
    query, support = np.array([0]), np.array([[[1], [2]]])
    for likeness in pixel_likeness(images, query, support):
        assert episode_accuracy(likeness[..., 0], np.array([1])) == 0.5


# Ties


@every_dtype
def test_a_tie_counts_as_much_as_choosing_among_the_tied(dtype):
    """A known mistake: the first of equals is taken, which is the true one where that stands first.

    Each quotient is of two small integers, and rounded once.
    """
    likeness = np.array([[1, 1, 1], [2, 2, 1], [2, 2, 1], [1, 3, 2], [-np.inf, 0, np.inf]], dtype)
    likeness[3, 0] = np.nextafter(dtype(3), dtype(0))  # the next number is no tie
    found = episode_accuracy(likeness, np.array([0, 1, 2, 1, 2]))
    np.testing.assert_array_equal(found, np.array([1 / 3, 1 / 2, 0, 1, 1]), strict=True)


# Errors

E1 = np.array([[0.0], [1.0]])
HEAD = np.ones((1, 1)), np.zeros(1)
ANYTHING: Any = (E1, *HEAD)
Q, S, P = np.array([0]), np.array([[[0], [1]]]), np.array([0, 0])
BLACK = np.zeros((2, 28, 28), np.uint8)
NETWORK = Embedded(E1, *HEAD)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: head_logits(E1[:, 0], *HEAD, Q, S), ValueError, r"embeddings .* got \(2,\)"),
        (lambda: head_logits(E1, E1, HEAD[1], Q, S), ValueError, r"weight .* \(1, 1\).* \(2, 1\)"),
        (lambda: head_logits(E1, HEAD[0], HEAD[0], Q, S), ValueError, r"bias .* got \(1, 1\)"),
        (lambda: head_logits(E1 / 0, *HEAD, Q, S), ValueError, "embeddings must be finite"),
        (lambda: head_logits(E1, HEAD[0] * np.inf, HEAD[1], Q, S), ValueError, "weight must be f"),
        (lambda: head_logits(E1, HEAD[0], HEAD[1] + np.nan, Q, S), ValueError, "bias must be fin"),
        (lambda: head_logits(E1, *HEAD, Q, S[0]), ValueError, r"support .* \(1,\) and \(2, 1\)"),
        (lambda: head_logits(E1, *HEAD, Q[:0], S), ValueError, r"\(0,\) and \(1, 2, 1\)"),
        (lambda: head_logits(E1, *HEAD, Q + 2, S), IndexError, r"query .* \[0, 2\), got 2"),
        (lambda: head_logits(E1, *HEAD, Q, S - 1), IndexError, r"support .* \[0, 2\), got -1"),
        (lambda: pixel_likeness(BLACK, Q, S + 1), IndexError, r"support .* \[0, 2\), got 2"),
        (lambda: episode_accuracy(E1[0], P), ValueError, r"likeness must be \(E, N\)"),
        (lambda: episode_accuracy(E1[:, :0], P), ValueError, r"likeness must be \(E, N\)"),
        (lambda: episode_accuracy(E1, P[:1]), ValueError, r"position must be \(2,\).* got \(1,\)"),
        (lambda: episode_accuracy(E1, P + 1), IndexError, r"position .* \[0, 1\), got 1"),
        (lambda: episode_accuracy(E1 * np.nan, P), ValueError, "likeness must not be NaN"),
        (
            lambda: one_shot_measures([0, 1], BLACK, NETWORK, NETWORK),
            ValueError,
            "at least 2 images a class",
        ),
        (
            lambda: one_shot_measures([0, 1, 1], BLACK, NETWORK, NETWORK),
            ValueError,
            r"images must be as many as the 3 labels, got \(2,\)",
        ),
        (
            lambda: one_shot_measures([0, 1], BLACK, Embedded(E1[:1], *HEAD), NETWORK),
            ValueError,
            "trained.embeddings must be as many",
        ),
        (
            lambda: one_shot_measures([0, 1], BLACK, NETWORK, Embedded(E1[:1], *HEAD)),
            ValueError,
            "untrained.embeddings must be as many",
        ),
        (
            lambda: one_shot_measures([0, 1], BLACK, NETWORK, ANYTHING),
            TypeError,
            "untrained must be Embedded, got tuple",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero|invalid value:RuntimeWarning")
def test_what_cannot_be_is_refused_under_its_name(call, kind, message):
    """Broken otherwise: the error names no argument of the call, or another one."""
    with pytest.raises(kind, match=message):
        call()
