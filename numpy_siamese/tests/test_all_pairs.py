"""The step of all pairs: its loss, its gradients, its threads, and a learner that takes it."""

import re

import numpy as np
import pytest

from numpy_siamese import all_pairs
from numpy_siamese.all_pairs import (
    all_pairs_loss_and_gradients,
    balanced,
    balanced_accuracy,
    contrast,
    logits_of_all,
)
from numpy_siamese.errors import NotFiniteError
from numpy_siamese.model import SiameseNet, shared
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.tests.support.steps import assert_same_bits
from numpy_siamese.training import NumpyLearner

TARGETS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]], np.float64)
"""Four left images of three classes, and three right ones."""


def batch(dtype=np.float64):
    """Return images for `TARGETS`, and the targets."""
    images = np.random.default_rng(5).integers(0, 256, (7, 1, 28, 28)).astype(dtype)
    return images[:4], images[4:], TARGETS.astype(dtype)


def assert_sums_are_near(grads, expected):
    """Compare gradients that were added in another order.

    An element sums at most 7·24·24 products, whose roundings are up to 4.5e-13 of their sizes. The
    bias of fc2 cancels in |left − right|: its gradient is the rounding of slopes that the head's
    bias has the sum of.
    """
    assert list(grads) == list(expected)
    for name, grad in grads.items():
        scale = abs(expected["fc1.bias" if name == "net.fc2.bias" else name]).max()
        np.testing.assert_allclose(grad, expected[name], rtol=0, atol=1e-12 * scale, err_msg=name)


def test_each_logit_is_that_of_its_pair():
    net = SiameseNet(2, np.float64)
    left, right, _ = batch()
    embedded = net.embed(left), net.embed(right)
    logits, _ = logits_of_all(net, *embedded)
    one_by_one = [
        [net.logits(l[None], r[None])[0].item() for r in embedded[1]] for l in embedded[0]
    ]
    np.testing.assert_allclose(logits, one_by_one, rtol=1e-12)


@pytest.mark.parametrize("weight", [0, 0.1, 1])
def test_the_loss_is_its_formula(weight):
    logits = np.random.default_rng(1).normal(size=TARGETS.shape)
    loss, _ = contrast(logits, TARGETS, weight)
    same = TARGETS == 1
    exp = np.exp(logits)
    picks = [-np.log((exp * same).sum(axis) / exp.sum(axis)).mean() for axis in (0, 1)]
    probs = exp / (1 + exp)
    verdicts = [-np.log(probs[same]).mean(), -np.log(1 - probs[~same]).mean()]
    assert loss == pytest.approx(np.mean(picks) + weight * np.mean(verdicts), rel=1e-13)


@pytest.mark.parametrize("weight", [0, 0.1, 1])
def test_the_gradient_is_the_slope(weight):
    logits = np.random.default_rng(1).normal(size=TARGETS.shape)
    (dlogits,) = contrast(logits, TARGETS, weight)[1](1.0)
    for place in np.ndindex(logits.shape):
        step = np.zeros(logits.shape)
        step[place] = 1e-6
        ahead, behind = (contrast(logits + sign * step, TARGETS, weight)[0] for sign in (1, -1))
        assert dlogits[place] == pytest.approx((ahead - behind) / 2e-6, abs=1e-9)


def test_gradients_are_the_sum_over_pairs():
    net, (left, right, targets) = SiameseNet(2, np.float64), batch()
    loss, logits, grads = all_pairs_loss_and_gradients(net, left, right, targets, 0.3)
    expected_loss, pullback = contrast(logits, targets, 0.3)
    assert loss == expected_loss
    (dlogits,) = pullback(1.0)
    sums = dict.fromkeys(net.state_dict(), 0.0)
    for i, j in np.ndindex(targets.shape):
        (one, one_twin), (other, other_twin) = net.net(left[[i]]), net.net(right[[j]])
        head_grads, (done, dother) = net.logits(one, other)[1](dlogits[i, j].reshape(1, 1))
        of_pair = head_grads | shared(one_twin(done)[0], other_twin(dother)[0])
        sums = {name: total + of_pair[name] for name, total in sums.items()}
    assert_sums_are_near(grads, sums)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_change_no_bit(dtype):
    net, (left, right, targets) = SiameseNet(2, dtype), batch(dtype)
    first, *others = (
        all_pairs_loss_and_gradients(net, left, right, targets, threads=threads, micro_batch=2)
        for threads in (1, 2, 3)
    )
    for other in others:
        assert_same_bits(first, other)


@pytest.mark.parametrize(("asked", "used"), [(1, 1), (2, 2), (9, 4), (None, 3)])
def test_as_many_threads_work_as_are_asked_for(asked, used, monkeypatch):
    """Four micro-batches cannot keep nine threads busy."""
    found = []

    def map_and_note(function, items, threads):
        found.append(threads)
        return map(function, items)

    monkeypatch.setattr(all_pairs, "map_in_order", map_and_note)
    monkeypatch.setattr(all_pairs, "default_threads", lambda: 3)
    net, (left, right, targets) = SiameseNet(2, np.float64), batch()
    all_pairs_loss_and_gradients(net, left, right, targets, threads=asked, micro_batch=2)
    assert found == [used, used]


