"""What may be said of the operations on all pairs on floats: their data and their gauges."""

from typing import Any

import numpy as np

Array = np.ndarray
Arrays = dict[str, Array]


def pairwise_gauge(quantity: str, arrays: Arrays, dy: Array, options: Any) -> Array:
    """G of the logits and their gradients: distances as they are, all factors absolute."""
    difference = arrays["left"][:, None] - arrays["right"]  # (N, M, E)
    weight, dy = abs(arrays["weight"]), abs(dy)[..., None]
    if quantity == "y":
        bias = abs(arrays.get("bias", np.zeros(1)))
        return (weight[0] * abs(difference)).sum(axis=-1) + bias
    if quantity == "dbias":
        return dy.sum().reshape(1)
    if quantity == "dweight":
        return (dy * abs(difference)).sum(axis=(0, 1))[None]
    return weight * (dy * (difference != 0)).sum(axis=1 if quantity == "dleft" else 0)


def partners(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Draw logits of scale 10, and targets with a 1 in each row and each column."""
    if name != "target":
        return (10 if name == "logits" else 1) * rng.standard_normal(shape)
    target = (rng.random(shape) < 0.3).astype(np.float64)
    k = np.arange(max(shape))
    target[k % shape[0], k % shape[1]] = 1
    return target


def n_pair_gauge(quantity: str, arrays: Arrays, dy: Array, options: Any) -> Array:
    """G of the loss and its gradient, in which the errors of logits are errors of exponents.

    An exponent a is rounded to a relative u, so that e^a has the relative error u·|a|. A sum of
    such has that of its terms, weighted by their shares, and a logarithm makes it absolute. So z,
    of which the loss is log(1 + e^z), has G = Σ (|top| + log Σ e^a + Σ share · |a| + 1), of its two
    sums. The loss has the slope sigmoid(z) in it. A gradient has z in its sigmoid and its share.
    """
    x, positive = arrays["logits"], arrays["target"] == 1
    found = [_of_choices(quantity, x, positive, axis) for axis in (1, 0)]
    return (found[0] + found[1]) / 2 * (1 if quantity == "y" else abs(dy))


def _of_choices(quantity: str, x: Array, positive: Array, axis: int) -> Array:
    log_sums, shares, gauge = [], np.zeros_like(x), np.zeros(())
    exponent = np.zeros_like(x)
    for chosen in (positive, ~positive):
        top = np.max(x, axis=axis, keepdims=True, initial=-np.inf, where=chosen)
        top = np.where(np.isfinite(top), top, 0)
        a = np.where(chosen, top - x, 0)
        terms = np.exp(-a) * chosen
        total = terms.sum(axis=axis, keepdims=True)
        share = terms / np.where(total == 0, 1, total)
        with np.errstate(divide="ignore"):
            log_total = np.log(total)
        log_sums.append(top + log_total)
        spread = np.where(total == 0, 0, abs(top) + np.maximum(log_total, 0))
        gauge = gauge + spread + (share * a).sum(axis=axis, keepdims=True) + 1
        shares, exponent = shares + share, exponent + a
    z = log_sums[1] - log_sums[0]
    softplus, probs = np.logaddexp(0, z), np.exp(-np.logaddexp(0, -z))
    if quantity == "y":
        return np.mean(probs * gauge + softplus)
    return probs * shares * (1 + exponent + 2 * gauge) / z.size
