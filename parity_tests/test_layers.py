"""Every operation inside the two networks, on real digits, with the inputs that it had there."""

from collections import Counter

import numpy as np
import pytest
import torch

from numpy_siamese.model import SiameseNet
from numpy_siamese.parallel.blas import single_threaded_blas
from numpy_siamese.training import loss_and_gradients
from parity_tests.machinery.error_bounds import same_bits
from parity_tests.machinery.harness import (
    check_on_floats,
    numpy_results,
    torch_results,
    where_decided,
)
from parity_tests.machinery.ledger import LEDGER
from parity_tests.machinery.networks import draw_batch, torch_twin, trained
from parity_tests.machinery.recording import Call, numpy_calls, torch_calls
from parity_tests.operations import BY_NAME
from torch_siamese.training import loss_and_gradients as torch_loss_and_gradients

pytestmark = pytest.mark.slow

Array = np.ndarray

# two layers and linear, relu, linear for each twin; then the head and the loss
CALLS_OF_A_STEP = Counter(
    conv_relu_pool=4, relu=2, linear=5, l1_distance=1, sigmoid=1, binary_cross_entropy=1
)
TORCH_CALLS_OF_A_STEP = (
    CALLS_OF_A_STEP - Counter(conv_relu_pool=4) + Counter(conv2d=4, max_pool2d=4, relu=4)
)

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)
every_weights = pytest.mark.parametrize("steps", [0, 40], ids=["random", "trained"])


def record(net: SiameseNet, batch: tuple[Array, Array, Array]) -> tuple[list[Call], list[Call]]:
    """Run one step of both packages and return what each did."""
    with numpy_calls() as ours:
        loss_and_gradients(net, *batch, threads=1, micro_batch=len(batch[0]))
    with torch_calls() as recorder:
        torch_loss_and_gradients(torch_twin(net), *map(torch.tensor, batch))
    return ours, recorder.calls


@every_weights
@every_dtype
def test_every_operation_in_the_networks(dtype: type, steps: int) -> None:
    """On its own inputs each is the same bits as the other package's, or within γₙ·G of float64."""
    net = trained(steps, dtype)
    ours, theirs = record(net, draw_batch(24, dtype))
    assert Counter(call.name for call in ours) == CALLS_OF_A_STEP
    assert Counter(call.name for call in theirs) == TORCH_CALLS_OF_A_STEP
    count_branches(dtype, ours, theirs)
    for call in ours:
        operation = BY_NAME[call.name]
        with single_threaded_blas():  # as in the step
            again = numpy_results(operation, call.arrays, call.options, call.dy)
        for quantity, value in call.results.items():
            assert same_bits(value, again[quantity]).all(), f"{call.name} {quantity}"
        dy = where_decided(operation, call.arrays, call.dy)
        mine = numpy_results(operation, call.arrays, call.options, dy)
        other = torch_results(operation, call.arrays, call.options, dy)
        check_on_floats(operation, call.arrays, call.options, dy, mine, other)
    for call in theirs:
        operation = BY_NAME[call.name]
        other = numpy_results(operation, call.arrays, call.options, call.dy)
        other = {quantity: other[quantity] for quantity in call.results}
        check_on_floats(operation, call.arrays, call.options, call.dy, other, call.results)


def test_the_step_computes_no_more_than_it_needs() -> None:
    """Rows and columns that pooling drops are not read, the images' gradients not computed."""
    with numpy_calls() as calls:
        net = trained(0, np.float32)
        loss_and_gradients(net, *draw_batch(4, np.float32), threads=1, micro_batch=4)
    layers = [call for call in calls if call.name == "conv_relu_pool"]
    assert [call.arrays["x"].shape[2:] for call in layers] == [(26, 26), (12, 12)]
    assert ["dx" in call.results for call in layers] == [False, True]


def test_gradients_of_the_images_are_left_out_on_request() -> None:
    """`needs_input_grad=False` reaches both twins."""
    left, right, targets = draw_batch(4, np.float32)
    _, pullback = trained(0, np.float32)(left, right)
    assert pullback(targets, needs_input_grad=False)[1] == (None, None)


def count_branches(dtype: type, ours: list[Call], theirs: list[Call]) -> None:
    """Report how many branches of the layers hang on rounding, and how many signs differ."""
    name = f"{np.dtype(dtype).name}, digits"
    layers = [call for call in ours if call.name == "conv_relu_pool"]
    for layer in layers:
        undecided = BY_NAME["conv_relu_pool"].undecided(layer.arrays, 0.0)
        LEDGER.count_undecided(name, int(undecided.sum()), undecided.size)
    pooled = [call for call in theirs if call.name == "max_pool2d"]
    for a, b in zip(layers, pooled, strict=True):
        y = a.results["y"]
        read = b.results["y"][:, :, : y.shape[2], : y.shape[3]]
        LEDGER.count_different(name, int(((y > 0) != (read > 0)).sum()), y.size)
