"""Which arrays of other libraries are taken: those that compute as NumPy's do, unmixed."""

import numpy as np
import pytest

from numpy_siamese import _arrays
from numpy_siamese import functional as F
from numpy_siamese.data.dataset import gather
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.inference import pair_probabilities
from numpy_siamese.model import SiameseNet
from numpy_siamese.optim import SGD
from numpy_siamese.tests.contracts.impostors import refusal
from numpy_siamese.tests.support.strict_array import StrictArray, asarray
from numpy_siamese.training import loss_and_gradients

ONE_KIND = "one kind of array for all"


def dispatching(*missing: str, **replaced: object) -> type:
    """Return a class with the protocols of NumPy and all members, but for some."""
    names = {*_arrays.PROTOCOLS, *_arrays.MEMBERS} - set(missing)
    members: dict[str, object] = {name: lambda *_: None for name in names} | replaced
    return type("Array", (), {"__module__": "library.core", **members})


def test_an_array_of_another_library_is_taken_as_it_is():
    """Broken otherwise: arrays of CuPy end at the door, or are copied to the host."""
    x = asarray(np.ones(3))
    assert _arrays.array("x", x) is x
    other = dispatching()()
    assert _arrays.array("x", other) is other


@pytest.mark.parametrize("missing", [*_arrays.PROTOCOLS, *_arrays.MEMBERS])
def test_what_lacks_a_part_of_it_is_refused(missing):
    """Broken otherwise: a Series, with one protocol, and Dask's array, without strides, pass."""
    assert refusal(lambda: _arrays.array("x", dispatching(missing)()), TypeError, "library") is None


@pytest.mark.parametrize("protocol", _arrays.PROTOCOLS)
def test_a_protocol_that_is_declined_is_none(protocol):
    """Broken otherwise: ``__array_ufunc__ = None``, which says "not me", is taken for a yes."""
    kind = dispatching(**{protocol: None})
    assert refusal(lambda: _arrays.array("x", kind()), TypeError, "library.Array") is None


def test_what_hands_all_on_to_an_array_is_refused():
    """Broken otherwise: a quantity with a unit has all members by ``__getattr__``, and passes."""
    hands_on = type("Quantity", (), {"__getattr__": lambda self, name: getattr(np.ones(3), name)})
    for protocol in _arrays.PROTOCOLS:
        setattr(hands_on, protocol, lambda *_: None)
    assert refusal(lambda: _arrays.array("x", hands_on()), TypeError, "Quantity") is None


def test_a_subclass_of_numpys_array_is_refused_whatever_it_implements():
    """Broken otherwise: astropy's quantities multiply their units into the weights."""
    kind = type("Quantity", (np.ndarray,), {name: lambda *_: None for name in _arrays.PROTOCOLS})
    assert not _arrays.follows_numpy(kind)
    assert refusal(lambda: _arrays.array("x", np.ones(3).view(kind)), TypeError, "Quantity") is None


NET = SiameseNet()
ON_DEVICE = NET.to(asarray)
IMAGE, TARGET = np.ones((1, 1, 28, 28), np.float32), np.ones((1, 1), np.float32)
DIGITS = np.zeros((2, 28, 28), np.uint8)
MATRIX = np.ones((2, 2), np.float32)

