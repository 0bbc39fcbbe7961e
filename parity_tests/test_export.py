"""What `torch-siamese export` writes computes in onnxruntime what NumPy's network computes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from numpy_siamese import functional as F
from numpy_siamese.architectures import KOCH, Architecture
from numpy_siamese.files.onnx_file import load_onnx
from numpy_siamese.model import SiameseNet
from numpy_siamese.tests.support.finished import write_finished_run
from numpy_siamese.tests.support.narrow import drawings, narrowed
from parity_tests.machinery.ball_arithmetic import BallNetwork
from parity_tests.machinery.error_bounds import LIBRARY_ERROR, Allowance, same_bits, unit_roundoff
from parity_tests.machinery.ledger import LEDGER, Explained
from parity_tests.machinery.networks import draw_batch, squashed_exactly, trained
from parity_tests.test_architectures import OTHERS
from parity_tests.test_network import integer_network
from torch_siamese import layers, onnx_graph
from torch_siamese.export import IR_VERSION, OPSET, export
from torch_siamese.onnx_graph import graph

Array = np.ndarray

DTYPES = [np.float32, np.float64]
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)

BATCHES = (7, 0, 1, 100, 2)
"""Sizes that one session takes, one after the other."""

NETWORK, RUNTIME = "exported SiameseNet", "onnxruntime"


@pytest.fixture
def exported(tmp_path: Path) -> Callable[[SiameseNet], Path]:
    """Return a function from a network to its ONNX file."""

    def file(net: SiameseNet) -> Path:
        run = write_finished_run(tmp_path / "run", net)
        export(run, tmp_path / "model.onnx")
        return tmp_path / "model.onnx"

    return file


def session(model: bytes) -> onnxruntime.InferenceSession:
    """Return the model as onnxruntime runs it on the CPU, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def judged(net: SiameseNet, left: Array, right: Array) -> dict[str, Array]:
    """Return what NumPy's network says of pairs, by the names of the outputs."""
    logit, _ = net.logits(net.embed(left), net.embed(right))
    return {"probability": F.sigmoid(logit)[0], "logit": logit}


@every_dtype
def test_it_is_exact_on_integers_for_every_batch_size(
    exported: Callable[[SiameseNet], Path], dtype: type
) -> None:
    """Broken otherwise: a layer is left out or turned, or N is fixed."""
    net, absolute = integer_network(dtype), integer_network(np.float64)
    for parameter in absolute.parameters().values():
        parameter[...] = abs(parameter)
    brightest = np.full((1, 1, 28, 28), 2.0)
    gauge = absolute.logits(2 * absolute.embed(brightest), 0 * absolute.embed(brightest))[0]
    assert gauge.max() < 2**24, "not exact in float32"

    runtime = session(exported(net).read_bytes())
    rng = np.random.default_rng(4)
    for N in BATCHES:
        left, right = rng.integers(0, 3, (2, N, 1, 28, 28)).astype(dtype)
        probability, logit = runtime.run(None, {"left": left, "right": right})
        assert probability.shape == logit.shape == (N, 1)
        assert N < 7 or len(np.unique(logit)) > 3, "tells nothing"
        ours = judged(net, left, right)["logit"] + 0.0
        LEDGER.exact(NETWORK, "logit (integers)", ours, logit + 0.0, RUNTIME)


