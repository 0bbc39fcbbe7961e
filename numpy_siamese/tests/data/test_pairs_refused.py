"""What a sampler of pairs refuses, in which words."""

from typing import Any

import numpy as np
import pytest

from numpy_siamese.data.pairs import PairSampler

LABELS = np.array([0, 0, 1, 1])

sampler: Any = PairSampler  # which the type checker lets have anything


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: sampler(LABELS, 2.5, 0), "batch_size must be an int"),
        (lambda: sampler(LABELS, 2, 0.5), "seed must be an int"),
        (lambda: sampler(LABELS, 2, 0, allow_self_pairs=1), "allow_self_pairs must be a bool"),
        (lambda: PairSampler(LABELS, 2, 0).batch(-1, 0), "epoch must be at least 0"),
        (lambda: PairSampler(LABELS, 2, 0).batch(0, -1), "k must be at least 0"),
        (lambda: PairSampler(5, 2, 0), "labels must be an array or a sequence"),
        (lambda: PairSampler([0.5, 1], 2, 0), "labels must be whole numbers below"),
    ],
)
def test_a_refusal_begins_with_the_argument(call, said):
    """Broken otherwise: the message names another argument, or none."""
    with pytest.raises((TypeError, ValueError), match=f"^{said}"):
        call()
