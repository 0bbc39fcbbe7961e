"""Faults in SGD and in the multiply-add that is rounded once."""

import numpy as np

from numpy_siamese import _fma
from numpy_siamese.optim import _flat, optimizer, sgd
from parity_tests.meta.checks import SGD, Check, check, multiply_add
from parity_tests.meta.planting import Fault


def next_to_a_tie(scale: int, y: float, shift: int = 0) -> Check:
    """Return the check of sums that the first rounding leaves halfway, or that are subnormal."""
    test = "numpy_siamese/tests/test_fma.py::test_fma_next_to_a_tie"
    return check(test, scale=scale, y=y, shift=shift)


FAULTS = [
    Fault(
        "fma: subnormals rounded twice",
        _fma,
        "(lacking == HALFWAY) | (abs(fused) <= SMALLEST_NORMAL)",
        "(lacking == HALFWAY)",
        next_to_a_tie(-63, 2.0**-127 + 2.0**-149),
    ),
    Fault(
        "fma: the float64 error rounded to nearest",
        _fma,
        "fused = head + _sum_rounded_to_odd(middle, error)",
        "fused = head + (middle + error)",
        check("numpy_siamese/tests/test_fma.py::test_fma_next_to_a_tie_in_float64"),
    ),
    Fault(
        "dampening on the first step",
        sgd,
        "buffer[...] = grad",
        "buffer[...] = grad * dtype(1 - self.dampening)",
        SGD,
    ),
    Fault(
        "lr inside the velocity",
        sgd,
        "fma_block(1 - self.dampening, grad, buffer, buffer, scratch)",
        "fma_block(lr * (1 - self.dampening), grad, buffer, buffer, scratch)",
        SGD,
    ),
    Fault(
        "dampening forgotten",
        sgd,
        "fma_block(1 - self.dampening, grad",
        "fma_block(1, grad",
        SGD,
    ),
    Fault(
        "weight decay after maximize's sign",
        optimizer,
        "fma_block(weight_decay, parameter, grad",
        "fma_block(-weight_decay, parameter, grad",
        SGD,
    ),
    Fault(
        "maximize ignored",
        sgd,
        "grad = -grad",
        "grad = grad",
        SGD,
    ),
    Fault(
        "nesterov without its look ahead",
        sgd,
        "if self.nesterov:",
        "if False:",
        SGD,
    ),
    Fault(
        "momentum buffer not kept",
        sgd,
        "np.multiply(buffer, dtype(momentum), out=buffer)",
        "buffer = buffer * dtype(momentum)",
        SGD,
    ),
    Fault(
        "two roundings instead of one",
        _fma,
        "if factor == 1:\n        np.add(x, y, out=out)",
        "if True:\n        np.add(factor * x, y, out=out)",
        multiply_add(np.float32),
    ),
    Fault(
        "float64: the product's error dropped",
        _fma,
        "high, low = _two_product(a, x)",
        "high, low = a * x, 0 * x",
        multiply_add(np.float64),
    ),
    Fault(
        "double rounding where a sum lies halfway",
        _fma,
        "lacking.min() > HALFWAY and",
        "",
        next_to_a_tie(0, 1 + 2.0**-23),
    ),
    Fault(
        "fma: the largest of a block excludes subnormal sums",
        _fma,
        "size.min() >= NO_SUBNORMAL_SUMS",
        "size.max() >= NO_SUBNORMAL_SUMS",
        next_to_a_tie(-63, 2.0**-127 + 2.0**-149),
    ),
    Fault(
        "fma: beside a NaN subnormals are rounded twice",
        _fma,
        "size.min() >= NO_SUBNORMAL_SUMS",
        "not size.min() < NO_SUBNORMAL_SUMS",
        next_to_a_tie(-63, 2.0**-127 + 2.0**-149),
    ),
    Fault(
        "fma: the factor's size for the summand's",
        _fma,
        "np.abs(y, out=",
        "np.abs(x, out=",
        next_to_a_tie(-63, 2.0**-127 + 2.0**-149, shift=40),
    ),
    Fault(
        "parameters that do not lie in a row are not written back",
        optimizer,
        "parameter[...] = flat.reshape(parameter.shape)",
        "parameter = flat.reshape(parameter.shape)",
        check(
            "numpy_siamese/tests/optim/test_sgd.py::test_parameters_that_do_not_lie_in_a_row",
            momentum=0.9,
            dtype=np.float32,
        ),
    ),
    Fault(
        "places are counted in an array with gaps",
        _flat,
        " or not base.flags.c_contiguous:",
        ":",
        check("numpy_siamese/tests/optim/test_sgd.py::test_what_is_one_buffer"),
    ),
    Fault(
        "parts of a read-only array are written as one",
        _flat,
        "if not base.flags.writeable:",
        "if False:",
        check(
            "numpy_siamese/tests/optim/test_sgd.py::test_parts_of_what_is_read_only_are_updated_apart"
        ),
    ),
]
