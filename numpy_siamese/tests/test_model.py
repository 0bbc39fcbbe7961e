"""The network: its two paths, its parameters, and architectures other than the recipe's."""

import numpy as np
import pytest

from numpy_siamese.architectures import (
    MNIST,
    Architecture,
    Conv2d,
    Flatten,
    Linear,
    MaxPool2d,
    ReLU,
)
from numpy_siamese.layers import Conv2d as Conv2dLayer
from numpy_siamese.layers import ConvReLUPool
from numpy_siamese.model import SiameseNet

SMALL = Architecture(
    "small", (2, 9, 8), (Conv2d("conv1", 3, 2), ReLU(), MaxPool2d(2), Flatten(), Linear("fc1", 5))
)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("fused", [True, False])
def test_parameters_are_views_of_one_buffer_in_order(fused, dtype):
    """Broken otherwise: an optimiser that walks the buffer misses a parameter."""
    parameters = SiameseNet(0, dtype, fused).parameters()
    (buffer,) = {id(p.base): p.base for p in parameters.values()}.values()
    assert buffer.shape == (sum(p.size for p in parameters.values()),)
    np.testing.assert_array_equal(np.concatenate([p.ravel() for p in parameters.values()]), buffer)
    assert all(p.flags.c_contiguous and p.dtype == dtype for p in parameters.values())
    first = buffer.__array_interface__["data"][0]
    places = [p.__array_interface__["data"][0] - first for p in parameters.values()]
    ends = np.cumsum([p.nbytes for p in parameters.values()])
    assert places == [0, *ends[:-1]]


def test_both_paths_have_the_same_weights_and_different_layers():
    """Broken otherwise: the textbook path is the fused one, or another network."""
    fused, textbook = SiameseNet(5), SiameseNet(5, fused=False)
    assert list(fused.state_dict()) == list(textbook.state_dict())
    for name, parameter in fused.state_dict().items():
        np.testing.assert_array_equal(textbook.state_dict()[name], parameter, strict=True)
    assert [type(layer) for layer in fused.net.layers[:2]] == [ConvReLUPool, ConvReLUPool]
    assert len(textbook.net.layers) == len(MNIST.layers)
    assert isinstance(textbook.net.layers[0], Conv2dLayer)


@pytest.mark.parametrize("fused", [True, False])
def test_another_architecture_is_a_list(fused):
    """Broken otherwise: something of the recipe's network is written down elsewhere."""
    net = SiameseNet(0, np.float64, fused, SMALL)
    assert {name: p.shape for name, p in net.parameters().items()} == {
        "net.conv1.weight": (3, 2, 2, 2),
        "net.conv1.bias": (3,),
        "net.fc1.weight": (5, 36),
        "net.fc1.bias": (5,),
        "fc1.weight": (1, 5),
        "fc1.bias": (1,),
    }
    left, right = np.random.default_rng(0).random((2, 3, 2, 9, 8))
    probs, pullback = net(left, right)
    grads, (dleft, dright) = pullback(np.ones_like(probs))
    assert probs.shape == (3, 1)
    assert dleft.shape == dright.shape == left.shape
    for name, parameter in net.parameters().items():
        assert grads[name].shape == parameter.shape
    with pytest.raises(ValueError, match=r"images must be \(N, 2, 9, 8\), got \(3, 2, 9, 9\)"):
        net.embed(np.ones((3, 2, 9, 9)))
    with pytest.raises(ValueError, match=r"left must be \(N, 5\), got \(3, 4\)"):
        net.compare(np.ones((3, 4)), np.ones((3, 4)))


def test_a_dict_of_the_parameters_is_the_caller_s():
    """Broken otherwise: who takes a name out of a state dict takes it out of the network."""
    net = SiameseNet(0)
    for found in (net.parameters, net.state_dict, net.net.parameters):
        names = list(found())
        found().clear()
        assert list(found()) == names


def test_what_is_no_bool_is_refused():
    """Broken otherwise: SiameseNet(0, np.float32, MNIST) is fused, and of the default list."""
    with pytest.raises(TypeError, match="fused must be a bool"):
        SiameseNet(0, np.float32, MNIST)
