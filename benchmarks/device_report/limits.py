"""Part: what the device can do at most: matrix products in a precision, and copying."""

from typing import Any

import torch

from benchmarks.device_report.clock import best, timer_of
from benchmarks.device_report.precision import dtype_of, rounding

COPY = "copy"
"""Stands among the precisions for copying."""


def measure(device: str, precision: str, size: int, seconds: float) -> dict[str, Any]:
    """Return the best rate.

    Parameters
    ----------
    device : 'cpu' or 'cuda'
    precision : one of `plan.PRECISIONS`, or `COPY`
    size : rows and columns of the matrices, or bytes that are copied
    seconds : about how long it goes on

    Returns
    -------
    dict
        `flops`, operations a second, or `bytes`, read and written in a second.
    """
    if precision == COPY:
        source = torch.zeros(size, dtype=torch.uint8, device=device)
        copy = torch.empty_like(source)
        taken = best(lambda: copy.copy_(source), device, timer_of(device), seconds)
        return {"bytes": 2 * size / taken, "size": size}
    with rounding(device, precision):
        a, b = torch.randn(2, size, size, device=device).to(dtype_of(precision))
        product = torch.empty_like(a)
        run = lambda: torch.matmul(a, b, out=product)  # noqa: E731
        taken = best(run, device, timer_of(device), seconds)
    return {"flops": 2.0 * size**3 / taken, "size": size}
