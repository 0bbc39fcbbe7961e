"""Layers: each is its operation, with gradients by name; a Sequential is one after the other."""

import numpy as np
import pytest

from numpy_siamese import architectures, layers
from numpy_siamese import functional as F
from numpy_siamese.architectures import Architecture, Conv2d, Flatten, Linear, ReLU

RNG = np.random.default_rng(0)
IMAGES = RNG.standard_normal((2, 3, 6, 7))


def weights(*shape):
    return RNG.standard_normal(shape), RNG.standard_normal(shape[:1])


def test_a_layer_with_weights_is_its_operation():
    """Broken otherwise: a gradient stands under another parameter's name."""
    rows = IMAGES[:, :, 0, 0]
    read = architectures.ConvReLUPool("c", 4, 3, (6, 6))
    for layer, operation, x, parameters in (
        (Conv2d("c", 4, 3), F.conv2d, IMAGES, weights(4, 3, 3, 3)),
        (Linear("l", 5), F.linear, rows, weights(5, 3)),
        (read, F.conv_relu_pool, IMAGES[..., :6], weights(4, 3, 3, 3)),
    ):
        y, pullback = layers.KINDS[type(layer)](layer, *parameters)(x)
        expected, its_pullback = operation(x, *parameters)
        np.testing.assert_array_equal(y, expected, strict=True)
        grads, dx = pullback(np.ones_like(y))
        assert list(grads) == [f"{layer.name}.weight", f"{layer.name}.bias"]
        for found, gradient in zip(
            (dx, *grads.values()), its_pullback(np.ones_like(y)), strict=True
        ):
            np.testing.assert_array_equal(found, gradient, strict=True)


@pytest.mark.parametrize(
    ("layer", "operation"),
    [
        (architectures.ReLU(), F.relu),
        (architectures.Sigmoid(), F.sigmoid),
        (architectures.MaxPool2d(3), lambda x: F.max_pool2d(x, 3)),
    ],
)
def test_a_layer_without_weights_is_its_operation(layer, operation):
    """Broken otherwise: the textbook path is another network."""
    y, pullback = layers.KINDS[type(layer)](layer)(IMAGES)
    expected, its_pullback = operation(IMAGES)
    np.testing.assert_array_equal(y, expected, strict=True)
    grads, dx = pullback(y)
    assert grads == {}
    np.testing.assert_array_equal(dx, *its_pullback(y), strict=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scale_is_a_product_with_the_rounded_factor(dtype):
    """Broken otherwise: the packages round the factor in different places."""
    x = IMAGES.astype(dtype)
    y, pullback = layers.Scale(architectures.Scale(1 / 255))(x)
    np.testing.assert_array_equal(y, x * dtype(1 / 255), strict=True)
    grads, dx = pullback(x)
    assert grads == {}
    np.testing.assert_array_equal(dx, y, strict=True)
    assert layers.Scale(architectures.Scale(1 / 255))(dtype([255]))[0] == 1


def test_scale_says_nothing_of_underflow():
    """Broken otherwise: whoever asks NumPy for errors cannot train such a network."""
    with np.errstate(all="raise"):
        layers.Scale(architectures.Scale(1e-30))(np.float32([1e-30]))


def test_what_nothing_is_learned_before_gets_no_gradient():
    """Broken otherwise: each step computes the gradient of the images behind a scaling."""
    described = Architecture(
        "s", (3, 6, 7), (architectures.Scale(2.0), Conv2d("c", 2, 3), ReLU(), Flatten())
    )
    arrays = dict(zip(("c.weight", "c.bias"), weights(2, 3, 3, 3), strict=True))
    net, asked = layers.Sequential(described, arrays), []
    convolve = net.layers[1]

    def asking(x, needs_pullback=True):
        y, pullback = convolve(x, needs_pullback)

        def asked_pullback(dy, needs_input_grad=True):
            asked.append(needs_input_grad)
            return pullback(dy, needs_input_grad)

        return y, asked_pullback

    net.layers[1] = asking
    y, pullback = net(IMAGES)
    grads, dx = pullback(y)
    its_grads, its_dx = pullback(y, needs_input_grad=False)
    assert asked == [True, False]
    assert its_dx is None
    expected, conv = F.conv2d(2 * IMAGES, *arrays.values())
    of_y = y.reshape(expected.shape) * (expected > 0)
    np.testing.assert_array_equal(dx, 2 * conv(of_y)[0], strict=True)
    for name, grad in grads.items():
        np.testing.assert_array_equal(its_grads[name], grad, strict=True)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 0, 1, 2)])
