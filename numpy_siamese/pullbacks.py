"""The cases of `gradcheck` in NumPy, as functions that return their output and pullback."""

from typing import Any

import numpy as np

from numpy_siamese import functional as F
from numpy_siamese.gradients.cases import NETWORK, Case
from numpy_siamese.gradients.check import Function
from numpy_siamese.model import SiameseNet

Array = np.ndarray


def of_case(case: Case) -> Function:
    """Return the operation of a case as a function of its arrays."""
    names = list(case.arrays)
    if case.operation == NETWORK:
        return _network(names, **case.options)
    operation = getattr(F, case.operation)

    def f(*arrays: Array) -> Any:
        return operation(**dict(zip(names, arrays, strict=True)), **case.options)

    return f


def _network(names: list[str], fused: bool) -> Function:
    """Return the network as a function of both images and of its weights."""
    net = SiameseNet(0, np.float64, fused)

    def f(left: Array, right: Array, *weights: Array) -> Any:
        state_dict = dict(zip(names[2:], weights, strict=True))
        net.load_state_dict(state_dict)
        probs, network = net(left, right)

        def pullback(dprobs: Array) -> tuple[Array | None, ...]:
            net.load_state_dict(state_dict)  # the network may have others by now
            grads, (dleft, dright) = network(dprobs)
            return dleft, dright, *(grads[name] for name in names[2:])

        return probs, pullback

    return f
