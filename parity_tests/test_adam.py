"""Adam and AdamW: the same bits as PyTorch's fused kernel, and a bound for its plain one."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from numpy_siamese.optim import Adam, AdamW
from numpy_siamese.tests.test_fma import spread
from parity_tests.machinery.error_bounds import Allowance
from parity_tests.machinery.ledger import LEDGER
from parity_tests.machinery.strategies import ADAM_CASES, ADAM_OPTIONS, SEEDS

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)

WHOLE = 16
"""A multiple of as many numbers as a vector of any processor has."""

State = dict[str, np.ndarray]


def oracle_of(arrays: dict[str, np.ndarray], groups: dict[str, dict[str, float]], **kwargs: Any):
    """Return torch's parameters and its Adam, with groups."""
    tensors = {name: torch.tensor(a, requires_grad=True) for name, a in arrays.items()}
    parts = [{"params": [t], **groups.get(name, {})} for name, t in tensors.items()]
    return tensors, torch.optim.Adam(parts, **kwargs)


def assert_same_state(ours: Adam, theirs: dict[str, torch.Tensor], oracle: torch.optim.Adam):
    """Compare parameters, both averages and the number of steps."""
    for name, tensor in theirs.items():
        LEDGER.exact("Adam", "parameter", ours.parameters[name], tensor.detach().numpy())
        state = oracle.state[tensor]
        for kind in Adam.KINDS if state else ():
            LEDGER.exact("Adam", kind, ours.states[kind][name], state[kind].numpy())
        assert ours.steps.get(name, 0) == int(state.get("step", 0))


@every_dtype
@given(**ADAM_CASES)
def test_adam(
    dtype: type,
    kwargs: dict[str, Any],
    groups: dict[str, dict[str, float]],
    seed: int,
    vectors: int,
    without: int,
    one_array: bool,
) -> None:
    """Three steps, one of them without one of the gradients, leave the same bits in both."""
    rng = np.random.default_rng(seed)
    size = WHOLE * vectors
    flat = spread(rng, 2 * size + WHOLE, dtype)
    ours = {"a": flat[:size], "b": flat[size : 2 * size], "c": flat[2 * size :]}
    if not one_array:
        ours = {name: value.copy() for name, value in ours.items()}
    theirs, oracle = oracle_of(ours, groups, fused=True, **kwargs)
    optimizer = Adam(ours, groups=groups, **kwargs)
    for step in range(3):
        grads = {name: spread(rng, len(p), dtype) for name, p in ours.items()}
        if step == without:
            grads["b"] = None
        for name, tensor in theirs.items():
            tensor.grad = None if grads[name] is None else torch.tensor(grads[name])
        optimizer.step(grads)
        oracle.step()
        assert_same_state(optimizer, theirs, oracle)


@pytest.mark.parametrize("ours", [Adam, AdamW])
def test_a_rate_that_is_not_given_is_torchs(ours: type[Adam]) -> None:
    """A signature may say one thing, and the rule do another."""
    weight = torch.ones(1)
    found = ours({"a": weight.numpy().copy()}).settings["a"]["lr"]
    assert found == getattr(torch.optim, ours.__name__)([weight]).defaults["lr"]


@every_dtype
def test_a_long_trajectory(dtype: type) -> None:
    """Broken otherwise: the corrections of the bias drift with the number of steps."""
    rng = np.random.default_rng(0)
    ours = {"a": spread(rng, 4 * WHOLE, dtype)}
    theirs = torch.tensor(ours["a"], requires_grad=True)
    optimizer, oracle = AdamW(ours, 0.01), torch.optim.AdamW([theirs], 0.01, fused=True)
    for _ in range(120):
        grad = rng.standard_normal(4 * WHOLE).astype(dtype)
        theirs.grad = torch.tensor(grad)
        optimizer.step({"a": grad})
        oracle.step()
    assert_same_state(optimizer, {"a": theirs}, oracle)


