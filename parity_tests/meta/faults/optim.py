"""Faults in SGD and in the multiply-add that is rounded once."""

import numpy as np

from numpy_siamese import _fma, optim
from parity_tests.meta.checks import SGD, check, multiply_add
from parity_tests.meta.planting import Fault

FAULTS = [
    Fault(
        "fma: subnormals rounded twice",
        _fma,
        "halfway | (abs(fused) <= SMALLEST_NORMAL)",
        "halfway",
        check(
            "numpy_siamese/tests/test_fma.py::test_fma_next_to_a_tie",
            scale=-63,
            y=2.0**-127 + 2.0**-149,
        ),
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
        optim,
        "buffer = grad.copy()",
        "buffer = grad * grad.dtype.type(1 - self.dampening)",
        SGD,
    ),
    Fault(
        "lr inside the velocity",
        optim,
        "buffer = fma(1 - self.dampening, grad, decayed)",
        "buffer = fma(self.lr * (1 - self.dampening), grad, decayed)",
        SGD,
    ),
    Fault(
        "dampening forgotten",
        optim,
        "fma(1 - self.dampening, grad, decayed)",
        "fma(1, grad, decayed)",
        SGD,
    ),
    Fault(
        "weight decay after maximize's sign",
        optim,
        "grad = fma(self.weight_decay, self.parameters[name], grad)",
        "grad = fma(-self.weight_decay, self.parameters[name], grad)",
        SGD,
    ),
    Fault(
        "maximize ignored",
        optim,
        "grad = -grad",
        "grad = grad",
        SGD,
    ),
    Fault(
        "nesterov without its look ahead",
        optim,
        "return fma(self.momentum, buffer, grad) if self.nesterov else buffer",
        "return buffer",
        SGD,
    ),
    Fault(
        "momentum buffer not kept",
        optim,
        "self.momentum_buffers[name] = buffer",
        "self.momentum_buffers.setdefault(name, buffer)",
        SGD,
    ),
    Fault(
        "two roundings instead of one",
        _fma,
        "kernel(a, flat_x[block], flat_y[block])",
        "a * flat_x[block] + flat_y[block]",
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
        "if doubtful.any():",
        "if False:",
        check("numpy_siamese/tests/test_fma.py::test_fma_next_to_a_tie", scale=0, y=1 + 2.0**-23),
    ),
]
