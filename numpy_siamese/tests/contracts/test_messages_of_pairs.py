"""What a refusal of the operations on all pairs says."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numpy_siamese import definitions
from numpy_siamese import functional as F
from numpy_siamese.tests.contracts.impostors import refusal
from numpy_siamese.tests.contracts.test_messages import a, half

MESSAGES: dict[tuple[str, ...], Callable[[], Any]] = {
    ("left", "(N, E)", "(3,)"): lambda: F.pairwise_l1_logits(a(3), a(2, 3), a(1, 3)),
    ("right", "(N, E)", "(3,)"): lambda: F.pairwise_l1_logits(a(2, 3), a(3), a(1, 3)),
    ("right", "(M, 3)", "left", "(N, 3)", "(2, 4)"): lambda: F.pairwise_l1_logits(
        a(2, 3), a(2, 4), a(1, 3)
    ),
    ("weight", "(1, 3)", "(3,)"): lambda: F.pairwise_l1_logits(a(2, 3), a(2, 3), a(3)),
    ("bias", "(1,)", "(2,)"): lambda: F.pairwise_l1_logits(a(2, 3), a(2, 3), a(1, 3), a(2)),
    ("logits", "(N, M)", "(3,)"): lambda: F.n_pair_loss(half, half),
    ("logits", "non-empty (N, M)", "(0, 2)"): lambda: F.n_pair_loss(a(0, 2), a(0, 2)),
    ("logits (2, 3)", "target (3, 2)"): lambda: F.n_pair_loss(a(2, 3), a(3, 2)),
    ("target", "0 or 1"): lambda: F.n_pair_loss(a(2, 2), a(2, 2)),
    ("target", "1 in each row"): lambda: F.n_pair_loss(a(2, 2), np.array([[1.0, 1.0], [0.0, 0.0]])),
    ("target", "1 in each column"): lambda: F.n_pair_loss(
        a(2, 2), np.array([[1.0, 0.0], [1.0, 0.0]])
    ),
}


@pytest.mark.parametrize("parts", MESSAGES, ids=" ".join)
def test_message(parts: tuple[str, ...]) -> None:
    """A message that names the wrong thing, or nothing: the argument, what is asked, what came."""
    assert refusal(MESSAGES[parts], ValueError, *parts) is None


def test_a_definition_refuses_what_does_not_fit() -> None:
    """Loops over one array leave out what another one has beyond it."""
    for words, call in (
        ("right must be", lambda: definitions.pairwise_l1_logits(a(2, 3), a(2, 4), a(1, 3))),
        ("target must be", lambda: definitions.n_pair_loss(a(2, 2), a(2, 2))),
    ):
        assert refusal(call, ValueError, words) is None
