"""The learner of a run: its steps, its verdicts, and what becomes of it when it diverges."""

import numpy as np
import pytest

from numpy_siamese import functional as F
from numpy_siamese import inference, training
from numpy_siamese.data.dataset import gather
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.errors import NotFiniteError
from numpy_siamese.evaluation.verification import accuracy
from numpy_siamese.inference import embed_images, pair_probabilities
from numpy_siamese.model import SiameseNet
from numpy_siamese.optim import SGD
from numpy_siamese.parallel.cores import default_threads
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.tests.support.steps import assert_same_bits
from numpy_siamese.tests.support.tiny import split
from numpy_siamese.training import NumpyLearner, loss_and_gradients


def config(**changes):
    return TrainConfig(**{"batch_size": 8, "threads": 2, "lr": 1e-5} | changes)


def batch_of_a_run(labels, k=0):
    return PairSampler(labels, 8, seed=0).batch(0, k)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_steps_are_those_of_the_net_the_optimiser_and_the_pairs(dtype, momentum):
    """Broken otherwise: the learner has other weights, rates, pairs or pixels than its parts, or
    reports the loss after the step.
    """
    images, labels = split([8, 8, 8])
    learner = NumpyLearner(config(seed=3, dtype=dtype, momentum=momentum), images)
    net = SiameseNet(3, np.dtype(dtype).type)
    optimizer = SGD(net.parameters(), 1e-5, momentum)
    assert learner.momentum_state() == {}
    for k in range(3):
        left, right, targets = batch_of_a_run(labels, k)
        loss, probs, grads = loss_and_gradients(
            net, gather(images, left, net.dtype), gather(images, right, net.dtype), targets
        )
        right_verdicts = sum((p > 0.5) == (t == 1) for p, t in zip(probs, targets, strict=True))
        optimizer.step(grads)
        found = learner.learn([(left, right, targets)])
        assert [*map(list, found)] == [[loss], [right_verdicts.item() / 8]]
        assert_same_bits(learner.model_state(), net.state_dict())
        assert_same_bits(learner.momentum_state(), optimizer.momentum_buffers)
    assert bool(learner.momentum_state()) == bool(momentum)


@pytest.mark.parametrize(("wanted", "threads"), [(3, 3), (None, default_threads())])
def test_a_learner_works_with_the_threads_it_was_told(wanted, threads, monkeypatch):
    """Broken otherwise: --threads changes nothing, or only the report of the run."""
    images, labels = split([8, 8, 8])
    learner = NumpyLearner(config(threads=wanted), images)
    seen = []

    def asked(real):
        def noted(*given, **named):
            seen.append(named.get("threads", given[-1]))
            return real(*given, **named)

        return noted

    monkeypatch.setattr(training, "loss_and_gradients", asked(training.loss_and_gradients))
    monkeypatch.setattr(inference, "map_in_order", asked(inference.map_in_order))
    learner.learn([batch_of_a_run(labels)])
    learner.evaluate(images, [0], [1], [[0]])
    assert seen == [threads, threads]
    assert learner.environment() == {"package": "numpy_siamese", "threads": threads}


def test_learning_changes_the_weights_and_lowers_the_loss():
    """Broken otherwise: a layer is left out, or the step goes uphill.

    Only the embedding's bias stays: in the difference of two embeddings it cancels.
    """
    images, labels = split([8, 8, 8])
    learner = NumpyLearner(config(dtype="float64"), images)  # in float32 a small step may be lost
    before = {name: value.copy() for name, value in learner.model_state().items()}
    losses = learner.learn([batch_of_a_run(labels)] * 5)[0].tolist()
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0]
    after = learner.model_state()
    assert {name for name in after if not (after[name] != before[name]).any()} == {"net.fc2.bias"}


