"""The step of all pairs: each left image of a batch is compared with each right image."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arguments, _arrays
from numpy_siamese import functional as F
from numpy_siamese.errors import NotFiniteError
from numpy_siamese.functional._operation import Pullback
from numpy_siamese.layers import Gradients
from numpy_siamese.model import BACKBONE, SiameseNet
from numpy_siamese.parallel.blas import single_threaded_blas
from numpy_siamese.parallel.cores import default_threads
from numpy_siamese.parallel.threads import map_in_order

Array = np.ndarray

MICRO_BATCH = 100
"""Images in a micro-batch: those of one side of the recipe's batch."""


def all_pairs_loss_and_gradients(
    net: SiameseNet,
    left: Array,
    right: Array,
    targets: npt.ArrayLike,
    verdict_weight: float = 1.0,
    threads: int | None = None,
    micro_batch: int = MICRO_BATCH,
) -> tuple[float, Array, Gradients]:
    """Compute the loss of all N·M pairs of a batch, and its gradients.

    The loss is `contrast` of the logits fc1(|net(leftᵢ) − net(rightⱼ)|). Each image is embedded
    once. Threads work on micro-batches of images side by side. BLAS runs on one thread, and
    gradients are added in the order of the batch. So the result has the same bits for every number
    of threads.

    Parameters
    ----------
    net : SiameseNet
    left : (N, C, H, W) of the net's dtype
    right : (M, C, H, W) of the net's dtype
    targets : (N, M)
        1 where left i and right j show the same class, else 0. Each row and each column has a 1.
    verdict_weight : float
        As of `contrast`.
    threads : int, optional
        Default: `cores.default_threads`. Arrays of another library are worked on by the caller's
        thread alone.
    micro_batch : int
        Images in a micro-batch.

    Returns
    -------
    loss : float
        In nats.
    logits : (N, M)
    grads : dict
        Under the names of the state dict.

    Raises
    ------
    TypeError
        An argument is of another type.
    ValueError
        The batch is empty, or shapes differ. A row or a column of targets has no 1.
    NotFiniteError
        A logit is not finite.
    """
    net, size = _arguments.network(net), _arguments.count("micro_batch", micro_batch, 1)
    threads = default_threads() if threads is None else _arguments.count("threads", threads, 1)
    left, right = _arrays.of_dtype(net.dtype, left=left, right=right)
    targets = _arrays.real("targets", targets, net.dtype, left)
    if left.ndim != 4 or right.ndim != 4 or targets.shape != (len(left), len(right)):
        found = f"{left.shape}, {right.shape} and {targets.shape}"
        raise ValueError(f"expected images (N, C, H, W), (M, C, H, W), targets (N, M), got {found}")
    if type(left) is not np.ndarray:
        threads = 1
    parts = _micro_batches((left, right), size)
    on_threads = partial(map_in_order, threads=min(threads, len(parts)))
    with np.errstate(under="ignore"), single_threaded_blas():
        embeddings, pullbacks = zip(*on_threads(net.net, parts), strict=True)
        of_all = np.concatenate(embeddings)
        logits, head = logits_of_all(net, of_all[: len(left)], of_all[len(left) :])
        if not np.isfinite(logits).all():
            raise NotFiniteError("found logits that are not finite")
        loss, pullback = contrast(logits, targets, verdict_weight)
        head_grads, dsides = head(*pullback(1.0))
        of_parts = on_threads(_backwards, zip(pullbacks, _micro_batches(dsides, size), strict=True))
        return float(loss), logits, _added(of_parts) | head_grads


