"""Every operation inside the two networks, on real digits, with the inputs that it had there."""

from collections import Counter

import numpy as np
import pytest
import torch

from numpy_siamese.model import SiameseNet
from numpy_siamese.training import loss_and_gradients
from parity_tests.harness import check_on_floats, numpy_results, torch_results
from parity_tests.layers import Call, numpy_calls, torch_calls
from parity_tests.ledger import LEDGER
from parity_tests.networks import draw_batch, torch_twin, trained
from parity_tests.operations import BY_NAME
from torch_siamese.training import loss_and_gradients as torch_loss_and_gradients

Array = np.ndarray

# conv, pool, relu twice and linear, relu, linear for each twin; then the head and the loss
CALLS_OF_A_STEP = Counter(
    conv2d=4, max_pool2d=4, relu=6, linear=5, l1_distance=1, sigmoid=1, binary_cross_entropy=1
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
    assert Counter(call.name for call in theirs) == CALLS_OF_A_STEP
    count_branches(dtype, ours, theirs)
    for call in ours:
        operation = BY_NAME[call.name]
        other = torch_results(operation, call.arrays, call.options, call.dy)
        check_on_floats(operation, call.arrays, call.options, call.dy, call.results, other)
    for call in theirs:
        operation = BY_NAME[call.name]
        other = numpy_results(operation, call.arrays, call.options, call.dy)
        other = {quantity: other[quantity] for quantity in call.results}
        check_on_floats(operation, call.arrays, call.options, call.dy, other, call.results)


def test_the_step_computes_no_more_than_it_needs() -> None:
    """The row and column that pooling drops are not read, the images' gradients not computed."""
    with numpy_calls() as calls:
        net = trained(0, np.float32)
        loss_and_gradients(net, *draw_batch(4, np.float32), threads=1, micro_batch=4)
    convolutions = [call for call in calls if call.name == "conv2d"]
    sizes = [call.arrays["x"].shape[2:] for call in convolutions]
    assert sizes == [(28, 28), (12, 12)] * 2
    assert ["dx" in call.results for call in convolutions] == [False, True] * 2


def test_gradients_of_the_images_are_left_out_on_request() -> None:
    """`needs_input_grad=False` reaches both twins."""
    left, right, targets = draw_batch(4, np.float32)
    _, pullback = trained(0, np.float32)(left, right)
    assert pullback(targets, needs_input_grad=False)[1] == (None, None)


def count_branches(dtype: type, ours: list[Call], theirs: list[Call]) -> None:
    """Report how often a ReLU or a maximum that hangs on the last bit was decided differently."""
    for a, b in zip(convolutions(ours), convolutions(theirs), strict=True):
        for branches in (lambda y: y > 0, winners):
            chosen, other = branches(pooled_part(a)), branches(pooled_part(b))
            LEDGER.count_different(np.dtype(dtype).name, int((chosen != other).sum()), chosen.size)


def convolutions(calls: list[Call]) -> list[Array]:
    """Return the outputs of the convolutions in order: left conv1, conv2, right conv1, conv2."""
    return [call.results["y"] for call in calls if call.name == "conv2d"]


def pooled_part(y: Array) -> Array:
    """Cut off the row and column that pooling drops."""
    return y[:, :, : y.shape[2] // 2 * 2, : y.shape[3] // 2 * 2]


def winners(y: Array) -> Array:
    """Return for each 2×2 window the number of its first maximum."""
    N, C, H, W = y.shape
    windows = y.reshape(N, C, H // 2, 2, W // 2, 2).transpose(0, 1, 2, 4, 3, 5)
    return windows.reshape(N, C, H // 2, W // 2, 4).argmax(axis=-1)
