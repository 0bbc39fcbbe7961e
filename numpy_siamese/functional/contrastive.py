"""The loss of logits of all pairs, where each image picks its partners out of all others."""

import numpy as np

from numpy_siamese import _arguments
from numpy_siamese._arrays import floats
from numpy_siamese.functional._operation import Pullback, operation
from numpy_siamese.functional.activation import sigmoid

Array = np.ndarray


def n_pair_loss(logits: Array, target: Array) -> tuple[Array, Pullback]:
    """Measure how far below the others the partners of each row and each column are, in nats.

    loss = (1/2N) · Σᵢ rowᵢ + (1/2M) · Σⱼ columnⱼ

    rowᵢ = log Σⱼ e^x[i,j] − log Σ_{j: t[i,j] = 1} e^x[i,j], and columnⱼ the same over i

    A row's gradient in x is softmax(x) less the softmax over its positives. With z the logarithm
    of what the negatives sum to over what the positives do, rowᵢ = log(1 + e^z), and

    d rowᵢ / dx = sigmoid(z) · (softmax over the negatives − softmax over the positives)

    So it is computed, since nothing cancels: a loss next to nothing has all its digits.

    Parameters
    ----------
    logits : array (N, M)
        x, large for a pair of one class.
    target : array (N, M)
        t, 1 for a pair of one class and else 0. Each row and each column has a 1.

    Returns
    -------
    loss : scalar
        In nats. n = 18 + 2 · max(N, M).
    pullback : dy → (dlogits,)
        n = 31 + max(N, M). Not differentiable in target.

    Raises
    ------
    ValueError
        A target other than 0 and 1, or a row or a column without a 1.

    References
    ----------
    K. Sohn, *Improved Deep Metric Learning with Multi-class N-pair Loss Objective*, 2016: rows with
    one partner. A. van den Oord et al., *Representation Learning with Contrastive Predictive
    Coding*, 2018: InfoNCE. P. Khosla et al., *Supervised Contrastive Learning*, 2020: several
    partners within the logarithm.

    Examples
    --------
    >>> import numpy as np
    >>> loss, pullback = n_pair_loss(np.zeros((2, 2)), np.eye(2))
    >>> round(float(loss), 4)  # log 2
    0.6931
    >>> pullback(1.0)
    (array([[-0.25,  0.25],
           [ 0.25, -0.25]]),)
    """
    logits, target = floats(logits=logits, target=target)
    _arguments.partners(logits, target)
    positive = target == 1
    of_rows, of_columns = (_choices(logits, positive, axis) for axis in (1, 0))
    loss = (of_rows[0] + of_columns[0]) / 2

    def pullback(dy: Array) -> tuple[Array]:
        return ((of_rows[1] + of_columns[1]) * (dy / 2),)

    return loss, pullback


def _choices(logits: Array, positive: Array, axis: int) -> tuple[Array, Array]:
    """Return the mean loss of the choices along an axis, and its gradient."""
    sum_of_positives, share_of_positives = _log_sum_exp(logits, positive, axis)
    sum_of_negatives, share_of_negatives = _log_sum_exp(logits, ~positive, axis)
    log_odds = sum_of_negatives - sum_of_positives  # of a wrong choice
    losses = np.maximum(log_odds, 0) + np.log1p(np.exp(-abs(log_odds)))
    probs, _ = sigmoid(log_odds)
    choices = log_odds.dtype.type(log_odds.size)
    return losses.sum() / choices, probs / choices * (share_of_negatives - share_of_positives)


def _log_sum_exp(logits: Array, chosen: Array, axis: int) -> tuple[Array, Array]:
    """Return log Σ e^x of the chosen logits along an axis, which stays, and what each is of Σ.

    Of none that is −∞, and the shares are 0.
    """
    lowest = logits.dtype.type(-np.inf)
    x = np.where(chosen, logits, lowest).copy()  # row by row, whatever the logits' strides
    top = x.max(axis=axis, keepdims=True)
    top = np.where(top == lowest, logits.dtype.type(0), top)
    terms = np.exp(x - top)
    total = terms.sum(axis=axis, keepdims=True)
    some = np.where(total == 0, logits.dtype.type(1), total)
    return np.log(total) + top, terms / some


n_pair_loss = operation(n_pair_loss)  # no decorator: see _operation
