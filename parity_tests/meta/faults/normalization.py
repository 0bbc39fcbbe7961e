"""Faults in batch normalisation."""

import numpy as np

from numpy_siamese.functional import normalization
from parity_tests.meta.checks import check, on_floats
from parity_tests.meta.planting import Fault

TESTS = "parity_tests/test_normalization.py::"

FAULTS = [
    Fault(
        "batch norm: the variance's own path left out",
        normalization,
        "dx_part -= np.multiply(centred, slope[:, None], out=centred)",
        "pass",
        on_floats("batch_norm"),
    ),
    Fault(
        "batch norm: the mean's own path left out",
        normalization,
        "dx_part -= (dbias[part] / R * scale[part])[:, None]",
        "pass",
        on_floats("batch_norm"),
    ),
    Fault(
        "batch norm: both paths outside of training too",
        normalization,
        "            if training:\n                slope",
        "            if True:\n                slope",
        on_floats("batch_norm"),
    ),
    Fault(
        "batch norm: normalised by the unbiased variance",
        normalization,
        "variance[part] = _dots(centred, centred) / R",
        "variance[part] = _dots(centred, centred) / (R - 1)",
        on_floats("batch_norm"),
    ),
    Fault(
        "batch norm: the mean of squares less the square of the mean",
        normalization,
        "variance[part] = _dots(centred, centred) / R",
        "variance[part] = _dots(rows[part], rows[part]) / R - mean[part] ** 2",
        check(f"{TESTS}test_a_large_mean_takes_no_digits", dtype=np.float32),
    ),
    Fault(
        "batch norm: ε outside of the root",
        normalization,
        "1 / np.sqrt(variance + x.dtype.type(eps))",
        "1 / (np.sqrt(variance) + x.dtype.type(eps))",
        on_floats("batch_norm"),
    ),
    Fault(
        "batch norm: weight gradient of what is not normalised",
        normalization,
        "else dcentred * inverse",
        "else dcentred",
        on_floats("batch_norm"),
    ),
    Fault(
        "batch norm: the biased variance in the running one",
        normalization,
        "unbiased = variance * x.dtype.type(R / (R - 1))",
        "unbiased = variance",
        check(f"{TESTS}test_running_statistics_are_torchs", momentum=0.1, dtype=np.float32),
    ),
    Fault(
        "batch norm: momentum of the old statistics",
        normalization,
        "new, old = x.dtype.type(momentum), x.dtype.type(1 - momentum)",
        "old, new = x.dtype.type(momentum), x.dtype.type(1 - momentum)",
        check(f"{TESTS}test_running_statistics_are_torchs", momentum=0.1, dtype=np.float32),
    ),
]
