"""The weights of an exported network: read back, or refused in one line."""

import hashlib
import sys

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from numpy_siamese.errors import InputError
from numpy_siamese.files.onnx_file import WEIGHTS_SHA256, load_onnx
from numpy_siamese.files.tensors import weights_checksum
from numpy_siamese.tests.robustness.hostile_onnx import TINY, tiny_model, tiny_weights
from numpy_siamese.tests.support.written import assert_rejects

NAMES = ["net.fc1.weight", "net.fc1.bias", "fc1.weight", "fc1.bias"]


def read(path):
    return load_onnx(path, TINY)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.onnx"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_weights_come_back_in_the_order_of_the_state_dict(path, dtype):
    """Broken otherwise: a weight is rounded, or gets another's name."""
    model = tiny_model(dtype)
    model.graph.initializer.reverse()
    path.write_bytes(model.SerializeToString())
    found, expected = read(path), tiny_weights(dtype)
    assert list(found) == NAMES
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, strict=True)
        found[name][...] = 0  # a copy, that can be written


def rejects(path, model, *said):
    path.write_bytes(model.SerializeToString())
    assert_rejects(read, path, *said)


def test_an_empty_file_and_one_of_something_else_are_refused(path):
    """Broken otherwise: a download that failed is a network."""
    rejects(path, onnx.ModelProto(), "found 0 initializers and not 4")
    path.write_bytes(b"no protobuf")
    assert_rejects(read, path, "expected an ONNX file of torch-siamese export")


def test_other_networks_are_refused(path):
    """Broken otherwise: an array of another network is loaded, or a shape is wrong later on."""
    model = tiny_model()
    model.graph.initializer[0].name = "conv.weight"
    rejects(path, model, "conv.weight", "and not net.fc1.weight, net.fc1.bias, fc1.weight")
    model = tiny_model()
    model.graph.initializer[0].name = model.graph.initializer[1].name  # twice
    rejects(path, model, "found initializers named net.fc1.bias, fc1.weight, fc1.bias and not")
    model = tiny_model()
    model.graph.initializer.add().CopyFrom(model.graph.initializer[0])
    rejects(path, model, "found 5 initializers and not 4")
    model = tiny_model()
    model.graph.initializer[0].dims[:] = [3, 2]
    rejects(path, model, "net.fc1.weight of shape [3, 2] and not [2, 3]")
    path.write_bytes(tiny_model().SerializeToString())
    assert_rejects(load_onnx, path, "found 4 initializers and not 10")


def test_numbers_that_are_not_there_are_refused(path):
    """Broken otherwise: another file is opened, or memory is taken for what nobody sent."""
    model = tiny_model()
    tensor = model.graph.initializer[0]
    tensor.raw_data = tensor.raw_data[:-1]
    rejects(path, model, "net.fc1.weight with 23 bytes and not 24")
    model = tiny_model()
    tensor = model.graph.initializer[0]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    rejects(path, model, "net.fc1.weight with its numbers in another file")


def test_numbers_of_another_type_are_refused(path):
    """Broken otherwise: half precision is taken for single, or the network has two precisions."""
    model = tiny_model()
    half = np.ones((2, 3), np.float16)
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(half, NAMES[0]))
    rejects(path, model, "net.fc1.weight of type 10 and not float or double")
    model = tiny_model()
    double = np.ones((2, 3))
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(double, NAMES[0]))
    rejects(path, model, "found weights of float32 and of float64")
    model = tiny_model()
    infinite = np.full((2, 3), np.inf, np.float32)
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(infinite, NAMES[0]))
    rejects(path, model, "net.fc1.weight with values that are not finite")


def test_weights_are_those_of_the_checksum(path):
    """Broken otherwise: a bit that fell on the disk changes the verdicts, and nobody notices."""
    model = tiny_model()
    tensor = model.graph.initializer[2]
    tensor.raw_data = bytes([tensor.raw_data[0] ^ 1]) + tensor.raw_data[1:]
    told = weights_checksum(tiny_weights())
    rejects(path, model, "found weights of SHA-256 ", f"expected ['{told}'] as in its metadata")
    model = tiny_model()
    helper.set_model_props(model, {"threshold": "0.5"})
    rejects(path, model, "expected one as in its metadata")
    model = tiny_model()
    entry = model.metadata_props.add()
    entry.key, entry.value = WEIGHTS_SHA256, "0" * 64
    rejects(path, model, "as in its metadata")


def test_the_checksum_is_that_of_the_bytes_in_order_of_names():
    """Broken otherwise: who computes it anew, as the document says, finds another."""
    one, two = np.array([1.5, -2], ">f4"), np.arange(6.0).reshape(2, 3).T
    expected = hashlib.sha256(one.astype("<f4").tobytes() + two.astype("<f8").tobytes())
    assert weights_checksum({"b": two, "a": one}) == expected.hexdigest()


def test_without_onnx_one_line_says_how_to_get_it(path, monkeypatch):
    """Broken otherwise: who lacks the extra is shown a traceback."""
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match=r"found no package onnx, expected it from: pip install '"):
        read(path)
