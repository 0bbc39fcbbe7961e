"""The network and its learning on arrays of another library: NumPy's bits, and nothing copied."""

from collections.abc import Callable
from functools import partial
from threading import get_ident
from typing import Any

import numpy as np
import pytest

from numpy_siamese.all_pairs import all_pairs_loss_and_gradients
from numpy_siamese.inference import embed_images, pair_probabilities
from numpy_siamese.model import SiameseNet
from numpy_siamese.optim import SGD, Adam, AdamW
from numpy_siamese.optim.optimizer import Optimizer
from numpy_siamese.tests.support.strict_array import StrictArray, asarray, asnumpy
from numpy_siamese.tests.support.traffic import counted
from numpy_siamese.training import TOGETHER, loss_and_gradients

every_path = pytest.mark.parametrize("fused", [True, False], ids=["fused", "textbook"])
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def assert_same(found: Any, expected: Any, name: str = "") -> None:
    """Compare what lies on the device with NumPy's, bit for bit."""
    assert type(found) is StrictArray, name
    host = asnumpy(found)
    assert (host.dtype, host.shape) == (expected.dtype, np.shape(expected)), name
    assert host.tobytes() == expected.tobytes(), name


def pairs(N: int, dtype: type, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return left and right images, the batch innermost as in training, and targets."""
    rng = np.random.default_rng(seed)
    innermost: np.ndarray = rng.integers(0, 256, (2, 1, 28, 28, N)).astype(dtype)
    left, right = np.moveaxis(innermost, -1, 1)
    return left, right, rng.integers(0, 2, (N, 1)).astype(dtype)


ASKED = 4
"""What the host asks for: are the probabilities finite, do they and the targets lie in [0, 1], and
what is the loss."""

POOLINGS = 2
"""Of the textbook path. Each asks whether there is a NaN."""


@every_path
@every_dtype
@pytest.mark.parametrize("N", [1, 5, 13])
def test_a_step_is_numpys_bit_for_bit(N, dtype, fused):
    """Broken otherwise: on a device the network learns something else, or not at all.

    One pair is worked on at once, five row by row as one batch of both twins, thirteen apart.
    """
    net = SiameseNet(0, dtype, fused)
    other = net.to(asarray)
    steps = [SGD(n.parameters(), 0.01, 0.9, weight_decay=1e-3) for n in (net, other)]
    for seed in range(2):
        batch = pairs(N, dtype, seed)
        on_device = [asarray(x) for x in batch]
        expected = loss_and_gradients(net, *batch)
        with counted() as traffic:
            loss, probs, grads = loss_and_gradients(other, *on_device)
            steps[1].step(grads)
        steps[0].step(expected[2])
        assert traffic.reads == ASKED + (0 if fused else POOLINGS * (1 if N <= TOGETHER else 2))
        assert traffic.threads == {get_ident()}
        assert loss == expected[0]
        assert_same(probs, expected[1])
        assert list(grads) == list(expected[2])
        for name, grad in grads.items():
            assert_same(grad, expected[2][name], name)
    for name, weight in other.state_dict().items():
        assert_same(weight, net.state_dict()[name], name)
        assert_same(steps[1].momentum_buffers[name], steps[0].momentum_buffers[name], name)


def test_micro_batches_add_up_in_one_thread():
    """Broken otherwise: a thread works on a device that is not the caller's, on its own stream."""
    net = SiameseNet(0)
    batch = pairs(30, np.float32)
    expected = loss_and_gradients(net, *batch, threads=3, micro_batch=12)
    with counted() as traffic:
        loss, probs, grads = loss_and_gradients(
            net.to(asarray), *map(asarray, batch), threads=3, micro_batch=12
        )
    assert traffic.threads == {get_ident()}
    assert traffic.reads == 3 * (ASKED - 1) + 1  # the loss once for all
    assert loss == expected[0]
    assert_same(probs, expected[1])
    for name, grad in grads.items():
        assert_same(grad, expected[2][name], name)


ALL_PAIRS = 7
"""What the host asks for in a step of all pairs: are the logits finite, are targets 0 and 1, do all
rows and all columns have a 1, are there a 1 and a 0, and what is the loss."""


@every_dtype
def test_a_step_of_all_pairs_is_numpys_in_one_thread(dtype):
    """Broken otherwise: a network cannot learn from all pairs on a device."""
    net = SiameseNet(0, dtype)
    images = np.random.default_rng(0).integers(0, 256, (7, 1, 28, 28)).astype(dtype)
    targets = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]]
    sides = images[:4], images[4:]
    settings = {"verdict_weight": 0.3, "threads": 3, "micro_batch": 2}
    expected = all_pairs_loss_and_gradients(net, *sides, targets, **settings)
    with counted() as traffic:
        loss, logits, grads = all_pairs_loss_and_gradients(
            net.to(asarray), *map(asarray, sides), targets, **settings
        )
    assert traffic.threads == {get_ident()}
    assert traffic.reads == ALL_PAIRS
    assert loss == expected[0]
    assert_same(logits, expected[1])
    for name, grad in grads.items():
        assert_same(grad, expected[2][name], name)


