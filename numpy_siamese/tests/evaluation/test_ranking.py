"""Ranking by the head: order and ties against plain loops, blocks, bounded memory."""

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_siamese.evaluation import ranking
from numpy_siamese.evaluation.ranking import class_logits, highest, reference_logits
from numpy_siamese.model import SiameseNet

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)


def numbers(n, D, dtype):
    """A query, references and a head."""
    rng = np.random.default_rng(0)
    shapes = {"query": (D,), "references": (n, D), "weight": (1, D), "bias": (1,)}
    return {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}


@every_dtype
def test_a_logit_is_the_heads_in_exact_arithmetic(dtype):
    """Broken otherwise: references are ranked by another likeness than the network's."""
    given = numbers(9, 5, dtype)
    found = reference_logits(**given)
    assert (found.dtype, found.shape) == (dtype, (9,))
    exact = {
        name: [[Fraction(float(x)) for x in row] for row in np.atleast_2d(array)]
        for name, array in given.items()
    }
    for row, logit in zip(exact["references"], found.tolist(), strict=True):
        terms = [
            w * abs(q - s)
            for w, q, s in zip(exact["weight"][0], exact["query"][0], row, strict=True)
        ]
        terms.append(exact["bias"][0][0])
        # a difference, a product and at most D + 1 additions are rounded (Higham 2002, lemma 3.1)
        u, roundings = Fraction(float(np.finfo(dtype).eps)) / 2, 5 + 3
        bound = roundings * u / (1 - roundings * u) * sum(map(abs, terms))
        assert abs(Fraction(logit) - sum(terms)) <= bound


@every_dtype
def test_the_order_is_that_of_the_networks_own_logits_for_whole_numbers(dtype):
    """Broken otherwise: ranking and `verify` contradict each other.

    Every sum of these numbers is exact in any order, so there is nothing to be lenient about.
    """
    rng = np.random.default_rng(1)
    net = SiameseNet(dtype=dtype)
    weights = net.state_dict()
    for name in ("fc1.weight", "fc1.bias"):
        weights[name] = rng.integers(-3, 4, weights[name].shape).astype(dtype)
    net.load_state_dict(weights)
    query, references = (rng.integers(0, 9, (n, 84)).astype(dtype) for n in (1, 5000))
    own = net.logits(np.repeat(query, 5000, axis=0), references)[0][:, 0]
    head = weights["fc1.weight"], weights["fc1.bias"]
    found = reference_logits(query[0], references, *head)
    np.testing.assert_array_equal(found, own)
    assert len(np.unique(own)) < 5000  # there are ties
    np.testing.assert_array_equal(highest(found), np.argsort(-own, kind="stable"))


def test_equal_references_are_tied_wherever_they_stand(monkeypatch):
    """Broken otherwise: which of two copies comes first depends on the size of a block."""
    given = numbers(1, 84, np.float32)
    given["references"] = np.repeat(given["references"], 1000, axis=0)
    monkeypatch.setattr(ranking, "BLOCK", 7 * 84 * 4)
    assert len(np.unique(reference_logits(**given))) == 1


@pytest.mark.parametrize("n", [0, 1, 6, 7, 8, 14, 20])
def test_blocks_change_nothing(monkeypatch, n):
    """Broken otherwise: references at the end of a block are lost or compared twice."""
    given = numbers(n, 3, np.float32)
    whole = reference_logits(**given)
    monkeypatch.setattr(ranking, "BLOCK", 7 * 3 * 4)
    np.testing.assert_array_equal(reference_logits(**given), whole, strict=True)


@given(st.lists(st.integers(-3, 3), max_size=30), st.none() | st.integers(1, 40))
def test_the_highest_come_in_order_and_ties_in_order_of_index(values, top):
    """Broken otherwise: the nearest are missing, or come in another order from call to call."""
    found = highest(np.array(values, np.float64), top)
    expected = sorted(range(len(values)), key=lambda i: (-values[i], i))
    assert found.tolist() == expected[:top]
    assert found.dtype == np.int64


def test_memory_is_bounded():
    """Broken otherwise: a large collection is copied whole for every query."""
    given = numbers(100_000, 84, np.float32)
    tracemalloc.start()
    try:
        logits = reference_logits(**given)
        of_result, peak = tracemalloc.get_traced_memory()
        assert peak - of_result < 3 * ranking.BLOCK < given["references"].nbytes / 10
        tracemalloc.reset_peak()
        chosen = highest(logits, 10)
        assert tracemalloc.get_traced_memory()[1] - of_result < 24 * 100_000 + 2**16
    finally:
        tracemalloc.stop()
    assert len(chosen) == 10


def test_a_class_has_the_mean_logit_of_its_references():
    """Broken otherwise: a class with more references wins, or the labels get out of step."""
    logits = np.array([1, 5, 2, 4, 3], np.float32)
    classes, found = class_logits(logits, ["b", "a", "b", "c", "a"])
    assert classes.tolist() == ["a", "b", "c"]
    assert found.tolist() == [4, 1.5, 4]
    assert found.dtype == np.float64


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"query": np.zeros((1, 3), np.float32)}, r"query must be \(3,\)"),
        ({"references": np.zeros(3, np.float32)}, r"references must be \(n, D\)"),
        ({"weight": np.zeros(3, np.float32)}, r"weight must be \(1, 3\)"),
        ({"bias": np.zeros((1, 1), np.float32)}, r"bias must be \(1,\)"),
        ({"query": np.full(3, np.nan, np.float32)}, "query must be finite"),
        ({"references": np.full((2, 3), np.inf, np.float32)}, "references must be finite"),
        ({"weight": np.full((1, 3), np.nan, np.float32)}, "weight must be finite"),
        ({"bias": np.full(1, np.nan, np.float32)}, "bias must be finite"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, said):
    """Broken otherwise: arrays broadcast to a ranking that means nothing."""
    with pytest.raises(ValueError, match=said):
        reference_logits(**numbers(4, 3, np.float32) | change)


def test_what_cannot_be_ordered_is_refused():
    """Broken otherwise: a NaN comes first, or a column is sorted along the wrong axis."""
    logits = np.array([1, np.nan], np.float32)
    with pytest.raises(ValueError, match="logits must not be NaN"):
        highest(logits)
    with pytest.raises(ValueError, match=r"logits must be \(n,\), got \(2, 1\)"):
        highest(np.zeros((2, 1)))
    with pytest.raises(ValueError, match="top must be at least 1, got 0"):
        highest(np.zeros(2), 0)
    with pytest.raises(ValueError, match=r"logits must be \(3,\) as labels are"):
        class_logits(np.zeros(2), [1, 2, 3])