def test_a_micro_batch_may_have_one_image():
    net, (left, right, targets) = SiameseNet(2, np.float64), batch()
    whole, *parts = (
        all_pairs_loss_and_gradients(net, left, right, targets, micro_batch=size)
        for size in (7, 1, 2)
    )
    for loss, logits, grads in parts:
        assert loss == pytest.approx(whole[0], rel=1e-12)
        np.testing.assert_allclose(logits, whole[1], rtol=1e-12)
        assert_sums_are_near(grads, whole[2])


def test_verdicts_weigh_1_if_nothing_else_is_said():
    net, batch_of_all = SiameseNet(2, np.float64), batch()
    logits = np.random.default_rng(1).normal(size=TARGETS.shape)
    assert contrast(logits, TARGETS)[0] == contrast(logits, TARGETS, 1)[0]
    assert_same_bits(
        all_pairs_loss_and_gradients(net, *batch_of_all),
        all_pairs_loss_and_gradients(net, *batch_of_all, 1),
    )


def test_a_weight_next_to_nothing_reports_nothing():
    """Broken otherwise: a program that watches for underflow cannot learn."""
    net, batch_of_all = SiameseNet(2), batch(np.float32)
    with np.errstate(all="raise"):
        found = all_pairs_loss_and_gradients(net, *batch_of_all, 1e-44)
    assert_same_bits(found, all_pairs_loss_and_gradients(net, *batch_of_all, 1e-44))


def test_both_kinds_of_pairs_weigh_the_same():
    weights = balanced(TARGETS)
    assert weights[TARGETS == 1].sum() == pytest.approx(0.5)
    assert weights[TARGETS == 0].sum() == pytest.approx(0.5)
    assert balanced_accuracy(np.ones(TARGETS.shape), TARGETS) == pytest.approx(0.5)
    assert balanced_accuracy(TARGETS - 0.5, TARGETS) == pytest.approx(1)
    for targets in (np.ones((2, 2)), np.zeros((2, 2))):
        with pytest.raises(ValueError, match=r"^targets must have a 0 and a 1$"):
            balanced(targets)


def test_one_pair_of_a_kind_weighs_one_half():
    np.testing.assert_array_equal(balanced(np.array([[1.0, 0, 0]])), [[0.5, 0.25, 0.25]])
    np.testing.assert_array_equal(balanced(np.array([[0.0, 1, 1]])), [[0.5, 0.25, 0.25]])


def test_log_odds_of_0_are_no_match():
    """As in single pairs, of which those above ½ are called the same."""
    assert balanced_accuracy(TARGETS, TARGETS) == pytest.approx(1)
    assert balanced_accuracy(TARGETS - 1, TARGETS) == pytest.approx(0.5)


def test_what_does_not_fit_is_refused():
    net, (left, right, targets) = SiameseNet(2, np.float64), batch()
    for one, other, of_both in ((left, right, targets.T), (left[0], right, targets[:1])):
        found = f"{one.shape}, {other.shape} and {of_both.shape}"
        with pytest.raises(ValueError, match=re.escape(f"targets (N, M), got {found}")):
            all_pairs_loss_and_gradients(net, one, other, of_both)
    with pytest.raises(TypeError, match=r"^targets must"):
        all_pairs_loss_and_gradients(net, left, right, targets.astype(complex))
    with pytest.raises(NotFiniteError, match=r"^found logits that are not finite$"):
        all_pairs_loss_and_gradients(net, np.full_like(left, np.nan), right, targets)
    for name in ("threads", "micro_batch"):
        with pytest.raises(ValueError, match=f"^{name} must be at least 1, got 0$"):
            all_pairs_loss_and_gradients(net, left, right, targets, **{name: 0})
    for weight in (-0.1, np.nan, np.inf):
        with pytest.raises(ValueError, match="verdict_weight must be"):
            all_pairs_loss_and_gradients(net, left, right, targets, weight)


def learner(**changes):
    """Return a learner of some images, and the images."""
    images = np.random.default_rng(8).integers(0, 256, (7, 28, 28)).astype(np.uint8)
    return NumpyLearner(TrainConfig(dtype="float64", threads=1, **changes), images), images


def test_images_are_learned_as_their_indices_are():
    (by_index, images), (by_image, _) = learner(), learner()
    left, right, targets = np.array([0, 1, 5]), np.array([2, 3, 4]), np.array([[0], [1], [1]])
    found = (
        by_index.learn([(left, right, targets)]),
        by_image.learn([(images[left], images[right], targets)]),
    )
    np.testing.assert_array_equal(*found)
    assert_same_bits(by_index.model_state(), by_image.model_state())


def test_a_learner_learns_from_all_pairs():
    one, images = learner(lr=1e-4)
    pairs = images[:4], images[4:], TARGETS
    losses, accuracies = one.learn([pairs] * 20)
    assert losses[-1] < 0.7 * losses[0]
    assert accuracies[-1] > accuracies[0]
