"""Measures of a network, of tensors; the twin of `numpy_siamese.evaluation`."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from numpy_siamese.evaluation.verification import THRESHOLD
from torch_siamese._tensors import same_shape, tensor


def accuracy(probs: Tensor, targets: Tensor) -> float:
    """Return the share of pairs whose verdict, same or different, is right.

    Parameters
    ----------
    probs : (N, 1), at least one
    targets : (N, 1)
        1 for same, 0 for different.

    Returns
    -------
    float, in [0, 1]

    Raises
    ------
    TypeError, ValueError
        An argument is no tensor. Shapes differ, or there is no pair.
    """
    probs, targets = tensor("probs", probs), tensor("targets", targets)
    same_shape(probs=probs, targets=targets)
    if probs.numel() == 0:
        raise ValueError("probs must hold at least one pair")
    return share_right(probs, targets).item()


def loss_and_accuracy(probs: Tensor, targets: Tensor) -> tuple[float, float]:
    """Return the mean binary cross-entropy and the accuracy.

    Parameters
    ----------
    probs : (N, 1), at least one
    targets : (N, 1)

    Returns
    -------
    loss : float, in nats
        NaN where a probability is not finite.
    accuracy : float, in [0, 1]

    Raises
    ------
    TypeError, ValueError
        As `accuracy`.
    """
    share = accuracy(probs, targets)
    loss = math.nan
    if torch.isfinite(probs).all():
        loss = F.binary_cross_entropy(probs, targets.to(probs.dtype)).item()
    return loss, share


def share_right(probs: Tensor, targets: Tensor) -> Tensor:
    """Return the same where the probabilities are, without a check.

    Parameters
    ----------
    probs, targets : (N, 1)

    Returns
    -------
    float64 scalar
    """
    return ((probs > THRESHOLD) == (targets == 1)).mean(dtype=torch.float64)
