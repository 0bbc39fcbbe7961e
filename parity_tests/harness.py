"""One machinery for all declarations: data, both implementations, and the gauges."""

from typing import Any

import numpy as np
import torch

from parity_tests.bounds import Allowance
from parity_tests.ledger import LEDGER
from parity_tests.operations import Case, Draw, Operation

Array = np.ndarray
Arrays = dict[str, Array]
Options = dict[str, Any]


def draw_arguments(draw: Draw, case: Case, dtype: type) -> Arrays:
    """Draw the array arguments of a case from its seed."""
    rng = np.random.default_rng(case.seed)
    return {name: np.asarray(draw(rng, name, s), dtype) for name, s in case.shapes.items()}


def draw_cotangent(draw: Draw, case: Case, y: Array) -> Array:
    """Draw a random gradient of the output: all ones would hide flips and permutations."""
    rng = np.random.default_rng([case.seed, 1])
    return np.asarray(draw(rng, "dy", np.shape(y)), y.dtype)


def numpy_results(operation: Operation, arrays: Arrays, options: Options, dy: Array) -> Arrays:
    """Return the NumPy output and gradients by quantity: `y`, and `d` + argument."""
    y, pullback = operation.numpy(**arrays, **options)
    grads = dict(zip(operation.differentiable, pullback(dy), strict=True))
    assert all(grads[name] is None for name in grads.keys() - arrays.keys())
    return {"y": y} | {f"d{name}": grads[name] for name in grads.keys() & arrays.keys()}


def torch_results(operation: Operation, arrays: Arrays, options: Options, dy: Array) -> Arrays:
    """Return the torch output and gradients by quantity."""
    tensors = {name: torch.tensor(array) for name, array in arrays.items()}
    wanted = [name for name in operation.differentiable if name in tensors]
    for name in wanted:
        tensors[name].requires_grad_()
    y = operation.torch(**tensors, **options)
    assert y.shape == dy.shape, f"{operation.name}: NumPy gives {dy.shape}, torch {tuple(y.shape)}"
    grads = torch.autograd.grad(y, [tensors[name] for name in wanted], torch.tensor(dy))
    results = {"y": y.detach()} | {f"d{n}": g for n, g in zip(wanted, grads, strict=True)}
    return {name: value.numpy() for name, value in results.items()}


def widened(arrays: Arrays) -> Arrays:
    """Return the same numbers in float64."""
    return {name: array.astype(np.float64) for name, array in arrays.items()}


def gauges(operation: Operation, arrays: Arrays, options: Options, dy: Array) -> Arrays:
    """Return G for each bounded quantity, in float64."""
    wide, dy = widened(arrays), np.asarray(dy, np.float64)
    if operation.gauge is not None:
        return {q: operation.gauge(q, wide, dy, options) for q in operation.counts}
    absolute = {name: abs(array) for name, array in wide.items()}
    return torch_results(operation, absolute, options, abs(dy))


def check_on_floats(
    operation: Operation, arrays: Arrays, options: Options, dy: Array, ours: Arrays, theirs: Arrays
) -> None:
    """Check both sides' results on float data: the same bits, or each within γₙ·G of float64."""
    case = Case({name: array.shape for name, array in arrays.items()}, options)
    exact = torch_results(operation, widened(arrays), options, np.asarray(dy, np.float64))
    gauge = gauges(operation, arrays, options, dy)
    for quantity, value in ours.items():
        if quantity not in operation.counts:
            LEDGER.exact(operation.name, quantity, value, theirs[quantity])
            continue
        n = operation.counts[quantity](case, np.shape(ours["y"]))
        LEDGER.bounded(
            operation.name,
            quantity,
            value,
            theirs[quantity],
            exact[quantity],
            Allowance(n, gauge[quantity]),
        )
