"""Learning: the step's loss and gradients, and its micro-batches on threads."""

import threading
from contextlib import contextmanager

import numpy as np
import pytest
import threadpoolctl

from numpy_siamese import functional as F
from numpy_siamese import training
from numpy_siamese.model import SiameseNet
from numpy_siamese.parallel.blas import single_threaded_blas
from numpy_siamese.parallel.threads import map_in_order, side_by_side
from numpy_siamese.tests.support.steps import assert_same_bits, pairs
from numpy_siamese.tests.support.tiny import PATIENCE
from numpy_siamese.training import MICRO_BATCH, TOGETHER, loss_and_gradients

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


class LateFirst:
    """A net whose first micro-batch waits until another one is done."""

    def __init__(self, whole, first):
        self.whole, self.first, self.dtype = whole, first, whole.dtype
        self.compare = whole.compare
        self.other_is_done = threading.Event()

    def net(self, images):
        embedding, twin = self.whole.net(images)
        is_first = np.shares_memory(images, self.first)

        def pullback(*args, **kwargs):
            if is_first:
                assert self.other_is_done.wait(PATIENCE)
            result = twin(*args, **kwargs)
            if not is_first:
                self.other_is_done.set()
            return result

        return embedding, pullback


def in_turn(left, right):
    """Return the rows of the first pair, then of the second."""
    return np.array([row for pair in zip(left, right, strict=True) for row in pair])


