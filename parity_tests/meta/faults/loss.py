"""Faults in both cross-entropies."""

import numpy as np

from numpy_siamese.functional import loss
from parity_tests.meta.checks import check, on_floats
from parity_tests.meta.planting import Fault

FAULTS = [
    Fault(
        "log(1 + e⁻ˣ) without log1p",
        loss,
        "np.log1p(np.exp(-abs(logits)))",
        "np.log(1 + np.exp(-abs(logits)))",
        check(
            "parity_tests/test_operations.py::test_losses_next_to_nothing",
            name="binary_cross_entropy_with_logits",
            dtype=np.float32,
        ),
    ),
    Fault(
        "log(1 − p) without log1p",
        loss,
        "np.log1p(-probs)",
        "np.log(1 - probs)",
        check(
            "parity_tests/test_operations.py::test_losses_next_to_nothing",
            name="binary_cross_entropy",
            dtype=np.float32,
        ),
    ),
    Fault(
        "loss: the mean over the first axis only",
        loss,
        "total / total.dtype.type(losses.size)",
        "total / total.dtype.type(np.shape(losses)[0] if np.shape(losses) else 1)",
        on_floats("binary_cross_entropy"),
    ),
    Fault(
        "loss: gradient without 1/N",
        loss,
        "(dx / dx.dtype.type(losses.size) if",
        "(dx if",
        on_floats("binary_cross_entropy"),
    ),
    Fault(
        "loss: the probability clamped, not the logarithm",
        loss,
        "np.maximum(np.log(probs), -100)",
        "np.log(np.maximum(probs, 1e-12))",
        check(
            "parity_tests/test_edges.py::test_cross_entropy_at_the_ends",
            prob=0.0,
            target=1.0,
            dtype=np.float32,
        ),
    ),
    Fault(
        "loss: the slope's clamp in another place",
        loss,
        "SLOPE_CLAMP = float(np.float32(1e-12))",
        "SLOPE_CLAMP = 1e-7",
        on_floats("binary_cross_entropy"),
    ),
    Fault(
        "loss: the slope's clamp as a float64",
        loss,
        "SLOPE_CLAMP = float(np.float32(1e-12))",
        "SLOPE_CLAMP = 1e-12",
        on_floats("binary_cross_entropy", np.float64),
    ),
    Fault(
        "loss: targets exchanged",
        loss,
        "losses = (target - 1) * log_q - target * log_p",
        "losses = (target - 1) * log_p - target * log_q",
        on_floats("binary_cross_entropy"),
    ),
    Fault(
        "loss: weight not in the gradient",
        loss,
        "dx = dx * weight",
        "pass",
        on_floats("binary_cross_entropy"),
    ),
    Fault(
        "logits: pos_weight off by one",
        loss,
        "((pos_weight - 1) * target + 1)",
        "(pos_weight * target + 1)",
        on_floats("binary_cross_entropy_with_logits"),
    ),
    Fault(
        "logits: gradient of the positive part lost",
        loss,
        "* probs - positive) * dy",
        "* probs) * dy",
        on_floats("binary_cross_entropy_with_logits"),
    ),
]
