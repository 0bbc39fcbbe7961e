"""Operations that `torch.nn.functional` lacks; the twins of those in `numpy_siamese.functional`.

Autograd derives their gradients. No check reads a value, so none waits for a device.
"""

import torch
from torch import Tensor
from torch.nn import functional as TF

from torch_siamese._tensors import same_shape, tensor


def pairwise_l1_logits(
    left: Tensor, right: Tensor, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    """Weigh the distances of all pairs: y[i,j] = Σₑ w[e] · |left[i,e] − right[j,e]| + b.

    Parameters
    ----------
    left : (N, E)
    right : (M, E)
    weight : (1, E)
    bias : (1,), optional

    Returns
    -------
    y : (N, M)

    Raises
    ------
    TypeError, ValueError
        An argument is no tensor, or shapes do not fit.
    """
    left, right, weight = tensor("left", left), tensor("right", right), tensor("weight", weight)
    for name, x in (("left", left), ("right", right)):
        if x.ndim != 2:
            raise ValueError(f"{name} must be (N, E), got shape {tuple(x.shape)}")
    E = left.shape[1]
    if right.shape[1] != E:
        found = tuple(right.shape)
        raise ValueError(f"right must be (M, {E}) as left is (N, {E}), got shape {found}")
    if weight.shape != (1, E):
        raise ValueError(f"weight must have shape (1, {E}), got {tuple(weight.shape)}")
    if bias is not None and tensor("bias", bias).shape != (1,):
        raise ValueError(f"bias must have shape (1,), got {tuple(bias.shape)}")
    distances = torch.abs(left[:, None] - right)  # (N, M, E)
    return TF.linear(distances, weight, bias)[..., 0]


def n_pair_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Measure how far below the others the partners of each row and each column are, in nats.

    loss = (1/2N) · Σᵢ rowᵢ + (1/2M) · Σⱼ columnⱼ

    rowᵢ = log Σⱼ e^x[i,j] − log Σ_{j: t[i,j] = 1} e^x[i,j], and columnⱼ the same over i

    Parameters
    ----------
    logits : (N, M)
    target : (N, M)
        1 for a pair of one class. Each row and each column needs a 1; without one the loss is ∞.

    Returns
    -------
    loss : scalar

    Raises
    ------
    TypeError, ValueError
        An argument is no tensor, or shapes do not fit.
    """
    logits, target = tensor("logits", logits), tensor("target", target)
    if logits.ndim != 2 or logits.numel() == 0:
        found = tuple(logits.shape)
        raise ValueError(f"logits must be a non-empty (N, M), got shape {found}")
    same_shape(logits=logits, target=target)
    positives = logits.masked_fill(target != 1, -torch.inf)
    negatives = logits.masked_fill(target == 1, -torch.inf)
    rows, columns = (
        -TF.logsigmoid(positives.logsumexp(axis) - negatives.logsumexp(axis)) for axis in (1, 0)
    )
    return (rows.mean() + columns.mean()) / 2
