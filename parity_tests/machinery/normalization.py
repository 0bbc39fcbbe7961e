"""What may be said of batch normalisation on floats: its data and its gauge."""

from typing import Any

import numpy as np

Array = np.ndarray
Arrays = dict[str, Array]


def statistics(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Draw normal numbers, and variances above 0."""
    return rng.uniform(0.1, 2, shape) if name == "running_var" else rng.standard_normal(shape)


def gauge(quantity: str, arrays: Arrays, dy: Array, options: Any) -> Array:
    """G of a normalised batch and of its gradients, each error carried to where it ends.

    A mean has G = m|x|, so c = x − μ has m|x| + |c|. The variance then has 2 m[|c| m|x|] + σ², and
    s = 1/√(σ² + ε) the share of that in σ² + ε. PyTorch computes x·s − μ·s, hence |x|.
    """
    x, dy = _rows(arrays["x"]), abs(_rows(dy)) if quantity != "y" else np.zeros(())
    training, eps = options["training"], options.get("eps", 1e-5)
    ones = np.ones(len(x))
    w, b = (abs(arrays.get(name, ones))[:, None] for name in ("weight", "bias"))
    if training:
        mean, size = x.mean(axis=1)[:, None], abs(x).mean(axis=1)[:, None]
        c = abs(x - mean)
        var = (c * c).mean(axis=1)[:, None]
        of_s = 1 + (c.mean(axis=1)[:, None] * size + var) / (var + eps)
    else:
        mean, var = (arrays[name][:, None] for name in ("running_mean", "running_var"))
        c, size, of_s = abs(x - mean), abs(mean), np.ones((len(x), 1))
    s = 1 / np.sqrt(var + eps)
    of_c = abs(x) + size + c
    if quantity == "y":
        bias = b if "bias" in arrays else 0
        return _images(w * s * (abs(x) + size + c * of_s) + bias, arrays["x"])
    if quantity == "dbias":
        return dy.sum(axis=1)
    if quantity == "dweight":
        return (s * of_s)[:, 0] * (dy * of_c).sum(axis=1)
    if not training:
        return _images(w * s * dy, arrays["x"])
    along = s * s * of_c * (dy * of_c).mean(axis=1)[:, None]
    return _images(w * s * of_s * (dy + dy.mean(axis=1)[:, None] + along), arrays["x"])


def _rows(x: Array) -> Array:
    return np.moveaxis(x, 1, 0).reshape(x.shape[1], -1)


def _images(rows: Array, x: Array) -> Array:
    return np.moveaxis(rows.reshape(x.shape[1], len(x), *x.shape[2:]), 0, 1)
