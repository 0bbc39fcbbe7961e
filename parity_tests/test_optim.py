"""SGD with every option over several steps: the same bits as torch.optim.SGD."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given

from numpy_siamese.optim import SGD
from numpy_siamese.tests.test_fma import spread
from parity_tests.machinery.ledger import LEDGER
from parity_tests.machinery.strategies import GROUP_CASES, SGD_CASES

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


@every_dtype
@given(**GROUP_CASES)
def test_groups(
    dtype: type, groups: dict[str, dict[str, float]], seed: int, one_array: bool
) -> None:
    """Settings of each layer give the bits of torch's groups of parameters."""
    rng = np.random.default_rng(seed)
    flat = spread(rng, 30, dtype)
    ours = {"a": flat[:10], "b": flat[10:17], "c": flat[17:]}
    if not one_array:
        ours = {name: value.copy() for name, value in ours.items()}
    theirs = {name: torch.tensor(value, requires_grad=True) for name, value in ours.items()}
    parts = [{"params": [t], **groups.get(name, {})} for name, t in theirs.items()]
    optimizer, oracle = SGD(ours, 0.01, 0.5, groups=groups), torch.optim.SGD(parts, 0.01, 0.5)
    for _ in range(4):
        grads = {name: spread(rng, len(p), dtype) for name, p in ours.items()}
        for name, tensor in theirs.items():
            tensor.grad = torch.tensor(grads[name])
        optimizer.step(grads)
        oracle.step()
        for name, value in ours.items():
            LEDGER.exact("SGD, groups", "parameter", value, theirs[name].detach().numpy())


@pytest.mark.parametrize(
    ("groups", "error", "message"),
    [
        ({"b": {}}, KeyError, "no parameter named 'b'"),
        ({"a": {"rate": 1}}, KeyError, r"groups\['a'\] has no setting 'rate'"),
        ({"a": {"lr": -1}}, ValueError, r"groups\['a'\]\['lr'\] must be at least 0, got -1"),
        ({"a": {"lr": "1"}}, TypeError, r"groups\['a'\]\['lr'\]"),
        ({"a": 1}, TypeError, r"groups\['a'\] must map names"),
        ([], TypeError, "groups must map names"),
    ],
)
def test_groups_that_make_no_sense(groups: Any, error: type[Exception], message: str) -> None:
    """Broken otherwise: a layer's settings are misspelt, and nobody says so."""
    with pytest.raises(error, match=message):
        SGD({"a": np.ones(2)}, 0.1, groups=groups)


def test_nesterov_needs_the_momentum_of_every_group() -> None:
    """Broken otherwise: a group without momentum goes the plain way unsaid."""
    with pytest.raises(ValueError, match="nesterov"):
        SGD({"a": np.ones(2)}, 0.1, 0.9, nesterov=True, groups={"a": {"momentum": 0}})


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