@every_path
def test_a_network_and_its_pullback(fused):
    """Broken otherwise: the gradients of the images leave the device."""
    net = SiameseNet(0, np.float32, fused)
    images = np.random.default_rng(0).random((2, 1, 1, 28, 28), np.float32)
    probs, pullback = net(*images)
    expected, (dleft, dright) = pullback(probs)
    found, its_pullback = net.to(asarray)(*map(asarray, images))
    assert_same(found, probs)
    with counted() as traffic:
        grads, dimages = its_pullback(found)
    assert traffic.reads == 0
    for dimage, right in zip(dimages, (dleft, dright), strict=True):
        assert_same(dimage, right)
    for name, grad in grads.items():
        assert_same(grad, expected[name], name)


@every_path
def test_inference(fused):
    """Broken otherwise: embeddings are computed on the device and paired on the host."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (7, 28, 28), np.uint8)
    net = SiameseNet(0, fused=fused)
    other, on_device = net.to(asarray), asarray(images)
    with counted() as traffic:
        embeddings = embed_images(other, on_device, threads=2, micro_batch=3)
    assert traffic.threads == {get_ident()}
    assert_same(embeddings, embed_images(net, images, micro_batch=3))
    left, right = np.array([0, 6, 3]), [6, 6, 0]
    expected = pair_probabilities(net, images, left, right)
    for place in (np.asarray, asarray):
        found = pair_probabilities(other, on_device, place(left), place(np.array(right)))
        assert_same(found, expected)
    empty = asarray(images[:0])
    assert_same(embed_images(other, empty), embed_images(net, images[:0]))


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "plain": partial(SGD),
    "momentum": partial(SGD, momentum=0.9),
    "damped": partial(SGD, momentum=0.5, dampening=0.3),
    "nesterov": partial(SGD, momentum=0.9, nesterov=True),
    "decay": partial(SGD, weight_decay=0.1, maximize=True),
    "Adam": partial(Adam, weight_decay=0.1),
    "AdamW": partial(AdamW, betas=(0.4, 0.9), maximize=True),
}


@every_dtype
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers(optimizer, dtype):
    """Broken otherwise: one rounding of a·x + y, which needs the bits of a sum, is NumPy's only."""
    rng = np.random.default_rng(0)
    start = {"a": rng.standard_normal((3, 5)), "b": rng.standard_normal(()), "c": np.zeros((0, 2))}
    host = {name: value.astype(dtype) for name, value in start.items()}
    device = {name: asarray(value) for name, value in host.items()}
    kept = dict(device)
    optimizers = [OPTIMIZERS[optimizer](parameters, 0.1) for parameters in (host, device)]
    for step in range(3):
        given = {k: rng.standard_normal(np.shape(v)).astype(dtype) for k, v in start.items()}
        if step == 1:
            del given["b"]
        with counted() as traffic:
            optimizers[1].step({k: asarray(g) for k, g in given.items()})
        assert traffic.reads == 0
        optimizers[0].step(given)
    for name, parameter in device.items():
        assert parameter is kept[name]
        assert_same(parameter, host[name], name)
    for kind, arrays in optimizers[0].states.items():
        for name, kept_array in arrays.items():
            assert_same(optimizers[1].states[kind][name], kept_array, f"{kind}.{name}")


def test_a_network_goes_there_and_back():
    """Broken otherwise: the copy shares weights with the network, or what learned stays there."""
    net = SiameseNet(3, fused=False)
    other = net.to(asarray)
    parameters = other.parameters()
    assert len({id(parameter.base) for parameter in parameters.values()}) == 1
    for parameter in parameters.values():
        parameter.fill(2)
    back = other.to(asnumpy)
    image = np.ones((1, 1, 28, 28), np.float32)
    assert (net.state_dict()["fc1.bias"] != 2).all()
    assert (back.state_dict()["net.conv2.weight"] == 2).all()
    assert back.dtype is net.dtype
    assert [type(layer) for layer in back.net.layers] == [type(layer) for layer in net.net.layers]
    assert_same(other(asarray(image), asarray(image))[0], back(image, image)[0])
    SGD(back.parameters(), 1).step(back.state_dict())
    assert (back.state_dict()["fc1.bias"] == 0).all()
    assert asnumpy(other.state_dict()["fc1.bias"]).item() == 2


def test_weights_of_numpy_are_loaded_where_the_network_is():
    """Broken otherwise: a trained file, which is read into NumPy, cannot be used on a device."""
    other = SiameseNet(1).to(asarray)
    on_device = SiameseNet(2).to(asarray).state_dict()
    for state, read in ((SiameseNet(0).state_dict(), np.asarray), (on_device, asnumpy)):
        other.load_state_dict(state)
        for name, weight in other.state_dict().items():
            assert_same(weight, read(state[name]), name)
