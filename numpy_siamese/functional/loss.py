"""The cross-entropy of verdicts: of probabilities, and of logits."""

from collections.abc import Callable

import numpy as np

from numpy_siamese import _arguments
from numpy_siamese._arrays import floats
from numpy_siamese.functional._operation import Pullback, operation
from numpy_siamese.functional.activation import sigmoid

Array = np.ndarray


SLOPE_CLAMP = float(np.float32(1e-12))
"""Least p (1 − p) in the slope of the cross-entropy: torch keeps its 10⁻¹² as a float32."""


def _reduce(losses: Array, reduction: str) -> Array:
    if reduction == "none":
        return losses
    total = losses.sum()
    if reduction == "sum":
        return total
    with np.errstate(invalid="ignore"):  # the mean of nothing is NaN, as in torch
        return total / total.dtype.type(losses.size)


def _weighted_loss(
    losses: Array, slope: Callable[[Array], Array], weight: Array | None, reduction: str
) -> tuple[Array, Pullback]:
    """Weight and reduce the losses of the elements; `slope` is their own pullback, dy → dx."""
    loss = _reduce(losses if weight is None else losses * weight, reduction)

    def pullback(dy: Array) -> tuple[Array]:
        dx = slope(dy)
        if weight is not None:
            dx = dx * weight
        return (dx / dx.dtype.type(losses.size) if reduction == "mean" else dx,)

    return loss, pullback


def binary_cross_entropy(
    probs: Array, target: Array, weight: Array | None = None, reduction: str = "mean"
) -> tuple[Array, Pullback]:
    """Measure the cross-entropy of probabilities p against targets t, in nats.

    loss = −w · (t · log p + (1 − t) · log(1 − p)), each logarithm clamped below at −100

    dp = w · dy · (p − t) / max((1 − p) · p, 10⁻¹²)

    For 'mean' dp is divided by the number of elements. The clamp is torch's and is not
    differentiated: p = 0 and t = 1 give loss 100 and gradient −10¹².

    Parameters
    ----------
    probs, target : arrays of one shape, values in [0, 1]
    weight : broadcastable to probs, optional
    reduction : 'mean', 'sum' or 'none'

    Returns
    -------
    loss : scalar, or like probs for 'none'
        In nats. n = 12 for each term, plus the number of terms for a reduction.
    pullback : dy → (dprobs,)
        Not differentiable in target and weight. The same bits as torch's.

    Raises
    ------
    ValueError
        A value of probs or target outside [0, 1], or NaN.

    References
    ----------
    PyTorch, ``aten/src/ATen/native/Loss.cpp``.

    Examples
    --------
    >>> import numpy as np
    >>> loss, pullback = binary_cross_entropy(np.array([0.5, 0.5]), np.array([0.0, 1.0]))
    >>> round(float(loss), 4)  # log 2
    0.6931
    >>> pullback(np.ones(()))
    (array([ 1., -1.]),)
    """
    probs, target, weight = floats(probs=probs, target=target, weight=weight, optional=("weight",))
    _arguments.same_shape(probs=probs, target=target)
    _arguments.broadcasts_to(probs.shape, weight=weight)
    _arguments.reduction(reduction)
    _arguments.probabilities(probs=probs, target=target)

    log_p = np.maximum(np.log(probs), -100)  # log 0 = −∞ is clamped
    log_q = np.maximum(np.log1p(-probs), -100)
    losses = (target - 1) * log_q - target * log_p

    def slope(dy: Array) -> Array:
        return dy * (probs - target) / np.maximum((1 - probs) * probs, SLOPE_CLAMP)

    return _weighted_loss(losses, slope, weight, reduction)


def binary_cross_entropy_with_logits(
    logits: Array,
    target: Array,
    weight: Array | None = None,
    pos_weight: Array | None = None,
    reduction: str = "mean",
) -> tuple[Array, Pullback]:
    """Measure the cross-entropy of sigmoid(x) against targets t, without forming sigmoid(x).

    loss = w · ((1 − t) · x − (1 + (v − 1) · t) · log sigmoid(x)),
    log sigmoid(x) = min(x, 0) − log(1 + e^−|x|)

    dx = w · dy · ((v·t + 1 − t) · sigmoid(x) − v·t)

    For v = 1 this is w · dy · (sigmoid(x) − t). For 'mean' dx is divided by the number of elements.

    Parameters
    ----------
    logits, target : arrays of one shape
    weight : broadcastable to logits, optional
        w, of each element.
    pos_weight : broadcastable to logits, optional
        v, of the positive part.
    reduction : 'mean', 'sum' or 'none'

    Returns
    -------
    loss : scalar, or like logits for 'none'
        In nats. n = 25 for each term, plus the number of terms for a reduction.
    pullback : dy → (dlogits,)
        Not differentiable in target and the weights.

    References
    ----------
    PyTorch, ``aten/src/ATen/native/Loss.cpp`` and ``tools/autograd/derivatives.yaml``.
    """
    logits, target, weight, pos_weight = floats(
        logits=logits,
        target=target,
        weight=weight,
        pos_weight=pos_weight,
        optional=("weight", "pos_weight"),
    )
    _arguments.same_shape(logits=logits, target=target)
    _arguments.broadcasts_to(logits.shape, weight=weight, pos_weight=pos_weight)
    _arguments.reduction(reduction)
    log_sigmoid = np.minimum(logits, 0) - np.log1p(np.exp(-abs(logits)))
    if pos_weight is not None:
        log_sigmoid = log_sigmoid * ((pos_weight - 1) * target + 1)
    losses = (1 - target) * logits - log_sigmoid

    def slope(dy: Array) -> Array:
        probs, _ = sigmoid(logits)
        if pos_weight is None:
            return (probs - target) * dy
        positive = pos_weight * target
        return ((positive + 1 - target) * probs - positive) * dy

    return _weighted_loss(losses, slope, weight, reduction)


binary_cross_entropy = operation(binary_cross_entropy)  # no decorator: see _operation
binary_cross_entropy_with_logits = operation(binary_cross_entropy_with_logits)
