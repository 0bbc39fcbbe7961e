"""SGD with every option over several steps: the same bits as torch.optim.SGD."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given

from numpy_siamese.optim import SGD
from numpy_siamese.tests.test_fma import spread
from parity_tests.machinery.ledger import LEDGER
from parity_tests.machinery.strategies import SGD_CASES

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)


@every_dtype
@given(**SGD_CASES)
def test_sgd(
    dtype: type, kwargs: dict[str, Any], seed: int, size: int, without: int, one_array: bool
) -> None:
    """Five steps, one of them without one of the gradients, leave the same bits in both.

    Parameters that are parts of one array are updated as one.
    """
    rng = np.random.default_rng(seed)
    ours = {"a": spread(rng, size, dtype), "b": spread(rng, 3, dtype)}
    if one_array:
        flat = np.concatenate([*ours.values()])
        ours = {"a": flat[:size], "b": flat[size:]}
    theirs = {name: torch.tensor(value, requires_grad=True) for name, value in ours.items()}
    optimizer, oracle = SGD(ours, **kwargs), torch.optim.SGD(theirs.values(), **kwargs)
    for step in range(5):
        grads = {name: spread(rng, len(p), dtype) for name, p in ours.items()}
        if step == without:
            grads["b"] = None
        for name, tensor in theirs.items():
            tensor.grad = None if grads[name] is None else torch.tensor(grads[name])
        optimizer.step(grads)
        oracle.step()
        for name, value in ours.items():
            LEDGER.exact("SGD", "parameter", value, theirs[name].detach().numpy())
            buffer = oracle.state[theirs[name]].get("momentum_buffer")
            if buffer is not None:
                LEDGER.exact("SGD", "buffer", optimizer.momentum_buffers[name], buffer.numpy())


@pytest.mark.parametrize(
    "kwargs",
    [
        {"lr": -1},
        {"lr": float("nan")},
        {"lr": 1, "momentum": -1},
        {"lr": 1, "weight_decay": -1},
        {"lr": 1, "nesterov": True},
        {"lr": 1, "nesterov": True, "momentum": 0.9, "dampening": 0.1},
    ],
)
def test_sgd_refuses_what_makes_no_sense(kwargs: dict[str, Any]) -> None:
    """Negative rates, and Nesterov without momentum or with dampening, raise."""
    with pytest.raises(ValueError, match=r"at least|finite|nesterov"):
        SGD({}, **kwargs)


def test_a_bad_gradient_changes_nothing() -> None:
    """Wrong names, shapes and dtypes raise before any parameter is touched."""
    parameters = {"a": np.ones(3, np.float32), "b": np.ones(3, np.float32)}
    good = np.ones(3, np.float32)
    for bad, error in (
        ({"a": good, "c": good}, KeyError),
        ({"a": good, "b": np.ones(4, np.float32)}, ValueError),
        ({"a": good, "b": np.ones(3)}, TypeError),
    ):
        with pytest.raises(error):
            SGD(parameters, 1).step(bad)
        assert (parameters["a"] == 1).all()
