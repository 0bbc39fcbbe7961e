"""Networks as lists of layers: shapes, weights, products, and the rewriting that fuses layers."""

from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_siamese.architectures import (
    ARCHITECTURES,
    KOCH,
    MNIST,
    MODERN,
    Architecture,
    Conv2d,
    ConvReLUPool,
    Flatten,
    Linear,
    MaxPool2d,
    ReLU,
    fuse,
)
from numpy_siamese.layers import Sequential

FIRST = Conv2d("conv1", 2, 3), ReLU(), MaxPool2d(2)
SECOND = Conv2d("conv2", 2, 3), ReLU(), MaxPool2d(2)


def parameters(architecture, seed=0):
    """Small integers, so that every sum is exact; of the backbone, by name."""
    rng = np.random.default_rng(seed)
    found = {}
    for layer, shape in architecture.with_shapes():
        if layer.parameter_names:
            weight = rng.integers(-2, 3, layer.weight_shape(shape)).astype(float)
            bias = rng.integers(-2, 3, len(weight)).astype(float)
            found |= dict(zip(layer.parameter_names, (weight, bias), strict=True))
    return found


@st.composite
def architectures(draw):
    """Backbones of convolutions, ReLUs and poolings in any order that leaves pixels."""
    shape = image = (draw(st.integers(1, 2)), draw(st.integers(5, 13)), draw(st.integers(5, 13)))
    layers = []
    for k in range(draw(st.integers(1, 3))):
        size = draw(st.integers(1, 3))
        block = [Conv2d(f"conv{k}", draw(st.integers(1, 2)), size), ReLU()]
        block += [MaxPool2d(draw(st.sampled_from([2, 2, 2, 3])))] * draw(st.integers(0, 1))
        after = shape
        for layer in block:
            after = layer.output_shape(after)
        if min(after) < 1:
            break
        layers, shape = layers + block, after
    return Architecture("drawn", image, (*layers, Flatten(), Linear("fc1", 3)))


def test_the_recipe_s_network():
    """Broken otherwise: weights of other implementations do not fit."""
    assert MNIST.weight_shapes() == {
        "net.conv1": (32, 1, 3, 3),
        "net.conv2": (64, 32, 3, 3),
        "net.fc1": (120, 1600),
        "net.fc2": (84, 120),
        "fc1": (1, 84),
    }
    assert MNIST.embedding_size == 84
    products = 26 * 26 * 32 * 9 + 11 * 11 * 64 * 32 * 9 + 120 * 1600 + 84 * 120
    assert MNIST.products() == products


def test_the_network_of_the_paper():
    """Broken otherwise: results are not to be compared with those of Koch et al."""
    assert KOCH.image_shape == (1, 105, 105)
    assert KOCH.weight_shapes() == {
        "net.conv1": (64, 1, 10, 10),
        "net.conv2": (128, 64, 7, 7),
        "net.conv3": (128, 128, 4, 4),
        "net.conv4": (256, 128, 4, 4),
        "net.fc1": (4096, 9216),
        "fc1": (1, 4096),
    }
    assert KOCH.parameter_count() == 38_951_745
    kinds = " ".join(type(layer).__name__ for layer in KOCH.layers)
    assert kinds == (
        "Scale Conv2d ReLU MaxPool2d Conv2d ReLU MaxPool2d Conv2d ReLU MaxPool2d Conv2d ReLU "
        "Flatten Linear Sigmoid"
    )


def test_a_network_is_found_by_its_name():
    """Broken otherwise: a run is read back as another network."""
    assert ARCHITECTURES == {"mnist": MNIST, "koch": KOCH, "modern": MODERN}
    assert MNIST.parameter_count() == 221_185
    assert MNIST.initialization is None


def test_fused_the_recipe_s_network_reads_what_it_needs():
    """Broken otherwise: rows are computed that pooling drops."""
    assert fuse(MNIST).layers == (
        ConvReLUPool("conv1", 32, 3, (26, 26)),
        ConvReLUPool("conv2", 64, 3, (12, 12)),
        *MNIST.layers[6:],
    )
    assert fuse(MNIST).weight_shapes() == MNIST.weight_shapes()
    assert fuse(MNIST).products() < MNIST.products()
    assert MNIST.products() == 2_627_040  # and the list itself is as it was


