"""The network as an ONNX graph, built from the list of layers in `numpy_siamese.architectures`."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from numpy_siamese import architectures
from numpy_siamese.architectures import Architecture, Shape
from numpy_siamese.files.onnx_file import onnx_package

Array = np.ndarray

LEFT, RIGHT = "left", "right"
"""The inputs, each (N, C, H, W)."""

PROBABILITY, LOGIT = "probability", "logit"
"""The outputs, each (N, 1)."""


class Nodes:
    """The nodes of a graph in order. Each has one output, and its name.

    Parameters
    ----------
    dtype : numpy.dtype
        Of all numbers that are not indices.
    """

    def __init__(self, dtype: np.dtype) -> None:
        from onnx import helper, numpy_helper

        self.dtype = dtype
        self.list: list[Any] = []
        self._make_node, self._from_array = helper.make_node, numpy_helper.from_array
        self._names: set[str] = set()

    def add(self, op: str, inputs: list[str], name: str, **attributes: Any) -> str:
        """Add a node, if there is none of this name yet, and return its output."""
        if name not in self._names:
            self._names.add(name)
            self.list.append(self._make_node(op, inputs, [name], name, **attributes))
        return name

    def constant(self, name: str, value: Any, dtype: Any = np.int64) -> str:
        """Add a node that holds numbers, and return its output."""
        return self.add("Constant", [], name, value=self._from_array(np.array(value, dtype)))


def graph(architecture: Architecture, weights: Mapping[str, Array]) -> Any:
    """Return the network p = sigmoid(fc1(|net(left) − net(right)|)) as a `GraphProto`.

    Parameters
    ----------
    architecture : Architecture
        Not fused.
    weights : mapping of name → array
        In the order of the state dict. They become the initializers, shared by both twins.

    Returns
    -------
    onnx.GraphProto
        Inputs `left` and `right` (N, C, H, W), outputs `probability` and `logit` (N, 1), all of the
        weights' dtype. N may be any number, also 0.
    """
    onnx_package()
    from onnx import helper, numpy_helper

    dtype = next(iter(weights.values())).dtype
    kind = helper.np_dtype_to_tensor_dtype(dtype)
    nodes = Nodes(dtype)
    twins = [_embedding(nodes, architecture, side) for side in (LEFT, RIGHT)]
    difference = nodes.add("Sub", twins, "difference")
    distance = nodes.add("Abs", [difference], "distance")
    head = list(architecture.head.parameter_names)
    logit = nodes.add("Gemm", [distance, *head], LOGIT, transB=1)
    _sigmoid(nodes, logit, PROBABILITY)
    image: list[Any] = ["N", *architecture.image_shape]
    verdict: list[Any] = ["N", architecture.head.out_features]
    return helper.make_graph(
        nodes.list,
        f"siamese_{architecture.name}",
        [helper.make_tensor_value_info(side, kind, image) for side in (LEFT, RIGHT)],
        [helper.make_tensor_value_info(name, kind, verdict) for name in (PROBABILITY, LOGIT)],
        [numpy_helper.from_array(np.ascontiguousarray(w), name) for name, w in weights.items()],
    )


def _embedding(nodes: Nodes, architecture: Architecture, side: str) -> str:
    """Add one twin, from its image to its embedding."""
    x = side
    for place, (layer, shape) in enumerate(architecture.with_shapes()):
        name = f"{side}.net.{getattr(layer, 'name', place)}"
        x = KINDS[type(layer)](nodes, layer, shape, x, name)
    return x


def _conv2d(nodes: Nodes, layer: architectures.Conv2d, shape: Shape, x: str, name: str) -> str:
    """Convolve. In float64, which onnxruntime's `Conv` lacks, as one matrix product.

    There the pixels of all windows are gathered, a row for each, (N, P·Q, C·K·K). The transposed
    kernels multiply them.
    """
    weight, bias = (f"net.{parameter}" for parameter in layer.parameter_names)
    if nodes.dtype == np.float32:
        return nodes.add("Conv", [x, weight, bias], name)
    (C, H, W), (O, P, Q), K = shape, layer.output_shape(shape), layer.kernel_size
    pixels = np.arange(H * W).reshape(H, W)
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (K, K))  # (P, Q, K, K)

    def reshaped(x: str, sizes: list[int], name: str) -> str:  # 0 keeps a size, such as N
        return nodes.add("Reshape", [x, nodes.constant(f"{name}.shape", sizes)], name)

    def transposed(x: str, axes: list[int], name: str) -> str:
        return nodes.add("Transpose", [x], name, perm=axes)

    shared = f"net.{layer.name}"
    index = nodes.constant(f"{shared}.pixels", windows.reshape(P * Q, K * K), np.int32)
    kernels = reshaped(weight, [O, C * K * K], f"{shared}.rows")
    kernels = transposed(kernels, [1, 0], f"{shared}.columns")  # (C·K·K, O)
    x = reshaped(x, [0, C, H * W], f"{name}.pixels")
    x = nodes.add("Gather", [x, index], f"{name}.gathered", axis=2)  # (N, C, P·Q, K·K)
    x = transposed(x, [0, 2, 1, 3], f"{name}.windows")
    x = reshaped(x, [0, P * Q, C * K * K], f"{name}.rows")
    y = nodes.add("MatMul", [x, kernels], f"{name}.product")  # (N, P·Q, O)
    y = nodes.add("Add", [y, bias], f"{name}.sum")
    return reshaped(transposed(y, [0, 2, 1], f"{name}.maps"), [0, O, P, Q], name)


def _max_pool2d(
    nodes: Nodes, layer: architectures.MaxPool2d, shape: Shape, x: str, name: str
) -> str:
    sizes = [layer.kernel_size] * 2
    return nodes.add("MaxPool", [x], name, kernel_shape=sizes, strides=sizes)


def _scale(nodes: Nodes, layer: architectures.Scale, shape: Shape, x: str, name: str) -> str:
    factor = nodes.constant(f"{name.partition('.')[2]}.factor", layer.factor, nodes.dtype)
    return nodes.add("Mul", [x, factor], name)


def _linear(nodes: Nodes, layer: architectures.Linear, shape: Shape, x: str, name: str) -> str:
    parameters = [f"net.{parameter}" for parameter in layer.parameter_names]
    return nodes.add("Gemm", [x, *parameters], name, transB=1)


def _sigmoid(nodes: Nodes, x: str, name: str) -> str:
    """Add 1 / (1 + exp(−x)), step by step.

    In float32 onnxruntime's `Sigmoid` gives 1 + 2⁻²³ for large logits, which is no probability. For
    small ones it errs by a multiple of the result.
    """
    one = nodes.constant("one", 1, nodes.dtype)
    power = nodes.add("Exp", [nodes.add("Neg", [x], f"{name}.negated")], f"{name}.power")
    return nodes.add("Reciprocal", [nodes.add("Add", [one, power], f"{name}.sum")], name)


KINDS: dict[type[architectures.Layer], Callable[[Nodes, Any, Shape, str, str], str]] = {
    architectures.Conv2d: _conv2d,
    architectures.ReLU: lambda nodes, layer, shape, x, name: nodes.add("Relu", [x], name),
    architectures.Sigmoid: lambda nodes, layer, shape, x, name: _sigmoid(nodes, x, name),
    architectures.Scale: _scale,
    architectures.MaxPool2d: _max_pool2d,
    architectures.Flatten: lambda nodes, layer, shape, x, name: nodes.add("Flatten", [x], name),
    architectures.Linear: _linear,
    architectures.Projection: _linear,
}
"""What adds the nodes of each kind of layer, given its input shape for one image, input and name.

`ConvReLUPool` has none: only NumPy runs a fused list.
"""
