"""What the operations that `torch.nn.functional` lacks refuse; `parity_tests` has the numbers."""

import pytest
import torch

from numpy_siamese.tests.contracts.impostors import refusal
from torch_siamese.functional import n_pair_loss, pairwise_l1_logits

SIDES, WEIGHT, BIAS = torch.rand(2, 3), torch.rand(1, 3), torch.rand(1)

REFUSED = {
    ("left", "(N, E)", "(3,)"): lambda: pairwise_l1_logits(SIDES[0], SIDES, WEIGHT),
    ("right", "(N, E)", "(3,)"): lambda: pairwise_l1_logits(SIDES, SIDES[0], WEIGHT),
    ("right", "(M, 3)", "(2, 2)"): lambda: pairwise_l1_logits(SIDES, SIDES[:, 1:], WEIGHT),
    ("weight", "(1, 3)", "(2, 3)"): lambda: pairwise_l1_logits(SIDES, SIDES, SIDES),
    ("bias", "(1,)", "(3,)"): lambda: pairwise_l1_logits(SIDES, SIDES, WEIGHT, SIDES[0]),
    ("logits", "(N, M)", "(3,)"): lambda: n_pair_loss(SIDES[0], SIDES[0]),
    ("logits", "non-empty", "(0, 3)"): lambda: n_pair_loss(SIDES[:0], SIDES[:0]),
    ("logits (2, 3)", "target (2, 2)"): lambda: n_pair_loss(SIDES, SIDES[:, 1:]),
}


@pytest.mark.parametrize("parts", REFUSED, ids=" ".join)
def test_shapes_that_do_not_fit(parts):
    """Broken otherwise: one side is broadcast over the other, and the loss is of other pairs."""
    assert refusal(REFUSED[parts], ValueError, *parts) is None


def test_a_bias_is_a_tensor():
    """Broken otherwise: a bias of NumPy is added on the host, or fails within."""
    for bias in (BIAS.numpy(), 1.0):
        call = lambda bias=bias: pairwise_l1_logits(SIDES, SIDES, WEIGHT, bias)  # noqa: E731
        assert refusal(call, TypeError, "bias must") is None


def test_a_row_without_a_partner_has_an_infinite_loss():
    """Broken otherwise: a batch that nobody can learn from passes for one of little loss."""
    assert n_pair_loss(SIDES, torch.tensor([[1.0, 1, 1], [0, 0, 0]])).isposinf()