def reference(p: State, g: np.ndarray, step: int, o: dict[str, Any]) -> dict[str, Any]:
    """Return one step in float64, and what it may be off: rounding errors and their gauge.

    Rounded are the decayed weight (3), the mean (2, of terms up to twice the
    numbers), and the square (3, one of them of β₂). The root halves the errors of the square, adds
    at most 2 of its own where it is a unit off, and is divided and added to, by rounded numbers: 4.
    The quotient has two more, the rate one, the difference one.
    """
    (b1, b2), decay = o["betas"], o["weight_decay"]
    weight, grad = p["a"].astype(float), g.astype(float)
    if o["maximize"]:
        grad = -grad
    weight_gauge, weight = abs(weight) * (1 + o["lr"] * decay), weight * (1 - o["lr"] * decay)
    mean = p["exp_avg"] + (1 - b1) * (grad - p["exp_avg"])
    square = b2 * p["exp_avg_sq"] + (1 - b2) * grad * grad
    denominator = np.sqrt(square) / math.sqrt(1 - b2**step) + o["eps"]
    rate = o["lr"] / (1 - b1**step)
    mean_gauge = 2 * (abs(p["exp_avg"]) + abs(grad))
    return {
        "exp_avg": (mean, Allowance(6, mean_gauge)),
        "exp_avg_sq": (square, Allowance(8, square)),
        "parameter": (
            weight - rate * mean / denominator,
            Allowance(20, weight_gauge + rate * mean_gauge / denominator),
        ),
    }


@every_dtype
@pytest.mark.parametrize("fused", [True, False], ids=["fused", "plain"])
@given(kwargs=ADAM_OPTIONS, seed=SEEDS, size=st.integers(1, 70), step=st.integers(1, 1000))
def test_a_step_of_any_size(
    dtype: type, fused: bool, kwargs: dict[str, Any], seed: int, size: int, step: int
) -> None:
    """Numbers that fill no vector, and the plain kernel, whose root is off, keep a bound.

    The decay is beside the gradient. In it, it could cancel the gradient, of whose square no bound
    would hold.
    """
    rng = np.random.default_rng(seed)
    options = {"decoupled_weight_decay": True, "eps": 1e-3} | {
        name: value
        for name, value in kwargs.items()
        if name not in ("decoupled_weight_decay", "eps")
    }
    before = {"a": spread(rng, size, dtype), "exp_avg": spread(rng, size, dtype)}
    before["exp_avg_sq"] = abs(spread(rng, size, dtype))
    grad = spread(rng, size, dtype)
    optimizer = Adam({"a": before["a"].copy()}, **options)
    optimizer.steps["a"] = step - 1
    theirs, oracle = oracle_of({"a": before["a"]}, {}, fused=fused, **options)
    oracle.state[theirs["a"]] = {"step": torch.tensor(float(step - 1))}
    for kind in Adam.KINDS:
        optimizer.states[kind]["a"] = before[kind].copy()
        oracle.state[theirs["a"]][kind] = torch.tensor(before[kind])
    theirs["a"].grad = torch.tensor(grad)
    optimizer.step({"a": grad})
    oracle.step()
    found = {"parameter": (optimizer.parameters["a"], theirs["a"].detach())}
    for kind in Adam.KINDS:
        found[kind] = optimizer.states[kind]["a"], oracle.state[theirs["a"]][kind]
    name = "Adam" if fused else "Adam, plain"
    for quantity, (value, allowance) in reference(before, grad, step, options).items():
        one, other = found[quantity]
        LEDGER.bounded(f"{name}, one step", quantity, one, other.numpy(), value, allowance)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"lr": -1}, "lr must be at least 0"),
        ({"lr": float("nan")}, "lr must be finite"),
        ({"eps": -1}, "eps must be at least 0"),
        ({"weight_decay": -1}, "weight_decay must be at least 0"),
        ({"betas": (1, 0.9)}, r"betas\[0\] must lie in"),
        ({"betas": (0.9, -0.1)}, r"betas\[1\] must lie in"),
    ],
    ids=str,
)
def test_adam_refuses_what_makes_no_sense(kwargs: dict[str, Any], message: str) -> None:
    """Each of these would turn weights into NaN, or climb."""
    with pytest.raises(ValueError, match=message):
        Adam({}, **kwargs)
