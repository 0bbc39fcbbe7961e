"""The operations on all pairs where implementations like to differ: ties, NaN, certain verdicts."""

import numpy as np
import pytest
import torch

from numpy_siamese import functional as F
from parity_tests.machinery.error_bounds import same_bits
from parity_tests.machinery.harness import check_on_floats, numpy_results, torch_results
from parity_tests.operations import BY_NAME
from torch_siamese.functional import n_pair_loss, pairwise_l1_logits

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)

VALUES = [0.0, -0.0, 1.0, -1.0, 1e-40, -1e-40, np.inf, np.nan]


@every_dtype
def test_slopes_of_all_pairs_of_special_values(dtype: type) -> None:
    """At ties of both zeros, between subnormals, at ∞ and at NaN value and slope are torch's."""
    with np.errstate(under="ignore"):
        values = np.array(VALUES, dtype)
    for right in values:
        left, one = values[:, None], np.full((1, 1), right)
        with np.errstate(invalid="ignore"):  # ∞ − ∞
            y, pullback = F.pairwise_l1_logits(left, one, np.ones((1, 1), dtype))
        tensors = [torch.tensor(a, requires_grad=True) for a in (left, one)]
        expected = pairwise_l1_logits(*tensors, torch.ones(1, 1, dtype=tensors[0].dtype))
        expected.backward(torch.full_like(expected, 3))
        with np.errstate(invalid="ignore"):
            dleft, dright, *_ = pullback(np.full_like(y, 3))
        assert same_bits(y, expected.detach().numpy()).all()
        for ours, theirs in zip((dleft, dright), tensors, strict=True):
            assert same_bits(ours + 0.0, theirs.grad.numpy() + 0.0).all()


def confident(dtype: type, scale: float) -> dict[str, np.ndarray]:
    """Return logits with a high diagonal, and its targets."""
    logits = scale * np.linspace(0.5, 1.5, 5)[:, None] * np.eye(5)
    return {"logits": logits.astype(dtype), "target": np.eye(5, dtype=dtype)}


@every_dtype
@pytest.mark.parametrize("scale", [10, 30, 60])
def test_a_loss_next_to_nothing(scale: float, dtype: type) -> None:
    """Certain and right choices cost almost nothing, and that to full relative precision."""
    operation, arrays, dy = BY_NAME["n_pair_loss"], confident(dtype, scale), np.ones((), dtype)
    found = numpy_results(operation, arrays, {}, dy)
    assert 0 < found["y"] < 0.05
    check_on_floats(operation, arrays, {}, dy, found, torch_results(operation, arrays, {}, dy))


@every_dtype
def test_logits_far_out(dtype: type) -> None:
    """A wrong choice costs what its logit is above the right one's; e^x is never formed."""
    arrays = confident(dtype, 1e4)
    arrays["target"] = np.roll(arrays["target"], 1, axis=1)
    loss, pullback = F.n_pair_loss(**arrays)
    tensor = torch.tensor(arrays["logits"], requires_grad=True)
    expected = n_pair_loss(tensor, torch.tensor(arrays["target"]))
    expected.backward()
    # the diagonal is at 5,000, …, 15,000, and what is chosen at 0
    assert loss == expected.item() == 10_000
    assert (pullback(1.0)[0] == tensor.grad.numpy()).all()
    assert (pullback(1.0)[0] == (np.eye(5, dtype=dtype) - arrays["target"]) / dtype(5)).all()


@every_dtype
def test_where_all_are_partners_there_is_no_loss(dtype: type) -> None:
    """A row without a negative has the loss 0 and the gradient 0, not log 0."""
    ones = np.ones((2, 3), dtype)
    loss, pullback = F.n_pair_loss(np.arange(6, dtype=dtype).reshape(2, 3), ones)
    assert loss == 0
    assert (pullback(1.0)[0] == 0).all()
    tensor = torch.tensor(ones, requires_grad=True)
    expected = n_pair_loss(tensor, torch.tensor(ones))
    expected.backward()
    assert expected == 0
    assert (tensor.grad == 0).all()
