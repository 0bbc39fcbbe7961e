"""Faults in linear maps, ReLU, the sigmoid and the distance."""

import numpy as np

from numpy_siamese.functional import activation, affine, distance
from parity_tests.meta.checks import check, elementwise_row, on_floats, on_integers
from parity_tests.meta.planting import Fault

FAULTS = [
    Fault(
        "linear: bias gradient averaged",
        affine,
        "dy_rows.sum(axis=0)",
        "(dy_rows.sum(axis=0) / 2)",
        on_integers("linear"),
    ),
    Fault(
        "linear: weight gradient of |x|",
        affine,
        "(dy_rows.T @ rows)",
        "(dy_rows.T @ abs(rows))",
        on_integers("linear"),
    ),
    Fault(
        "sigmoid: the slope in another order",
        activation,
        "* (1 - y) * y,)",
        "* ((1 - y) * y),)",
        check("parity_tests/test_edges.py::test_sigmoid_slope_is_torchs", dtype=np.float32),
    ),
    Fault(
        "relu: −0 becomes +0",
        activation,
        "y = where(~(x < 0), x)",
        "y = where(x > 0, x)",
        elementwise_row("relu", -0.0),
    ),
    Fault(
        "relu: a NaN stops the gradient",
        activation,
        "passes = ~(x <= 0)",
        "passes = x > 0",
        elementwise_row("relu", np.nan),
    ),
    Fault(
        "sigmoid: of −x",
        activation,
        "y = 1 / (1 + np.exp(-x))",
        "y = 1 / (1 + np.exp(x))",
        on_floats("sigmoid"),
    ),
    Fault(
        "sigmoid: slope 1 − y",
        activation,
        "* (1 - y) * y,)",
        "* (1 - y),)",
        on_floats("sigmoid"),
    ),
    Fault(
        "abs: slope NaN at NaN",
        distance,
        "sign = (difference > 0).astype(y.dtype) - (difference < 0)",
        "sign = np.sign(difference)",
        elementwise_row("abs", np.nan),
    ),
    Fault(
        "distance: both gradients of one sign",
        distance,
        "return dleft, -dleft",
        "return dleft, dleft",
        on_integers("l1_distance"),
    ),
]
