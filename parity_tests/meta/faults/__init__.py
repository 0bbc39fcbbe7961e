"""Faults in the mathematics, each with the check of the suite that must turn red.

A fault is a small change of the NumPy side: the module, what stands there, what stands there
instead. Most are mistakes that implementations of these operations have made. None is one that a
mutator of the mutation run makes as well.
"""

from parity_tests.meta.faults import (
    all_pairs,
    convolution,
    elementwise,
    fused,
    loss,
    network,
    normalization,
    optim,
    pooling,
    randomness,
)

FAULTS = [
    fault
    for subject in (
        all_pairs,
        convolution,
        elementwise,
        fused,
        loss,
        network,
        normalization,
        optim,
        pooling,
        randomness,
    )
    for fault in subject.FAULTS
]
