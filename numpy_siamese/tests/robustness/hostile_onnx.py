"""Exported networks as an enemy or a bad disk would have them."""

import functools
from random import Random
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import helper, numpy_helper

from numpy_siamese.architectures import Architecture, Flatten, Linear
from numpy_siamese.files.onnx_file import WEIGHTS_SHA256, load_onnx
from numpy_siamese.files.tensors import weights_checksum
from numpy_siamese.tests.robustness.spoiling import INTERESTING, Reader

TINY = Architecture("tiny", (1, 1, 3), (Flatten(), Linear("fc1", 2)))
"""A network that is small enough to be spoilt in every byte."""


def tiny_weights(dtype: Any = np.float32) -> dict[str, np.ndarray]:
    numbers = np.arange(1, 12, dtype=dtype)
    return {
        "net.fc1.weight": numbers[:6].reshape(2, 3),
        "net.fc1.bias": numbers[6:8],
        "fc1.weight": numbers[8:10].reshape(1, 2),
        "fc1.bias": numbers[10:],
    }


def tiny_model(dtype: Any = np.float32) -> Any:
    """Return a file's model with these weights: initializers, a node and metadata."""
    weights = tiny_weights(dtype)
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    images = helper.make_tensor_value_info("left", kind, ["N", 1, 1, 3])
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["left"], ["probability"])],
        "tiny",
        [images],
        [helper.make_tensor_value_info("probability", kind, ["N", 3])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, producer_name="torch-siamese", ir_version=8)
    told = {"threshold": "0.5", WEIGHTS_SHA256: weights_checksum(weights)}
    helper.set_model_props(model, told)
    return model


def model_with_shape(shape: list[int]) -> bytes:
    """Return a file whose first weight is said to have another shape."""
    model = tiny_model()
    model.graph.initializer[0].dims[:] = shape
    return model.SerializeToString()


@functools.cache
def _seeds() -> list[bytes]:
    return [tiny_model(dtype).SerializeToString() for dtype in (np.float32, np.float64)]


def _change(random: Random, content: bytes) -> bytes:
    """Change a tensor, the list of them, or the metadata; or nest without end."""
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
        tensors, what = model.graph.initializer, random.randint(0, 7)
        if what == 0:
            del model.metadata_props[random.randrange(len(model.metadata_props)) :]
        elif what == 1:
            text = random.choice(["", "\n", "0" * 64, "x" * 3000, "\x1b[2J"])
            helper.set_model_props(model, {WEIGHTS_SHA256: text})
        elif what == 2:
            model.graph.initializer.add().CopyFrom(random.choice(tensors))
        elif what == 3:
            deep = random.choice([50, 200, 20_000])
            return content + b"\x3a\x02" * deep + b"\x0a\x00" * deep
        elif tensors:
            _change_tensor(random, random.choice(tensors))
        return model.SerializeToString()
    except (DecodeError, ValueError, IndexError):
        return content


def _change_tensor(random: Random, tensor: Any) -> None:
    what = random.randint(0, 6)
    if what == 0:
        tensor.name = random.choice(["", "\n", "fc1.weight", "net.conv1.weight", "x" * 3000])
    elif what == 1:
        tensor.data_type = random.choice([0, 1, 6, 7, 8, 10, 11, 14, 17, 23])
    elif what == 2:
        del tensor.dims[:]
        sizes = [-1, 0, 1, 2, 3, 2**31, 2**62, 2**63 - 1]
        tensor.dims.extend(random.choice(sizes) for _ in range(random.choice([0, 1, 2, 3, 3000])))
    elif what == 3:
        tensor.raw_data = random.randbytes(random.choice([0, 1, 4, 8, 24, 48]))
    elif what == 4:
        tensor.data_location = onnx.TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", random.choice(["/etc/passwd", "../x", "\0", ""])
    elif what == 5:
        tensor.ClearField("raw_data")
        tensor.float_data.extend([0.5] * random.choice([1, 2, 6, 10_000]))
    else:
        tensor.raw_data = np.full(6, random.choice([np.nan, np.inf, 1e300])).tobytes()
        tensor.doc_string = str(random.choice(INTERESTING))


def _check(content: bytes, found: dict[str, np.ndarray]) -> None:
    model = onnx.ModelProto.FromString(content)
    stored = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    assert found.keys() == stored.keys() == tiny_weights().keys()
    for name, value in found.items():
        assert value.dtype in (np.float32, np.float64)
        np.testing.assert_array_equal(value, stored[name], strict=True)
        assert np.isfinite(value).all()


READERS = {"onnx": Reader(lambda path: load_onnx(path, TINY), _seeds, _change, _check)}