@pytest.mark.parametrize("rewritten", [lambda architecture: architecture, fuse])
@given(architecture=architectures())
def test_shapes_are_those_of_the_arrays(rewritten, architecture):
    """Broken otherwise: weights are drawn that do not fit, or costs are of another network."""
    listed = rewritten(architecture)
    net = Sequential(listed, parameters(listed))
    x = np.ones((2, *architecture.image_shape))
    for (described, shape), layer in zip(listed.with_shapes(), net.layers, strict=True):
        assert x.shape[1:] == shape
        x, _ = layer(x)
        assert x.shape[1:] == described.output_shape(shape)
    assert x.shape == (2, listed.embedding_size)
    assert listed.weight_shapes() == architecture.weight_shapes()


@given(architecture=architectures(), seed=st.integers(0, 9))
def test_fusing_changes_no_value_and_no_gradient(architecture, seed):
    """Broken otherwise: the fast path is another function than the list of layers."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, (3, *architecture.image_shape)).astype(float)
    textbook = Sequential(architecture, parameters(architecture, seed))
    fused = Sequential(fuse(architecture), parameters(architecture, seed))
    (y, pullback), (its_y, its_pullback) = textbook(x), fused(x)
    np.testing.assert_array_equal(its_y, y, strict=True)
    dy = rng.integers(-2, 3, y.shape).astype(float)
    (grads, dx), (its_grads, its_dx) = pullback(dy), its_pullback(dy)
    np.testing.assert_array_equal(its_dx, dx, strict=True)
    assert list(its_grads) == list(grads)
    for name, grad in grads.items():
        np.testing.assert_array_equal(its_grads[name], grad, strict=True)


@pytest.mark.parametrize(
    "layers",
    [
        (Conv2d("conv1", 2, 3), MaxPool2d(2), ReLU()),
        (Conv2d("conv1", 2, 3), ReLU(), MaxPool2d(3)),
        (Conv2d("conv1", 2, 3), ReLU()),
        (ReLU(), MaxPool2d(2)),
    ],
)
def test_other_layers_stay_as_they_are(layers):
    """Broken otherwise: a network is rewritten into another one."""
    assert fuse(Architecture("other", (1, 9, 9), layers)).layers == layers


def test_what_stands_between_keeps_a_layer_from_reading_less():
    """Broken otherwise: a layer in between is given too few rows."""
    between = Architecture("between", (1, 14, 14), (*FIRST, ReLU(), *SECOND))
    assert [layer.read for layer in fuse(between).layers if isinstance(layer, ConvReLUPool)] == [
        (14, 14),
        (6, 6),
    ]
    adjacent = Architecture("adjacent", (1, 17, 17), (*FIRST, *SECOND))
    assert [layer.read for layer in fuse(adjacent).layers] == [(14, 14), (6, 6)]


@pytest.mark.parametrize(
    "layers",
    [MNIST.layers, (*FIRST, *SECOND), (*FIRST, ReLU(), MaxPool2d(2)), (*FIRST, *FIRST[1:])],
)
def test_what_is_fused_is_not_fused_again(layers):
    """Broken otherwise: of two poolings after one convolution the second is lost."""
    once = fuse(Architecture("a", (1, 30, 30), layers))
    assert fuse(once) == once


def test_a_name_stands_for_one_layer():
    """Broken otherwise: two layers share their weights, and one of their gradients is lost."""
    with pytest.raises(ValueError, match="twice: two layers are named 'conv1'"):
        Architecture("twice", (1, 9, 9), (*FIRST, *FIRST))
    Architecture("head", (1, 9, 9), (Flatten(), Linear("fc1", 3)))


def test_products_are_multiplications():
    """Broken otherwise: a step's rate is told too high."""
    conv, linear = Conv2d("c", 5, 3), Linear("l", 7)
    assert conv.products((2, 6, 8)) == 4 * 6 * 5 * 2 * 9
    assert linear.products((11,)) == 77
    assert ReLU().products((2, 6, 8)) == MaxPool2d(2).products((2, 6, 8)) == 0
    assert ConvReLUPool("c", 5, 3, (6, 6)).products((2, 7, 8)) == 4 * 4 * 5 * prod((2, 3, 3))
    assert ConvReLUPool("c", 5, 3, (7, 6)).output_shape((2, 9, 9)) == (5, 2, 2)