MIXED = {
    "operands": ("weight is a numpy.ndarray, but x a ", lambda: F.linear(asarray(MATRIX), MATRIX)),
    "operands, the other way": (
        "right is a numpy_siamese.StrictArray, but left a numpy.ndarray",
        lambda: F.l1_distance(MATRIX, asarray(MATRIX)),
    ),
    "a gradient": (
        "dy is a numpy.ndarray, but the output a ",
        lambda: F.relu(asarray(MATRIX))[1](MATRIX),
    ),
    "a gradient from the device": (
        "dy is a numpy_siamese.StrictArray, but the output a numpy.ndarray",
        lambda: F.relu(MATRIX)[1](asarray(MATRIX)),
    ),
    "images and weights": ("weight", lambda: NET.embed(asarray(IMAGE))),
    "weights and images": ("weight", lambda: ON_DEVICE.embed(IMAGE)),
    "twins": ("right", lambda: ON_DEVICE(asarray(IMAGE), IMAGE)),
    "embeddings": ("right", lambda: NET.compare(asarray(IMAGE[0, 0, :, :84]), IMAGE[0, 0])),
    "targets": ("targets", lambda: loss_and_gradients(NET, IMAGE, IMAGE, asarray(TARGET))),
    "an index": ("index", lambda: gather(DIGITS, asarray(np.arange(2)), np.float32)),
    "an index of pairs": (
        "index",
        lambda: pair_probabilities(NET, DIGITS, asarray(np.arange(2)), np.arange(2)),
    ),
    "weights to load": ("net.conv1.weight", lambda: NET.load_state_dict(ON_DEVICE.state_dict())),
    "a step": ("grads['a']", lambda: SGD({"a": asarray(MATRIX)}, 1).step({"a": MATRIX})),
    "a step, the other way": (
        "grads['a']",
        lambda: SGD({"a": MATRIX}, 1).step({"a": asarray(MATRIX)}),
    ),
}


@pytest.mark.parametrize("case", MIXED)
def test_two_libraries_in_one_call_are_refused(case):
    """Broken otherwise: the call fails deep within, after half of the work, and names no argument.

    Nothing is copied to the host unasked: that would be slow without a word.
    """
    words, call = MIXED[case]
    assert refusal(call, TypeError, words, ONE_KIND) is None


def test_a_network_goes_only_into_arrays():
    """Broken otherwise: weights become a list, or other numbers, and the first call fails."""
    refused = {
        "list": (lambda x: x.tolist(), TypeError, "converted must be a numpy.ndarray"),
        "dtype": (lambda x: asarray(x, np.float64), TypeError, "converted must be float32"),
        "shape": (lambda x: asarray(x[1:]), ValueError, "convert must return shape"),
        "axes": (lambda x: asarray(x[None]), ValueError, "convert must return shape"),
    }
    for name, (convert, kind, words) in refused.items():
        assert refusal(lambda c=convert: NET.to(c), kind, words) is None, name


def test_a_refused_load_changes_nothing():
    """Broken otherwise: half of the weights are loaded when one is of another library."""
    net, before = SiameseNet(1), SiameseNet(1)
    mixed = NET.state_dict() | {"fc1.bias": ON_DEVICE.state_dict()["fc1.bias"]}
    assert refusal(lambda: net.load_state_dict(mixed), TypeError, "fc1.bias", ONE_KIND) is None
    for name, weight in net.state_dict().items():
        np.testing.assert_array_equal(weight, before.state_dict()[name], strict=True)


def test_what_is_for_the_host_refuses_a_device():
    """Broken otherwise: labels on a device fail within a sampler, on a function it lacks."""
    on_device = asarray(np.array([0, 1, 0, 1]))
    for call in (
        lambda: PairSampler(on_device, 2, 0),
        lambda: _arrays.index("index", on_device, 4),
        lambda: _arrays.real("targets", on_device, np.float32),
    ):
        assert refusal(call, TypeError, "StrictArray", "Please use `.get()`") is None


def test_numpys_listings_go_where_the_images_are():
    """Broken otherwise: targets and indices, which a sampler draws in NumPy, are refused."""
    images = asarray(np.arange(2 * 784, dtype=np.uint8).reshape(2, 28, 28))
    for index in ([1, 0], np.array([1, 0]), asarray(np.array([1, 0]))):
        found = gather(images, index, np.float32)
        assert type(found) is StrictArray
        np.testing.assert_array_equal(found.get()[:, 0], images.get()[::-1])
    image = asarray(IMAGE)
    for targets in ([[1]], TARGET, asarray(TARGET)):
        loss, *_ = loss_and_gradients(ON_DEVICE, image, image, targets)
        assert loss == loss_and_gradients(NET, IMAGE, IMAGE, TARGET)[0]
