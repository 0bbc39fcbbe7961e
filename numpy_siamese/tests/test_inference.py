"""What a network is asked: embeddings of images, probabilities of pairs."""

import numpy as np
import pytest

from numpy_siamese import functional as F
from numpy_siamese import inference
from numpy_siamese.architectures import (
    KOCH,
    MNIST,
    Architecture,
    Conv2d,
    Flatten,
    Linear,
    fuse,
)
from numpy_siamese.data.dataset import gather
from numpy_siamese.inference import (
    NumpyNetwork,
    embed_images,
    images_at_once,
    pair_probabilities,
)
from numpy_siamese.model import SiameseNet
from numpy_siamese.parallel.blas import single_threaded_blas
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.tests.support.tiny import split
from numpy_siamese.training import loss_and_gradients


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda n, x: embed_images(n, x, micro_batch=0), "^micro_batch must"),
        (lambda n, x: embed_images(n, x, threads=0), "^threads must"),
        (lambda n, x: pair_probabilities(n, x, np.array([0.5]), np.array([0])), "^left_index must"),
        (
            lambda n, x: pair_probabilities(n, x, np.array([0]), np.array([0.5])),
            "^right_index must",
        ),
    ],
)
def test_what_cannot_be_is_refused_under_its_name(call, said):
    """Broken otherwise: the error names no argument of the call, or another one."""
    with pytest.raises((TypeError, ValueError), match=said):
        call(SiameseNet(0), split([3, 3]).images)


def test_an_image_with_itself_leaves_the_bias_of_the_head():
    """Broken otherwise: left and right image go through different networks.

    The difference of an embedding with itself is zero. A copy elsewhere in the batch need not be
    the same to every bit: a BLAS kernel may add the last columns of a matrix in another order.
    """
    images, net = split([3, 3]).images, SiameseNet(0)
    everyone = np.arange(6)
    expected, _ = F.sigmoid(np.tile(net.parameters()["fc1.bias"], (6, 1)))
    assert np.unique(embed_images(net, images), axis=0).shape == (6, 84)
    probs = pair_probabilities(net, images, everyone, everyone)
    np.testing.assert_array_equal(probs, expected, strict=True)
    pixels = gather(images, everyone, np.float32)
    np.testing.assert_array_equal(net(pixels, pixels)[0], expected, strict=True)
    for threads in (1, 2):  # the twins one after the other, and side by side
        step = loss_and_gradients(net, pixels, pixels, np.ones((6, 1)), threads)
        np.testing.assert_array_equal(step[1], expected, strict=True)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_embeddings_keep_the_order_of_the_images(threads):
    """Broken otherwise: a piece of the images is lost or embedded at another's place."""
    images, net = split([4, 3]).images, SiameseNet(0)
    with single_threaded_blas():
        pieces = [
            net.embed(gather(images, np.arange(*ends), np.float32))
            for ends in ((3,), (3, 6), (6, 7))
        ]
    found = embed_images(net, images, threads, micro_batch=3)
    np.testing.assert_array_equal(found, np.concatenate(pieces), strict=True)
    assert embed_images(net, images, threads, micro_batch=1).shape == (7, 84)


def test_images_are_embedded_200_at_a_time(monkeypatch):
    """Broken otherwise: more memory is taken than by a step of 100 pairs, or other bits are given
    than the published ones.
    """
    taken = []
    images, net = split([201, 200]).images, SiameseNet(0)

    def blank(images, index, dtype):
        taken.append(len(index))
        return np.zeros((len(index), 1, 28, 28), dtype)

    monkeypatch.setattr(inference, "gather", blank)
    embed_images(net, images, threads=1)
    assert taken == [200, 200, 1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_at_work_judges_as_the_network_does(dtype):
    """Broken otherwise: the evaluation is of another network, dtype or head than the run's."""
    images, config = split([3, 3]).images, TrainConfig(seed=4, dtype=dtype, threads=1)
    trained = SiameseNet(5, np.dtype(dtype).type)
    for weights, net in ((None, SiameseNet(4, trained.dtype)), (trained.state_dict(), trained)):
        network = NumpyNetwork(config, weights)
        embeddings = network.embed(images)
        np.testing.assert_array_equal(embeddings, embed_images(net, images, 1), strict=True)
        left, right = np.array([0, 1, 2]), np.array([3, 4, 4])
        logits, probs = network.compare(embeddings[left], embeddings[right])
        expected = pair_probabilities(net, images, left, right, 1)
        np.testing.assert_array_equal(probs, expected, strict=True)
        np.testing.assert_array_equal(F.sigmoid(logits)[0], probs, strict=True)
        weight, bias = network.head()
        sums = abs(embeddings[left] - embeddings[right]).astype(float) @ weight[0] + bias
        np.testing.assert_allclose(logits[:, 0], sums, rtol=1e-5 if dtype == "float32" else 1e-13)


def test_a_network_at_work_keeps_to_its_threads(monkeypatch):
    """Broken otherwise: --threads is not heard when a run is evaluated."""
    asked = []
    monkeypatch.setattr(
        inference, "map_in_order", lambda f, items, n: asked.append(n) or map(f, items)
    )
    for threads in (1, 3, None):
        NumpyNetwork(TrainConfig(threads=threads)).embed(split([1, 1]).images)
    assert asked == [1, 3, None]


WIDE = Conv2d("c", 64, 3), Conv2d("d", 1, 40), Flatten()


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [
        (MNIST, 200),
        (fuse(MNIST), 200),
        (KOCH, 16),
        (Architecture("none", (1, 105, 105), (Flatten(), Linear("fc1", 3))), 200),
        (Architecture("wide", (1, 105, 105), WIDE), 2),
    ],
    ids=["mnist", "fused", "koch", "none", "wide"],
)
def test_large_windows_leave_room_for_fewer_images(architecture, expected):
    """Broken otherwise: a batch of the paper's network wants 5 GB, or the recipe's is cut."""
    assert images_at_once(architecture) == expected


def test_a_step_s_micro_batches_are_those_of_its_network(monkeypatch):
    """Broken otherwise: memory grows with the batch in a network with large windows."""
    net, images = SiameseNet(0), split([5, 5]).images
    left, right = gather(images, range(5), np.float32), gather(images, range(5, 10), np.float32)
    targets = np.ones((5, 1))
    monkeypatch.setattr(inference, "MOST_NUMBERS", 4 * MNIST.window_size())
    assert images_at_once(MNIST) == 4
    loss, _, grads = loss_and_gradients(net, left, right, targets)
    expected, _, its_grads = loss_and_gradients(net, left, right, targets, micro_batch=2)
    assert loss == expected
    for name, grad in grads.items():
        np.testing.assert_array_equal(grad, its_grads[name], strict=True)
    parts = []
    monkeypatch.setattr(net, "embed", lambda x: parts.append(len(x)) or np.zeros((len(x), 84)))
    embed_images(net, images, threads=1)
    assert parts == [4, 4, 2]