def test_how_many_are_given_at_a_time_does_not_change_a_bit():
    """Broken otherwise: a run depends on how many batches its learner is given."""
    images, labels = split([8, 8, 8])
    batches = [batch_of_a_run(labels, k) for k in range(4)]
    alone, together = (NumpyLearner(config(momentum=0.9), images) for _ in range(2))
    expected = np.concatenate([alone.learn([batch]) for batch in batches], axis=1)
    np.testing.assert_array_equal(together.learn(batches), expected, strict=True)
    assert_same_bits(together.model_state(), alone.model_state())
    assert_same_bits(together.momentum_state(), alone.momentum_state())


def test_probabilities_are_of_the_pairs_that_were_asked_for():
    """Broken otherwise: predictions belong to other pairs than the truth beside them."""
    images, labels = split([8, 8, 8])
    learner = NumpyLearner(config(), images)
    left, right, targets = batch_of_a_run(labels)
    other_images = split([4, 4], seed=9).images
    left, right = left % 8, right % 8
    embeddings = embed_images(learner.net, other_images)
    expected, _ = learner.net.compare(embeddings[left], embeddings[right])
    found = learner.evaluate(other_images, left, right, targets).probs
    np.testing.assert_array_equal(found, expected, strict=True)
    swapped = learner.evaluate(other_images, right, left, targets)
    np.testing.assert_array_equal(swapped.probs, found)
    assert found.shape == (8, 1)
    assert np.unique(found).size > 1


def test_an_evaluation_is_the_cross_entropy_and_accuracy_of_the_pairs():
    """Broken otherwise: the test after an epoch reports the loss of other pairs, or of the mean."""
    images, labels = split([8, 8, 8])
    learner = NumpyLearner(config(dtype="float64"), images)
    left, right, targets = batch_of_a_run(labels)
    found = learner.evaluate(images, left, right, targets)
    expected = pair_probabilities(learner.net, images, left, right)
    np.testing.assert_array_equal(found.probs, expected, strict=True)
    assert found.loss == F.binary_cross_entropy(expected, targets.astype(np.float64))[0]
    assert found.accuracy == accuracy(expected, targets)
    assert isinstance(found.loss, float)


def spoil(learner, name):
    """Make one number of a weight NaN."""
    learner.net.parameters()[name].flat[0] = np.nan


@pytest.mark.parametrize("spoilt", ["net.conv1.bias", "net.fc2.weight", "fc1.bias"])
def test_a_batch_that_diverges_leaves_all_as_it_was(spoilt):
    """Broken otherwise: --on-nan continue learns from it, or the run ends in a traceback."""
    images, labels = split([8, 8, 8])
    learner = NumpyLearner(config(momentum=0.9), images)
    learner.learn([batch_of_a_run(labels)])
    spoil(learner, spoilt)
    states = learner.model_state, learner.momentum_state
    before = [{name: value.copy() for name, value in state().items()} for state in states]
    losses, accuracies = learner.learn([batch_of_a_run(labels, k) for k in range(2)])
    assert np.isnan([losses, accuracies]).all()
    assert losses.shape == accuracies.shape == (2,)
    for state, old in zip(states, before, strict=True):
        assert_same_bits(state(), old)
    with pytest.raises(NotFiniteError, match=r"^found probabilities that are not finite$"):
        loss_and_gradients(learner.net, *np.ones((2, 3, 1, 28, 28), np.float32), np.ones((3, 1)))
    judged = learner.evaluate(images, *batch_of_a_run(labels))
    assert np.isnan(judged.loss)
    assert judged.accuracy == 0.5  # none is called the same


def blinding(images):
    """Return a learner for which bright images are infinite, and two of its images black."""
    images = images.copy()
    images[:2] = 0
    learner = NumpyLearner(config(), images)
    learner.net.parameters()["net.conv1.weight"][...] = 1e38
    return learner, images


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_one_pair_that_is_not_finite_spoils_its_batch(place, monkeypatch):
    """Broken otherwise: a network that has diverged for some of the pairs goes on learning."""
    monkeypatch.setattr(training, "MICRO_BATCH", 2)
    learner, images = blinding(split([8, 8, 8]).images)
    left, right = np.zeros(4, int), np.ones(4, int)
    targets = np.ones((4, 1))
    with np.errstate(all="ignore"):
        assert np.isfinite(learner.evaluate(images, left, right, targets).loss)
    left[place], right[place] = 2, 3  # ∞ − ∞
    before = {name: value.copy() for name, value in learner.model_state().items()}
    with np.errstate(all="ignore"):
        judged = learner.evaluate(images, left, right, targets)
        found = learner.learn([(left, right, targets)])
    assert np.isnan(judged.probs).sum() == 1
    assert np.isnan([*found, [judged.loss]]).all()
    assert_same_bits(learner.model_state(), before)


