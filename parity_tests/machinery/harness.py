"""One machinery for all declarations: data, both implementations, gauges and grades."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from parity_tests.machinery.declaration import Case, Count, Operation
from parity_tests.machinery.devices import CPU, Device
from parity_tests.machinery.error_bounds import Allowance
from parity_tests.machinery.ledger import LEDGER
from parity_tests.machinery.random_arrays import Draw, integers

Array = np.ndarray
Arrays = dict[str, Array]
Options = dict[str, Any]

INTEGERS, FLOATS = "integers", "floats"


def draw_arguments(draw: Draw, case: Case, dtype: type) -> Arrays:
    """Draw the array arguments of a case from its seed."""
    rng = np.random.default_rng(case.seed)
    return {name: np.asarray(draw(rng, name, s), dtype) for name, s in case.shapes.items()}


def draw_cotangent(draw: Draw, case: Case, y: Array) -> Array:
    """Draw a random gradient of the output: all ones would hide flips and permutations."""
    rng = np.random.default_rng([case.seed, 1])
    return np.asarray(draw(rng, "dy", np.shape(y)), y.dtype)


def where_decided(operation: Operation, arrays: Arrays, dy: Array, device: Device = CPU) -> Array:
    """Return the cotangent, zero where rounding decides which way it goes."""
    if operation.undecided is None:
        return dy
    undecided = operation.undecided(arrays, device.product_roundoff)
    return np.where(undecided, dy.dtype.type(0), dy)


def numpy_results(
    operation: Operation, arrays: Arrays, options: Options, dy: Array, device: Device = CPU
) -> Arrays:
    """Return the NumPy output and gradients by quantity: `y`, and `d` + argument."""
    place, fetch = device.library.asarray, device.library.asnumpy
    placed = {name: place(array) for name, array in arrays.items()}
    y, pullback = operation.numpy(**placed, **options)
    grads = dict(zip(operation.differentiable, pullback(place(dy)), strict=True))
    assert all(grads[name] is None for name in grads.keys() - arrays.keys())
    results = {"y": y} | {f"d{name}": grads[name] for name in grads.keys() & arrays.keys()}
    return {name: fetch(value) for name, value in results.items()}


def torch_results(
    operation: Operation, arrays: Arrays, options: Options, dy: Array, device: Device = CPU
) -> Arrays:
    """Return the torch output and gradients by quantity."""
    with device.in_force():
        place = device.torch_name
        tensors = {name: torch.tensor(array, device=place) for name, array in arrays.items()}
        wanted = [name for name in operation.differentiable if name in tensors]
        for name in wanted:
            tensors[name].requires_grad_()
        y = operation.torch(**tensors, **options)
        shapes = f"{operation.name}: NumPy gives {dy.shape}, torch {tuple(y.shape)}"
        assert y.shape == dy.shape, shapes
        cotangent = torch.tensor(dy, device=place).to(y.dtype)
        grads = torch.autograd.grad(y, [tensors[name] for name in wanted], cotangent)
    results = {"y": y.detach()} | {f"d{n}": g for n, g in zip(wanted, grads, strict=True)}
    dtype = next(iter(tensors.values())).dtype  # autocast gives bfloat16, which NumPy lacks
    return {name: value.to(dtype).cpu().numpy() for name, value in results.items()}


def widened(arrays: Arrays) -> Arrays:
    """Return the same numbers in float64."""
    return {name: array.astype(np.float64) for name, array in arrays.items()}


def counts_on(operation: Operation, device: Device) -> Mapping[str, Count]:
    """Return the counts of what is bounded on a device."""
    if device.torch_name == "cuda":
        return {**operation.counts, **operation.counts_on_cuda}
    return operation.counts


def gauges(operation: Operation, arrays: Arrays, options: Options, dy: Array) -> Arrays:
    """Return G for each quantity that is bounded somewhere, in float64."""
    wide, dy = widened(arrays), np.asarray(dy, np.float64)
    if operation.gauge is not None:
        bounded = [*operation.counts, *operation.counts_on_cuda]
        return {q: operation.gauge(q, wide, dy, options) for q in bounded}
    absolute = {name: abs(array) for name, array in wide.items()}
    return torch_results(operation, absolute, options, abs(dy))


def compare(operation: Operation, case: Case, dtype: type, data: str, device: Device = CPU) -> None:
    """Put one case to the test; a failure tells the command that reruns exactly it."""
    draw = integers if data == INTEGERS else operation.draw
    try:
        arrays = draw_arguments(draw, case, dtype)
        y, _ = operation.numpy(**arrays, **case.options)
        dy = draw_cotangent(draw, case, y)
        if data == FLOATS:
            dy = where_decided(operation, arrays, dy, device)
        ours = numpy_results(operation, arrays, case.options, dy, device)
        theirs = torch_results(operation, arrays, case.options, dy, device)
        if data == INTEGERS:
            bound = gauges(operation, arrays, case.options, dy)
            check_on_integers(operation, bound, ours, theirs, device)
        else:
            check_on_floats(operation, arrays, case.options, dy, ours, theirs, device)
    except AssertionError as error:
        words = (operation.name, dtype.__name__, data, device.name, json.dumps(asdict(case)))
        command = " ".join(map(shlex.quote, words))
        error.add_note(f"rerun exactly this: python -m parity_tests.reproduce {command}")
        raise


def check_on_integers(
    operation: Operation, bound: Arrays, ours: Arrays, theirs: Arrays, device: Device
) -> None:
    """Check that both sides' results are the same bits, where no sum is rounded."""
    for quantity, value in ours.items():
        assert np.max(bound[quantity], initial=0) < 2**24, "the case is not exact in float32"
        # a sum that comes to zero may be either zero: + (−0) depends on where it starts
        LEDGER.exact(
            operation.name,
            f"{quantity} (integers)",
            value + 0.0,
            theirs[quantity] + 0.0,
            device.name,
        )


def check_on_floats(
    operation: Operation,
    arrays: Arrays,
    options: Options,
    dy: Array,
    ours: Arrays,
    theirs: Arrays,
    device: Device = CPU,
) -> None:
    """Check both sides' results on float data: the same bits, or each within γₙ·G of float64."""
    case = Case({name: array.shape for name, array in arrays.items()}, options)
    exact = torch_results(operation, widened(arrays), options, np.asarray(dy, np.float64))
    gauge = gauges(operation, arrays, options, dy)
    counts = counts_on(operation, device)
    for quantity, value in ours.items():
        if quantity not in counts:
            LEDGER.exact(operation.name, quantity, value, theirs[quantity], device.name)
            continue
        n = counts[quantity](case, np.shape(ours["y"]))
        rounded = (
            device.product_roundoff if operation.multiplies and value.dtype == np.float32 else 0.0
        )
        LEDGER.bounded(
            operation.name,
            quantity,
            value,
            theirs[quantity],
            exact[quantity],
            Allowance(n, gauge[quantity]),
            device.name,
            rounded,
        )