def test_flatten_is_channel_major_whatever_the_memory_looks_like(order):
    """Broken otherwise: weights of PyTorch's network mean other pixels."""
    lain = np.ascontiguousarray(np.moveaxis(IMAGES, 0, -1)) if order[0] else IMAGES
    x = np.moveaxis(lain, -1, 0) if order[0] else lain
    y, pullback = layers.Flatten(Flatten())(x)
    np.testing.assert_array_equal(y, IMAGES.reshape(2, -1), strict=True)
    grads, dx = pullback(y)
    assert grads == {}
    np.testing.assert_array_equal(dx, IMAGES, strict=True)
    assert np.shares_memory(y, x) == bool(order[0])


def test_what_is_not_read_has_no_gradient():
    """Broken otherwise: an image's gradient has another shape than the image, or is no zero."""
    layer = architectures.ConvReLUPool("c", 4, 3, (4, 4))
    y, pullback = layers.ConvReLUPool(layer, *weights(4, 3, 3, 3))(IMAGES)
    _, dx = pullback(np.ones_like(y))
    assert dx.shape == IMAGES.shape
    assert dx[:, :, :4, :4].any()
    assert not dx[:, :, 4:].any()
    assert not dx[:, :, :, 4:].any()
    assert pullback(np.ones_like(y), needs_input_grad=False)[1] is None


def sequential():
    described = Architecture("s", (3, 6, 7), (Conv2d("c", 2, 3), ReLU(), Flatten(), Linear("l", 5)))
    arrays = dict(zip(("c.weight", "c.bias"), weights(2, 3, 3, 3), strict=True))
    arrays |= dict(zip(("l.weight", "l.bias"), weights(5, 40), strict=True))
    return layers.Sequential(described, arrays), arrays


def test_a_sequential_is_its_layers_one_after_the_other():
    """Broken otherwise: a layer is left out, forward or backward."""
    net, arrays = sequential()
    assert net.parameters() == arrays
    assert all(net.parameters()[name] is array for name, array in arrays.items())
    y1, conv2d = F.conv2d(IMAGES, arrays["c.weight"], arrays["c.bias"])
    y2, relu = F.relu(y1)
    expected, linear = F.linear(y2.reshape(2, -1), arrays["l.weight"], arrays["l.bias"])
    y, pullback = net(IMAGES)
    np.testing.assert_array_equal(y, expected, strict=True)
    dy = RNG.standard_normal(y.shape)
    d, *of_linear = linear(dy)
    dx, *of_conv = conv2d(*relu(d.reshape(y2.shape)))
    grads, found = pullback(dy)
    np.testing.assert_array_equal(found, dx, strict=True)
    assert list(grads) == list(arrays)
    for gradient, right in zip(grads.values(), (*of_conv, *of_linear), strict=True):
        np.testing.assert_array_equal(gradient, right, strict=True)


def test_a_sequential_leaves_out_what_is_not_needed():
    """Broken otherwise: inference keeps the arrays of every layer."""
    net, _ = sequential()
    y, pullback = net(IMAGES)
    alone, nothing = net(IMAGES, needs_pullback=False)
    assert nothing is None
    np.testing.assert_array_equal(alone, y, strict=True)
    grads, dx = pullback(y)
    its_grads, its_dx = pullback(y, needs_input_grad=False)
    assert dx is not None
    assert its_dx is None
    for name, grad in grads.items():
        np.testing.assert_array_equal(its_grads[name], grad, strict=True)


def test_only_the_first_layer_leaves_out_its_input_s_gradient():
    """Broken otherwise: the gradient of the images is computed at every step, and thrown away."""
    net, _ = sequential()
    asked = []

    def asking(layer):
        def layer_and_pullback(x, needs_pullback=True):
            y, pullback = layer(x, needs_pullback)

            def asked_pullback(dy, needs_input_grad=True):
                asked.append(needs_input_grad)
                return pullback(dy, needs_input_grad)

            return y, asked_pullback

        return layer_and_pullback

    net.layers[:] = map(asking, net.layers)
    y, pullback = net(IMAGES)
    pullback(y)
    pullback(y, needs_input_grad=False)
    assert asked == [True] * 4 + [True] * 3 + [False]
