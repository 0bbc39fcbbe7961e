"""The step of all pairs; the twin of `numpy_siamese.all_pairs`. Here autograd has the gradients."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from numpy_siamese import _arguments
from numpy_siamese.errors import NotFiniteError
from torch_siamese._tensors import network, tensor
from torch_siamese.functional import n_pair_loss, pairwise_l1_logits
from torch_siamese.model import SiameseNet
from torch_siamese.settings import plain_arithmetic
from torch_siamese.tuned import TunedNet


def all_pairs_loss_and_gradients(
    net: SiameseNet, left: Tensor, right: Tensor, targets: Tensor, verdict_weight: float = 1.0
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Compute the loss of all N·M pairs of a batch, and its gradients.

    Parameters
    ----------
    net : SiameseNet
    left : (N, C, H, W) of the net's dtype
    right : (M, C, H, W) of the net's dtype
    targets : (N, M)
        1 where left i and right j show the same class, else 0. Each row and each column has a 1.
    verdict_weight : float
        As of `contrast`.

    Returns
    -------
    loss : scalar, in nats
    logits : (N, M)
    grads : dict
        Under the names of the state dict.

    Raises
    ------
    TypeError
        `net` is no network of PyTorch, or another argument is no tensor.
    NotFiniteError
        A logit is not finite.
    """
    net, targets = network(net), tensor("targets", targets)
    left, right = tensor("left", left), tensor("right", right)
    parameters = dict(net.named_parameters())
    with plain_arithmetic(left.device):
        logits = AllPairs(net)(left, right)
        loss = contrast(logits, targets.to(logits.dtype), verdict_weight)
        grads = torch.autograd.grad(loss, list(parameters.values()))
    if not torch.isfinite(logits).all():
        raise NotFiniteError("found logits that are not finite")
    return loss.detach(), logits.detach(), dict(zip(parameters, grads, strict=True))


def logits_of_all(net: SiameseNet | TunedNet, left: Tensor, right: Tensor) -> Tensor:
    """Return the log-odds of all pairs of embeddings: fc1(|leftᵢ − rightⱼ|).

    Parameters
    ----------
    net : SiameseNet or TunedNet
    left : (N, E)
    right : (M, E)

    Returns
    -------
    logits : (N, M) of the net's dtype
    """
    weight, bias = net.fc1.weight, net.fc1.bias
    return pairwise_l1_logits(left.to(weight.dtype), right.to(weight.dtype), weight, bias)


def contrast(logits: Tensor, targets: Tensor, verdict_weight: float = 1.0) -> Tensor:
    """Tell each image's class among all, and each pair's verdict: n_pair_loss + Λ · balanced BCE.

    Parameters
    ----------
    logits : (N, M)
    targets : (N, M) of the same dtype, 0 or 1
        Each row and each column has a 1, and there is a 0.
    verdict_weight : float
        Λ, what the verdicts count for beside the ranking.

    Returns
    -------
    loss : scalar, in nats

    Raises
    ------
    TypeError, ValueError
        Λ is no number, negative or not finite.
    """
    verdict_weight = _arguments.at_least_zero("verdict_weight", verdict_weight)
    verdicts = F.binary_cross_entropy_with_logits(
        logits, targets, weight=verdict_weight * balanced(targets), reduction="sum"
    )
    return n_pair_loss(logits, targets) + verdicts


def balanced(targets: Tensor) -> Tensor:
    """Return weights with which pairs of one class count one half in all, and the others too.

    Parameters
    ----------
    targets : (N, M), 0 or 1

    Returns
    -------
    (N, M) like targets
    """
    same = targets.sum()
    return torch.where(targets > 0, 0.5 / same, 0.5 / (targets.numel() - same))


def balanced_accuracy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the share of right verdicts at p = ½, with the weights of `balanced`.

    Parameters
    ----------
    logits : (N, M)
    targets : (N, M), 0 or 1

    Returns
    -------
    scalar float64
    """
    right = (logits > 0) == (targets > 0)
    return balanced(targets.double()).masked_fill(~right, 0).sum()


class AllPairs(nn.Module):
    """A network that compares each left image with each right one.

    Parameters
    ----------
    net : SiameseNet or TunedNet
        Its parameters are these.
    """

    def __init__(self, net: SiameseNet | TunedNet) -> None:
        super().__init__()
        self.siamese = net

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """Return the log-odds of all pairs.

        Parameters
        ----------
        left : (N, C, H, W)
        right : (M, C, H, W)

        Returns
        -------
        logits : (N, M)
        """
        embeddings = self.siamese.embed(torch.cat([left, right]))
        return logits_of_all(self.siamese, embeddings[: len(left)], embeddings[len(left) :])