def logits_of_all(
    net: SiameseNet, left: Array, right: Array
) -> tuple[Array, Callable[[Array], tuple[Gradients, tuple[Array, Array]]]]:
    """Return the log-odds of all pairs of embeddings: fc1(|leftᵢ − rightⱼ|).

    Parameters
    ----------
    net : SiameseNet
    left : (N, E)
    right : (M, E)

    Returns
    -------
    logits : (N, M)
    pullback : dlogits → (grads, (dleft, dright))
    """
    net = _arguments.network(net)
    names, parameters = net.architecture.head.parameter_names, net.parameters()
    weights = (parameters[name] for name in names)
    logits, pairwise = F.pairwise_l1_logits(left, right, *weights)

    def pullback(dlogits: Array) -> tuple[Gradients, tuple[Array, Array]]:
        dleft, dright, *dhead = pairwise(dlogits)
        return dict(zip(names, dhead, strict=True)), (dleft, dright)

    return logits, pullback


def contrast(logits: Array, targets: Array, verdict_weight: float = 1.0) -> tuple[Array, Pullback]:
    """Tell each image's class among all, and each pair's verdict: n_pair_loss + Λ · balanced BCE.

    The N-pair loss ranks. It does not change if a number is added to all logits. The second part
    is the binary cross-entropy of all pairs, in which those of one class weigh one half in all, and
    so do the others. It gives the verdict at ½ its meaning, as in the recipe's balanced batches.

    Parameters
    ----------
    logits : (N, M)
    targets : (N, M) of the same dtype, 0 or 1
        Each row and each column has a 1, and there is a 0.
    verdict_weight : float
        Λ, what the verdicts count for beside the ranking, at least 0.

    Returns
    -------
    loss : scalar
        In nats.
    pullback : dloss → (dlogits,)

    Raises
    ------
    ValueError
        All pairs are of one class, or a row or a column has none. Λ is negative or not finite.

    References
    ----------
    Sohn 2016, *Improved deep metric learning with multi-class N-pair loss objective*.
    """
    verdict_weight = _arguments.at_least_zero("verdict_weight", verdict_weight)
    weight = verdict_weight * balanced(targets)
    ranking, n_pair = F.n_pair_loss(logits, targets)
    verdicts, cross_entropy = F.binary_cross_entropy_with_logits(
        logits, targets, weight=weight, reduction="sum"
    )

    def pullback(dloss: Array) -> tuple[Array]:
        (of_ranking,), (of_verdicts,) = n_pair(dloss), cross_entropy(dloss)
        return (of_ranking + of_verdicts,)

    return ranking + verdicts, pullback


def balanced(targets: Array) -> Array:
    """Return weights with which pairs of one class count one half in all, and the others too.

    Parameters
    ----------
    targets : (N, M), 0 or 1

    Returns
    -------
    (N, M) like targets

    Raises
    ------
    ValueError
        There is no 1, or no 0.
    """
    same = targets.sum()
    different = targets.size - same
    if not (same > 0 and different > 0):
        raise ValueError("targets must have a 0 and a 1")
    return np.where(targets > 0, 0.5 / same, 0.5 / different)


def balanced_accuracy(logits: Array, targets: Array) -> float:
    """Return the share of right verdicts at p = ½, with the weights of `balanced`.

    Parameters
    ----------
    logits : (N, M)
    targets : (N, M), 0 or 1

    Returns
    -------
    float
    """
    weights = balanced(targets.astype(np.float64))
    return float(weights[(logits > 0) == (targets > 0)].sum())


def _micro_batches(sides: Iterable[Array], size: int) -> list[Array]:
    return [side[k : k + size] for side in sides for k in range(0, len(side), size)]


def _backwards(part: tuple[Any, Array]) -> Gradients:
    pullback, dembedding = part
    return pullback(dembedding, needs_input_grad=False)[0]


def _added(parts: Iterable[Gradients]) -> Gradients:
    """Add the gradients of micro-batches in their order, under the names of the state dict."""
    grads: Gradients = {}
    for part in parts:
        for name, grad in part.items():
            if name in grads:
                grads[name] += grad
            else:
                grads[name] = grad
    return {f"{BACKBONE}{name}": grad for name, grad in grads.items()}