@every_dtype
@pytest.mark.parametrize("architecture", OTHERS, ids=lambda a: a.name)
def test_other_networks_are_exact_on_integers(architecture: Architecture, dtype: type) -> None:
    """Broken otherwise: the graph is that of one network, and of no other list of layers."""
    net = SiameseNet(0, dtype, architecture=architecture)
    rng = np.random.default_rng(2)
    for parameter in net.parameters().values():
        parameter[...] = rng.integers(-1, 2, parameter.shape)
    model = onnx.helper.make_model(
        graph(architecture, net.state_dict()),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    runtime = session(model.SerializeToString())
    left, right = rng.integers(-1, 2, (2, 9, *architecture.image_shape)).astype(dtype)
    _, logit = runtime.run(None, {"left": left, "right": right})
    assert len(np.unique(logit)) > 3, "tells nothing"
    ours = judged(net, left, right)["logit"] + 0.0
    name = f"exported SiameseNet, {architecture.name}"
    LEDGER.exact(name, "logit (integers)", ours, logit + 0.0, RUNTIME)


@every_dtype
def test_a_network_that_ends_in_a_sigmoid_is_exact_on_integers(dtype: type) -> None:
    """Broken otherwise: the paper's network is exported without its scaling or its sigmoid."""
    architecture = narrowed(KOCH, 32)
    net = SiameseNet(0, dtype, architecture=architecture)
    squashed_exactly(net)
    model = onnx.helper.make_model(
        graph(architecture, net.state_dict()),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    left, right = drawings(12).reshape(2, 6, *KOCH.image_shape).astype(dtype)
    _, logit = session(model.SerializeToString()).run(None, {"left": left, "right": right})
    assert len(np.unique(logit)) > 3, "tells nothing"
    ours = judged(net, left, right)["logit"] + 0.0
    LEDGER.exact("exported SiameseNet, narrow koch", "logit (integers)", ours, logit + 0.0, RUNTIME)


def test_the_graph_has_every_layer_of_torch() -> None:
    """Broken otherwise: a network that can be trained cannot be exported."""
    assert onnx_graph.KINDS.keys() == layers.KINDS.keys()


@pytest.mark.slow
def test_float64_on_digits_is_explained(exported: Callable[[SiameseNet], Path]) -> None:
    """Logits and probabilities of either lie in the balls of a running error analysis."""
    net = trained(40, np.float64)
    runtime = session(exported(net).read_bytes())
    for N in (2, 7, 100):
        left, right, _ = (part[:N] for part in draw_batch(max(N, 2), np.float64))
        found = runtime.run(["probability", "logit"], {"left": left, "right": right})
        theirs = dict(zip(("probability", "logit"), found, strict=True))
        logit, probability = BallNetwork(net.state_dict(), unit_roundoff(np.float64)).judge(
            left, right
        )
        assert logit.radius.max() < 1e-7 * abs(logit.center).max(), "too wide to tell anything"
        balls = {"probability": probability, "logit": logit}
        for name, ours in judged(net, left, right).items():
            where = Explained(balls[name].center, balls[name].radius)
            LEDGER.explained(NETWORK, name, ours, theirs[name], where, RUNTIME)


EXACT = {
    "Abs": abs,
    "Flatten": lambda x: x.reshape(len(x), -1),
    "MaxPool": lambda x: F.max_pool2d(x, 2)[0],
    "Neg": np.negative,
    "Relu": lambda x: F.relu(x)[0],
}
"""Nodes that round nothing."""

ROUNDED = {
    "Add": (np.add, lambda a, b: a + b, 1),
    "Conv": (lambda *a: F.conv2d(*a)[0], lambda *a: F.conv2d(*map(abs, a))[0], None),
    "Exp": (np.exp, np.exp, LIBRARY_ERROR),
    "Gemm": (lambda *a: F.linear(*a)[0], lambda *a: F.linear(*map(abs, a))[0], None),
    "Reciprocal": (np.reciprocal, np.reciprocal, 1),
    "Sub": (np.subtract, lambda a, b: abs(a) + abs(b), 1),
}
"""Other nodes: the function, its gauge and its number of roundings, None where weights tell it."""


@pytest.mark.slow
def test_every_node_in_float32_is_within_its_bound(
    exported: Callable[[SiameseNet], Path],
) -> None:
    """On the inputs that it had on digits, each is within γₙ·G of float64, or exact.

    A worst case of five layers leaves float32 no digits. The session that shows what is between
    the nodes ends in the same bits as the one that does not.
    """
    model = onnx.load(exported(trained(40, np.float32)))
    outputs = [node.output[0] for node in model.graph.node]
    plain = session(model.SerializeToString())
    del model.graph.output[:]
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in outputs)
    left, right, _ = draw_batch(24, np.float32)
    images = {"left": left, "right": right}
    values = dict(
        zip(outputs, session(model.SerializeToString()).run(outputs, images), strict=True)
    )
    for name, value in zip(("probability", "logit"), plain.run(None, images), strict=True):
        assert same_bits(value, values[name]).all(), name
    values |= images
    values |= {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    seen = set()
    for node in model.graph.node:
        if node.op_type == "Constant":
            continue
        seen.add(node.op_type)
        inputs = [values[name] for name in node.input]
        theirs, operation = values[node.output[0]], f"ONNX {node.op_type}"
        if node.op_type in EXACT:
            LEDGER.exact(operation, "y", EXACT[node.op_type](*inputs), theirs, RUNTIME)
            continue
        function, gauge, n = ROUNDED[node.op_type]
        doubles = [value.astype(np.float64) for value in inputs]
        allowance = Allowance(n or inputs[1][0].size + 1, gauge(*doubles))
        ours = np.asarray(function(*inputs))
        LEDGER.bounded(operation, "y", ours, theirs, function(*doubles), allowance, RUNTIME)
    assert seen == EXACT.keys() | ROUNDED.keys()


@every_dtype
def test_both_packages_take_the_weights_back(
    exported: Callable[[SiameseNet], Path], dtype: type
) -> None:
    """Broken otherwise: a weight is rounded, turned or exchanged on the way."""
    net = SiameseNet(5, dtype)
    found = load_onnx(exported(net))
    other = SiameseNet(6, dtype)
    other.load_state_dict(found)
    assert list(found) == list(net.state_dict())
    for name, value in net.state_dict().items():
        assert same_bits(other.state_dict()[name], value).all(), name