def test_learners_that_share_a_state_go_their_own_ways():
    """Broken otherwise: one learner's momentum is changed by another's steps."""
    images, labels = split([8, 8, 8])
    first, second = (NumpyLearner(config(momentum=0.9), images) for _ in range(2))
    first.learn([batch_of_a_run(labels)])
    second.load_state(first.model_state(), first.momentum_state())
    states = first.model_state, first.momentum_state
    before = [{name: value.copy() for name, value in state().items()} for state in states]
    found = second.learn([batch_of_a_run(labels, 1)])
    for state, old in zip(states, before, strict=True):
        assert_same_bits(state(), old)
    np.testing.assert_array_equal(first.learn([batch_of_a_run(labels, 1)]), found)
    assert_same_bits(first.momentum_state(), second.momentum_state())


def test_a_momentum_that_does_not_fit_changes_nothing():
    """Broken otherwise: a learner goes on with the weights of one run, the momentum of another."""
    images, labels = split([8, 8, 8])
    first, second = (NumpyLearner(config(seed=k, momentum=0.9), images) for k in range(2))
    for learner in (first, second):
        learner.learn([batch_of_a_run(labels)])
    states = first.model_state, first.momentum_state
    before = [{name: value.copy() for name, value in state().items()} for state in states]
    with pytest.raises(ValueError, match="shape"):
        first.load_state(second.model_state(), {"fc1.bias": np.zeros(2, np.float32)})
    for state, old in zip(states, before, strict=True):
        assert_same_bits(state(), old)


def test_other_errors_of_a_batch_pass_through():
    """Broken otherwise: a slip in the data passes for a network that has diverged."""
    images, labels = split([8, 8, 8])
    left, right, targets = batch_of_a_run(labels)
    learner = NumpyLearner(config(), images)
    with pytest.raises(ValueError, match="target must lie in"):
        learner.learn([(left, right, targets + 1)])


def test_an_error_of_arithmetic_that_the_user_wants_passes_through():
    """Broken otherwise: `np.errstate(all="raise")` finds no overflow in a run."""
    learner, _ = blinding(split([8, 8, 8]).images)
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        learner.learn([([2], [3], [[1]])])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda learner, i: learner.evaluate(learner.images, i, i, [[1j], [0]]), "^targets must"),
        (lambda learner, i: learner.load_state(learner.model_state(), []), "^momentum must map"),
        (lambda learner, i: learner.load_state([], {}), "^mapping must map"),
    ],
)
def test_what_a_learner_refuses_is_named(call, said):
    """Broken otherwise: the message names another argument, or nothing."""
    learner = NumpyLearner(config(), split([2, 2]).images)
    with pytest.raises(TypeError, match=said):
        call(learner, np.arange(2))


@pytest.mark.parametrize("name", ["left_index", "right_index"])
def test_an_index_that_is_refused_is_named(name):
    """Broken otherwise: the message names another argument, or nothing."""
    learner = NumpyLearner(config(), split([2, 2]).images)
    left, right = ([9] if name == which else [0] for which in ("left_index", "right_index"))
    with pytest.raises(IndexError, match=f"^{name} "):
        learner.learn([(left, right, [[1]])])


def test_a_state_dict_says_all_that_is_unexpected():
    """Broken otherwise: names that cannot be sorted end in an error about sorting."""
    net = SiameseNet()
    with pytest.raises(KeyError, match=r"unexpected \[1, 'a'\]"):
        net.load_state_dict(net.state_dict() | {"a": 0, 1: 0})
