"""What may be said of conv_relu_pool on floats: its gauge, and where rounding decides.

Which of a window's four sums is the largest, and whether it is positive, may hang on the rounding
of these sums. There the gradient may go either way, in either package.
"""

from typing import Any

import numpy as np
import torch
from torch.nn import functional as TF

from parity_tests.machinery.error_bounds import gamma, unit_roundoff

Array = np.ndarray
Arrays = dict[str, Array]


def undecided(arrays: Arrays, factor_roundoff: float) -> Array:
    """Return where a maximum or a sign lies inside its rounding error: (N, O, P, Q).

    `factor_roundoff` is the relative error of a product on a device that rounds its factors.
    """
    n = arrays["weight"][0].size + 1
    u = gamma(n, unit_roundoff(arrays["x"].dtype)) + gamma(n, 2.0**-53) + factor_roundoff
    _, gauge = _windows(arrays)
    bias = _per_window(arrays["bias"])
    # where all products are zero, as on a digit's black ground, the sum is the bias, exactly
    return close_calls(arrays, np.where(gauge > 0, u * (gauge + abs(bias)[..., None]), 0))


def close_calls(arrays: Arrays, error: Array) -> Array:
    """Return where sums with an error (N, O, P, Q, 4) leave a maximum or a sign open."""
    sums, _ = _windows(arrays)
    best = sums.argmax(axis=-1)[..., None]
    most, most_error = (np.take_along_axis(a, best, axis=-1) for a in (sums, error))
    close = (most - sums <= most_error + error) & (most_error + error > 0)
    np.put_along_axis(close, best, False, axis=-1)
    highest, its_error = most[..., 0] + _per_window(arrays["bias"]), most_error[..., 0]
    return close.any(axis=-1) | ((abs(highest) <= its_error) & (its_error > 0))


def change(arrays: Arrays, step: float) -> Array:
    """Return a bound on each sum's change when every argument moves by up to `step` < 1."""
    larger = {name: abs(array) + step for name, array in arrays.items()}
    (_, before), (_, after) = _windows(arrays), _windows(larger)
    return after - before + step


def gauge(quantity: str, arrays: Arrays, dy: Array, options: Any) -> Array:
    """G of y: the largest of its window; of a gradient: that of the convolution, from |dY|."""
    sums, gauges = _windows(arrays)
    absolute = {name: torch.tensor(abs(array)).requires_grad_() for name, array in arrays.items()}
    bias = _per_window(arrays["bias"])
    if quantity == "y":
        return gauges.max(axis=-1) + abs(bias)
    highest = sums.max(axis=-1) + bias
    won = sums.argmax(axis=-1)[..., None] == np.arange(4)
    d_windows = won * (abs(dy) * (highest > 0))[..., None]  # (N, O, P, Q, 4)
    N, O, P, Q, _ = d_windows.shape
    inside = d_windows.reshape(N, O, P, Q, 2, 2).transpose(0, 1, 2, 4, 3, 5)
    y = TF.conv2d(absolute["x"], absolute["weight"], absolute["bias"])
    d_sums = torch.zeros_like(y)
    d_sums[:, :, : 2 * P, : 2 * Q] = torch.tensor(inside.reshape(N, O, 2 * P, 2 * Q))
    return torch.autograd.grad(y, absolute[quantity[1:]], d_sums)[0].numpy()


def _per_window(bias: Array) -> Array:
    return np.asarray(bias, np.float64)[:, None, None]


def _windows(arrays: Arrays) -> tuple[Array, Array]:
    """Return the sums before the bias, window by window, and their gauge: (N, O, P, Q, 4) each."""
    x, weight = (torch.tensor(np.asarray(arrays[a], np.float64)) for a in ("x", "weight"))
    found = []
    for y in (TF.conv2d(x, weight).numpy(), TF.conv2d(x.abs(), weight.abs()).numpy()):
        N, O, P, Q = y.shape[0], y.shape[1], y.shape[2] // 2, y.shape[3] // 2
        pairs = y[:, :, : 2 * P, : 2 * Q].reshape(N, O, P, 2, Q, 2)
        found.append(pairs.transpose(0, 1, 2, 4, 3, 5).reshape(N, O, P, Q, 4))
    return found[0], found[1]