@contextmanager
def apart():
    """Have small batches embed the twins apart as well, as large ones do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "TOGETHER", 0)
        yield


# The step


@apart()
@DTYPES
def test_one_micro_batch_is_the_pullback_of_the_mean_loss(dtype):
    """Broken otherwise: loss or gradients are of a sum, of another batch, or scaled twice."""
    left, right, targets = pairs(6, dtype)
    net = SiameseNet(0, dtype)
    with single_threaded_blas():  # as the step has it: BLAS's threads could change the last bit
        probs, net_pullback = net(left, right)
        loss, loss_pullback = F.binary_cross_entropy(probs, targets.astype(dtype))
        grads, _ = net_pullback(*loss_pullback(1.0))
    found = loss_and_gradients(net, left, right, targets, micro_batch=6)
    assert isinstance(found[0], float)
    assert_same_bits(found, (float(loss), probs, grads))


@DTYPES
@pytest.mark.parametrize("threads", [1, 2])
def test_twins_of_a_small_batch_are_one_batch(threads, dtype):
    """Broken otherwise: a small batch pays for twice as many calls of NumPy."""
    left, right, targets = pairs(TOGETHER, dtype)
    net = SiameseNet(0, dtype)
    with single_threaded_blas():
        embeddings, twins = net.net(in_turn(left, right))
        probs, head = net.compare(embeddings[::2], embeddings[1::2])
        loss, cross_entropy = F.binary_cross_entropy(probs, targets.astype(dtype), reduction="sum")
        head_grads, dembeddings = head(cross_entropy(1.0)[0] / dtype(TOGETHER))
        grads, _ = twins(in_turn(*dembeddings), needs_input_grad=False)
    expected = {f"net.{name}": grad for name, grad in grads.items()} | head_grads
    found = loss_and_gradients(net, left, right, targets, threads)
    assert_same_bits(found, (float(loss / dtype(TOGETHER)), probs, expected))


@DTYPES
@pytest.mark.parametrize("N", [2, 3, 7, TOGETHER, TOGETHER + 1])
def test_the_last_bias_of_the_backbone_learns_nothing(N, dtype):
    """Broken otherwise: what cancels in |l − r| leaves rounding errors, which momentum adds up."""
    *_, grads = loss_and_gradients(SiameseNet(3, dtype), *pairs(N, dtype))
    assert not grads["net.fc2.bias"].any()
    assert all(grad.any() for name, grad in grads.items() if name != "net.fc2.bias")


def test_one_pair_more_has_its_twins_apart(monkeypatch):
    """Broken otherwise: a large batch has one thread to work on it."""
    seen = []

    def counted(function, *arguments):
        seen.append(len(arguments))
        return map(function, *arguments)

    monkeypatch.setattr(training, "side_by_side", counted)
    for N in (TOGETHER, TOGETHER + 1):
        loss_and_gradients(SiameseNet(0), *pairs(N), threads=2)
    assert seen == [1, 2]


@apart()
@DTYPES
@pytest.mark.parametrize(("N", "micro_batch"), [(6, 3), (7, 3), (7, 6), (5, 1), (4, 9)])
def test_micro_batches_are_added_in_the_order_of_the_batch(N, micro_batch, dtype):
    """Broken otherwise: a micro-batch is lost, seen twice, cut short or weighted by its own size,
    or sums have another order, and so other last bits, than the documented one.
    """
    left, right, targets = pairs(N, dtype)
    net = SiameseNet(0, dtype)
    loss, probs, grads = 0, [], {}
    for start in range(0, N, micro_batch):
        rows = slice(start, start + micro_batch)
        with single_threaded_blas():
            part_probs, net_pullback = net(left[rows], right[rows])
            part_loss, loss_pullback = F.binary_cross_entropy(
                part_probs, targets[rows].astype(dtype), reduction="sum"
            )
            part_grads, _ = net_pullback(loss_pullback(1.0)[0] / dtype(N))
        loss += part_loss
        probs.append(part_probs)
        for name, grad in part_grads.items():
            grads[name] = grads[name] + grad if name in grads else grad
    found = loss_and_gradients(net, left, right, targets, threads=2, micro_batch=micro_batch)
    assert_same_bits(found, (float(loss / dtype(N)), np.concatenate(probs), grads))


@DTYPES
def test_a_batch_twice_over_has_the_same_mean(dtype):
    """Broken otherwise: the mean is taken over a micro-batch, not over the batch.

    Halving is exact, and so is the sum of two equal halves: every bit must agree.
    """
    once = pairs(5, dtype)
    twice = [np.concatenate([part, part]) for part in once]
    net = SiameseNet(1, dtype)
    loss, probs, grads = loss_and_gradients(net, *once, micro_batch=5)
    assert_same_bits(
        loss_and_gradients(net, *twice, micro_batch=5),
        (loss, np.concatenate([probs, probs]), grads),
    )


@pytest.mark.parametrize("threads", [2, 3, 4, None])
@pytest.mark.parametrize("micro_batch", [3, 5])
def test_threads_do_not_change_a_bit(threads, micro_batch):
    """Broken otherwise: a run cannot be repeated on a machine with other cores."""
    batch = pairs(14)
    net = SiameseNet(0)
    expected = loss_and_gradients(net, *batch, threads=1, micro_batch=micro_batch)
    assert_same_bits(loss_and_gradients(net, *batch, threads, micro_batch), expected)


def test_a_late_thread_does_not_change_a_bit():
    """Broken otherwise: gradients are added as they come, in another order every time."""
    left, right, targets = pairs(9)
    net = SiameseNet(0)
    expected = loss_and_gradients(net, left, right, targets, threads=1, micro_batch=3)
    late = LateFirst(net, left[:3])
    found = loss_and_gradients(late, left, right, targets, threads=2, micro_batch=3)
    assert late.other_is_done.is_set()
    assert_same_bits(found, expected)


@apart()
@pytest.mark.parametrize(
    ("N", "threads", "at_once", "twins"),
    [
        (3, 1, 1, map),
        (3, 2, 1, side_by_side),
        (3, 4, 1, side_by_side),
        (4, 2, 2, map),
        (4, 3, 2, map),
        (6, 4, 2, side_by_side),
        (9, 2, 2, map),
    ],
)
def test_threads_share_micro_batches_and_then_twins(N, threads, at_once, twins, monkeypatch):
    """Broken otherwise: threads wait with work left, or more run than were asked for."""
    seen = []

    def mapped(work, items, threads):
        seen.append(threads)
        return map_in_order(work, items, threads)

    def beside(*arguments):
        seen.append(side_by_side)
        return side_by_side(*arguments)

    monkeypatch.setattr(training, "map_in_order", mapped)
    monkeypatch.setattr(training, "side_by_side", beside)
    loss_and_gradients(SiameseNet(0), *pairs(N), threads=threads, micro_batch=3)
    forward_and_backward = 2 * -(-N // 3)
    assert seen == [at_once] + [side_by_side] * forward_and_backward * (twins is side_by_side)


@pytest.mark.parametrize("threads", [1, 2])
def test_blas_has_one_thread_within_a_step(threads):
    """Broken otherwise: threads times BLAS threads fight for the cores, and bits change."""
    seen = []

    class Net(SiameseNet):
        def compare(self, *arguments):
            seen.extend(
                pool["num_threads"]
                for pool in threadpoolctl.threadpool_info()
                if pool["user_api"] == "blas"
            )
            return super().compare(*arguments)

    with threadpoolctl.threadpool_limits(2, "blas"):
        loss_and_gradients(Net(0), *pairs(4), threads=threads, micro_batch=2)
    assert set(seen) == {1}


@apart()
def test_twins_are_mapped_forward_and_backward(monkeypatch):
    """Broken otherwise: one of the passes leaves a core idle."""
    seen = []

    def counted(function, *arguments):
        seen.append(len(arguments))
        return map(function, *arguments)

    monkeypatch.setattr(training, "side_by_side", counted)
    loss_and_gradients(SiameseNet(0), *pairs(3), threads=2)
    assert seen == [1, 2]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("N", "passes"), [(TOGETHER, 1), (TOGETHER + 1, 2)])
def test_the_step_does_without_the_gradient_of_the_images(threads, N, passes, monkeypatch):
    """Broken otherwise: work is done at every step, and thrown away."""
    net, asked = SiameseNet(0), []
    embed = net.net

    def asking(images):
        embedding, pullback = embed(images)
        return embedding, lambda dy, needs_input_grad=True: (
            asked.append(needs_input_grad),
            pullback(dy, needs_input_grad),
        )[1]

    monkeypatch.setattr(net, "net", asking)
    loss_and_gradients(net, *pairs(N), threads=threads)
    assert asked == [False] * passes


def test_the_default_is_micro_batches_of_the_documented_size():
    """Broken otherwise: a default run gives other bits than `MICRO_BATCH` says."""
    batch = pairs(MICRO_BATCH + 1)
    net = SiameseNet(0)
    expected = loss_and_gradients(net, *batch, micro_batch=MICRO_BATCH)
    assert_same_bits(loss_and_gradients(net, *batch), expected)


def test_the_step_changes_neither_weights_nor_inputs():
    """Broken otherwise: a gradient check, or a second look at a batch, sees other numbers."""
    batch = pairs(7)
    net = SiameseNet(0)
    before = [array.copy() for array in (*batch, *net.parameters().values())]
    loss_and_gradients(net, *batch, micro_batch=3)
    for array, old in zip((*batch, *net.parameters().values()), before, strict=True):
        np.testing.assert_array_equal(array, old, strict=True)


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (lambda x, y, t: (x[:0], y[:0], t[:0]), r"got 0 and \(0, 1\)"),
        (lambda x, y, t: (x, y, t[:, 0]), r"got 6 and \(6,\)"),
        (lambda x, y, t: (x, y, t.T), r"got 6 and \(1, 6\)"),
        (lambda x, y, t: (x, y, t[:3]), r"got 6 and \(3, 1\)"),
        (lambda x, y, t: (x[:3], y[:3], t), r"got 3 and \(6, 1\)"),
        (lambda x, y, t: (x[:3], y, t[:3]), r"left .*3.* right .*6"),  # whole micro-batches
        (lambda x, y, t: (x[:4], y, t[:4]), r"left .*4.* right .*6"),
        (lambda x, y, t: (x, y[:3], t), r"left .*6.* right .*3"),
        (lambda x, y, t: (x[..., :27], y[..., :27], t), r"\(6, 1, 28, 27\)"),
        (lambda x, y, t: (x[:, 0], y[:, 0], t), r"left .*\(6, 28, 28\)"),
        (lambda x, y, t: (x, y, t + 1), r"target must lie in \[0, 1\]"),
    ],
)
def test_what_does_not_fit_is_refused(cut, message):
    """Broken otherwise: pairs are dropped, or broadcast against each other, without a word."""
    with pytest.raises(ValueError, match=message):
        loss_and_gradients(SiameseNet(0), *cut(*pairs(6)), micro_batch=3)


def test_another_dtype_is_refused():
    """Broken otherwise: float64 pixels make a float32 net compute in float64 unnoticed."""
    left, right, targets = pairs(4, np.float64)
    with pytest.raises(TypeError):
        loss_and_gradients(SiameseNet(0), left, right, targets)
