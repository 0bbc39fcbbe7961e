"""The operations that compare the images of a batch, as plain loops; see `definitions`.

Loop letters: i left image, j right image, e element of an embedding, c channel.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from numpy_siamese import _arguments
from numpy_siamese._arrays import floats
from numpy_siamese.functional._operation import operation

Array = np.ndarray
Pullback = Callable[..., tuple[Any, ...]]


@operation
def pairwise_l1_logits(
    left: Array, right: Array, weight: Array, bias: Array | None = None
) -> tuple[Array, Pullback]:
    """y[i,j] = b + Σ_e w[e] |left[i,e] − right[j,e]|;  the slope is 0 where they are equal."""
    left, right, weight, bias = floats(
        left=left, right=right, weight=weight, bias=bias, optional=("bias",)
    )
    _arguments.pairwise(left, right, weight, bias)
    terms = list(np.ndindex(len(left), len(right), left.shape[1]))
    y = np.zeros((len(left), len(right)), left.dtype)
    for i, j, e in terms:
        y[i, j] += weight[0, e] * abs(left[i, e] - right[j, e])
    y += 0 if bias is None else bias

    def pullback(dy: Array) -> tuple[Array, Array, Array, Array | None]:
        dleft, dright, dweight = map(np.zeros_like, (left, right, weight))
        for i, j, e in terms:
            a, b = left[i, e], right[j, e]
            slope = dy[i, j] * weight[0, e] * (int(a > b) - int(a < b))
            dleft[i, e] += slope
            dright[j, e] -= slope
            dweight[0, e] += dy[i, j] * abs(a - b)
        return dleft, dright, dweight, None if bias is None else dy.sum().reshape(1)

    return y, pullback


@operation
def n_pair_loss(logits: Array, target: Array) -> tuple[Array, Pullback]:
    """loss = mean over rows and over columns of −log(Σ_{t=1} eˣ / Σ eˣ), and of both the half.

    A row's loss is log(1 + eᶻ), with z = log Σ_{t=0} eˣ − log Σ_{t=1} eˣ. Its slope is sigmoid(z).
    """
    logits, target = floats(logits=logits, target=target)
    _arguments.partners(logits, target)
    loss, slopes = 0.0, np.zeros_like(logits)
    for scores, partners, its_slopes in (
        (logits, target, slopes),
        (logits.T, target.T, slopes.T),  # a view: rows and columns add into one array
    ):
        for x, t, dx in zip(scores, partners, its_slopes, strict=True):
            sums = [_log_sum_exp(x[t == k].tolist()) for k in (0, 1)]
            z = sums[0] - sums[1]
            rest = math.log1p(math.exp(-abs(z)))  # what both logarithms have besides
            loss += (max(z, 0) + rest) / len(scores) / 2
            for j, one in enumerate(t):
                share = math.exp(x[j] - sums[int(one)])
                dx[j] += math.exp(min(z, 0) - rest) * (-share if one else share) / len(scores) / 2

    def pullback(dy: Array) -> tuple[Array]:
        return (dy * slopes,)

    return logits.dtype.type(loss), pullback


def _log_sum_exp(x: list[float]) -> float:
    top = max(x, default=-math.inf)
    return top + math.log(sum(math.exp(v - top) for v in x)) if x else top


@operation
def batch_norm(
    x: Array,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None = None,
    bias: Array | None = None,
    training: bool = False,
    eps: float = 1e-5,
) -> tuple[Array, Pullback]:
    """y = w (x − μ) / √(σ² + ε) + b, with mean and variance of each channel, or the running ones.

    δμ = m[δx] and δσ² = 2 m[(x − μ) δx], where m is the mean over a channel.
    """
    x, running_mean, running_var, weight, bias = floats(
        x=x,
        running_mean=running_mean,
        running_var=running_var,
        weight=weight,
        bias=bias,
        optional=("running_mean", "running_var", "weight", "bias"),
    )
    _arguments.channels(x, running_mean, running_var, weight, bias, training)
    y, channels = np.zeros_like(x), range(x.shape[1])
    mean, var = running_mean, running_var
    if training:
        mean = np.array([x[:, c].mean() for c in channels], x.dtype)
        var = np.array([((x[:, c] - mean[c]) ** 2).mean() for c in channels], x.dtype)
    w = np.ones(len(channels), x.dtype) if weight is None else weight
    root = np.sqrt(var + x.dtype.type(eps))
    for c in channels:
        y[:, c] = w[c] * (x[:, c] - mean[c]) / root[c] + (0 if bias is None else bias[c])

    def pullback(dy: Array) -> tuple[Array, Array | None, Array | None]:
        dx, dweight, dbias = np.zeros_like(x), np.zeros_like(w), np.zeros_like(w)
        for c in channels:
            centred = x[:, c] - mean[c]
            dbias[c], dweight[c] = dy[:, c].sum(), (dy[:, c] * centred / root[c]).sum()
            dx[:, c] = dy[:, c] * w[c] / root[c]
            if training:
                dmean = -dx[:, c].sum()
                dvar = -(dy[:, c] * w[c] * centred).sum() / (2 * root[c] ** 3)
                dx[:, c] += (dmean + 2 * dvar * centred) / centred.size
        return dx, None if weight is None else dweight, None if bias is None else dbias

    return y, pullback
