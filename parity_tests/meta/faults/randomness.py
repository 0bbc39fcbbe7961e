"""Faults in what is drawn: initial weights and pairs."""

import numpy as np

from numpy_siamese import initialization
from numpy_siamese.data import pairs
from parity_tests.meta.checks import HALVES, check, weights
from parity_tests.meta.planting import Fault

FAULTS = [
    Fault(
        "uniform: the upper end may be reached",
        initialization,
        "values[values >= upper] = lower",
        "pass",
        check(
            "parity_tests/test_initialization.py::test_uniform_never_reaches_its_upper_end",
            dtype=np.float32,
        ),
    ),
    Fault(
        "seed off by one",
        initialization,
        "seed % 2**32)",
        "(seed + 1) % 2**32)",
        weights(np.float32),
    ),
    Fault(
        "the bias before the weight",
        initialization,
        """    weight = uniform(generator, weight_shape, -weight_bound, weight_bound, dtype)
    if not has_bias:
        return (weight,)
    bias = uniform(generator, weight_shape[:1], -bias_bound, bias_bound, dtype)
""",
        """    bias = uniform(generator, weight_shape[:1], -bias_bound, bias_bound, dtype)
    weight = uniform(generator, weight_shape, -weight_bound, weight_bound, dtype)
    if not has_bias:
        return (weight,)
""",
        weights(np.float32),
    ),
    Fault(
        "the high bits of a word",
        initialization,
        "words & (2**24 - 1)",
        "words >> 8",
        weights(np.float32),
    ),
    Fault(
        "the low word first",
        initialization,
        "halves[0::2] << 32 | halves[1::2]",
        "halves[1::2] << 32 | halves[0::2]",
        weights(np.float64),
    ),
    Fault(
        "the bound as one over √fan_in",
        initialization,
        "weight_bound = math.sqrt(3.0) * (gain / math.sqrt(fan_in))",
        "weight_bound = 1 / math.sqrt(fan_in) * (1 + 2**-22)",
        weights(np.float32),
    ),
    Fault(
        "class halves swapped",
        pairs,
        "targets[different] = 0",
        "targets[N // 2 :] = 0",
        HALVES,
    ),
    Fault(
        "a different pair may be of one class",
        pairs,
        "+= 1 + _below(C - 1, unit[1][different])",
        "+= _below(C, unit[1][different])",
        HALVES,
    ),
    Fault(
        "seed not used",
        pairs,
        "key=self.seed % 2**128",
        "key=0",
        check("numpy_siamese/tests/data/test_pairs.py::test_no_two_places_share_a_batch"),
    ),
    Fault(
        "classes drawn by their size",
        pairs,
        "left_class = _below(C, unit[0])",
        "left_class = np.searchsorted(np.cumsum(self._counts) / self._counts.sum(), unit[0])",
        check(
            "numpy_siamese/tests/data/test_pairs.py::test_classes_are_uniform_whatever_their_sizes"
        ),
    ),
]
