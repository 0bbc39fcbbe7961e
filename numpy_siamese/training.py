"""Learning: the loss-and-gradients step, its micro-batches on threads, and the learner of a run."""

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arguments, _arrays
from numpy_siamese import functional as F
from numpy_siamese.all_pairs import all_pairs_loss_and_gradients, balanced_accuracy
from numpy_siamese.architectures import ARCHITECTURES
from numpy_siamese.data.dataset import are_images, as_read, checked_images, gather, has_all_pairs
from numpy_siamese.errors import NotFiniteError
from numpy_siamese.evaluation.verification import Verification, accuracy
from numpy_siamese.inference import embed_images, images_at_once, pair_probabilities
from numpy_siamese.layers import Gradients
from numpy_siamese.model import BACKBONE, CNN, SiameseNet, shared
from numpy_siamese.optim import optimizer_of
from numpy_siamese.parallel.blas import single_threaded_blas
from numpy_siamese.parallel.cores import default_threads
from numpy_siamese.parallel.threads import map_in_order, side_by_side
from numpy_siamese.rates import Schedule

if TYPE_CHECKING:
    from numpy_siamese.runs.config import TrainConfig
    from numpy_siamese.runs.learner import Pairs

Array = np.ndarray

MICRO_BATCH = 100
"""Pairs in a micro-batch, or fewer (`inference.images_at_once`). Their activations fit the
third-level cache. They are still enough for matrix products to run at full speed and to outweigh
the cost of NumPy's calls."""

TOGETHER = 8
"""Pairs up to which both twins are one batch, on one thread. Half as many calls of NumPy then save
at least as much as a second thread gives."""


def loss_and_gradients(
    net: SiameseNet,
    left: Array,
    right: Array,
    targets: npt.ArrayLike,
    threads: int | None = None,
    micro_batch: int | None = None,
) -> tuple[float, Array, Gradients]:
    """Compute the mean binary cross-entropy of a batch, and its gradients.

    The batch is cut into micro-batches, and threads work on these side by side. If there are at
    least twice as many threads as micro-batches, both twins of each run side by side too. The
    twins of a small micro-batch are one batch, whatever the threads. BLAS runs on one thread.
    Gradients are added in the order of the batch. So the result has the same bits for every number
    of threads. Memory grows with the threads, not with the batch.

    Parameters
    ----------
    net : SiameseNet
    left, right : (N, 1, 28, 28) of the net's dtype
    targets : (N, 1)
        1 for same, 0 for different; converted to the net's dtype. An array, list, tuple or pandas
        DataFrame, which is taken by position.
    threads : int, optional
        Default: `cores.default_threads`. Arrays of another library are worked on by the caller's
        thread alone: its device and stream are those of that thread.
    micro_batch : int, optional
        Pairs in a micro-batch. Default: `MICRO_BATCH`, or fewer for a network with large windows. A
        device that has room for them wants all.

    Returns
    -------
    loss : float
        In nats.
    probs : (N, 1)
    grads : dict
        Under the names of the state dict.

    Raises
    ------
    TypeError
        An argument is of another type.
    ValueError
        The batch is empty, or shapes differ.
    NotFiniteError
        A probability is not finite.

    Examples
    --------
    >>> net = SiameseNet(seed=0)
    >>> images = np.zeros((2, 1, 28, 28), np.float32)
    >>> loss, probs, grads = loss_and_gradients(net, images, images, [[1], [1]])
    >>> from numpy_siamese.optim import SGD
    >>> sgd = SGD(net.parameters(), lr=0.1)
    >>> sgd.step(grads)
    >>> loss_and_gradients(net, images, images, [[1], [1]])[0] < loss
    True
    """
    net = _arguments.network(net)
    if micro_batch is None:
        micro_batch = min(MICRO_BATCH, images_at_once(net.architecture) // 2)
    size = _arguments.count("micro_batch", micro_batch, 1)
    threads = None if threads is None else _arguments.count("threads", threads, 1)
    left, right = _arrays.of_dtype(net.dtype, left=left, right=right)
    targets = _arrays.real("targets", targets, net.dtype, left)
    if left.ndim != 4:
        raise ValueError(f"left must be (N, 1, 28, 28), got {left.shape}")
    N = len(left)
    if N == 0 or targets.shape != (N, 1):
        raise ValueError(f"expected N > 0 pairs and targets (N, 1), got {N} and {targets.shape}")
    _arguments.same_shape(left=left, right=right)
    starts = range(0, N, size)
    threads = (threads or default_threads()) if type(left) is np.ndarray else 1
    at_once = min(threads, len(starts))
    map_twins = side_by_side if threads >= 2 * at_once else map

    def part(start: int) -> tuple[Array, Array, Gradients]:
        rows = slice(start, start + size)
        embed = _as_one_batch if len(left[rows]) <= TOGETHER else partial(_apart, map_twins)
        embeddings, twins = embed(net.net, left[rows], right[rows])
        probs, head = net.compare(*embeddings)
        if not np.isfinite(probs).all():
            raise NotFiniteError("found probabilities that are not finite")
        loss, binary_cross_entropy = F.binary_cross_entropy(probs, targets[rows], reduction="sum")
        (dprobs,) = binary_cross_entropy(1.0)
        head_grads, dembeddings = head(dprobs / net.dtype(N))
        return loss, probs, twins(*dembeddings) | head_grads

    with (
        np.errstate(under="ignore"),
        single_threaded_blas(),
        closing(map_in_order(part, starts, at_once)) as parts,
    ):
        loss, first_probs, grads = next(parts)
        probs = [first_probs]
        for part_loss, part_probs, part_grads in parts:
            loss += part_loss
            probs.append(part_probs)
            for name, grad in grads.items():
                grad += part_grads[name]
        return float(loss / net.dtype(N)), np.concatenate(probs), grads


def _as_one_batch(cnn: CNN, left: Array, right: Array) -> tuple[Sequence[Array], Any]:
    """Embed both twins as one batch; the pullback takes both gradients and returns the sum.

    The images of a pair follow each other. Their embeddings' gradients are opposite, so the
    gradient of the last bias is a sum in which neighbours cancel: it stays exactly zero.
    """
    embeddings, both = cnn(_in_pairs(left, right))

    def pullback(dleft: Array, dright: Array) -> Gradients:
        grads, _ = both(_in_pairs(dleft, dright), needs_input_grad=False)
        return {f"{BACKBONE}{name}": grad for name, grad in grads.items()}

    return (embeddings[0::2], embeddings[1::2]), pullback


def _in_pairs(left: Array, right: Array) -> Array:
    """Return left and right rows in turn: (N, …) twice → (2N, …)."""
    return np.stack([left, right], axis=1).reshape(2 * len(left), *left.shape[1:])


def _apart(
    map_twins: Callable[..., Iterable[Any]], cnn: CNN, left: Array, right: Array
) -> tuple[Sequence[Array], Any]:
    """Embed each twin for itself, also side by side; otherwise as `_as_one_batch`."""
    (left_embedding, left_twin), (right_embedding, right_twin) = map_twins(cnn, (left, right))

    def pullback(*dembeddings: Array) -> Gradients:
        (left_grads, _), (right_grads, _) = map_twins(
            lambda twin, dembedding: twin(dembedding, needs_input_grad=False),
            (left_twin, right_twin),
            dembeddings,
        )
        return shared(left_grads, right_grads)

    return (left_embedding, right_embedding), pullback


class NumpyLearner:
    """A network, its optimiser and the images that it learns from.

    Parameters
    ----------
    config : TrainConfig
    images : (n, 28, 28) uint8
    """

    batches_at_a_time = 1
    remarks: "Sequence[str]" = ()

    def __init__(self, config: "TrainConfig", images: Array) -> None:
        self.images = checked_images(images)
        self.threads = config.threads or default_threads()
        architecture = ARCHITECTURES[config.model]
        self.net = SiameseNet(config.seed, np.dtype(config.dtype).type, architecture=architecture)
        self.optimizer = optimizer_of(config, self.net.parameters())
        self.schedule = Schedule(config.schedule, config.epochs, config.batches)
        self.batches_done = 0
        self._all_pairs = partial(
            all_pairs_loss_and_gradients, verdict_weight=config.verdict_weight
        )

    def learn(self, batches: "Sequence[Pairs]") -> tuple[Array, Array]:
        """Learn from n batches of pairs.

        A batch is judged before its own step. A batch whose probabilities are not finite
        leaves the weights as they were. Its loss and accuracy are NaN.

        Parameters
        ----------
        batches : sequence of (left, right, targets)
            As `runs.learner.Pairs` has them.

        Returns
        -------
        losses, accuracies : (n,) float64
        """
        steps = [self._step(*pairs) for pairs in batches]
        losses, accuracies = np.array(steps, np.float64).reshape(len(steps), 2).T
        return losses, accuracies

    def _step(self, left: Array, right: Array, targets: Array) -> tuple[float, float]:
        self.optimizer.follow(self.schedule, self.batches_done)
        self.batches_done += 1
        step, judge = (
            (self._all_pairs, balanced_accuracy)
            if has_all_pairs(targets)
            else (loss_and_gradients, accuracy)
        )
        images = self._images("left", left), self._images("right", right)
        try:
            loss, verdicts, grads = step(self.net, *images, targets, threads=self.threads)
        except NotFiniteError:
            return np.nan, np.nan
        self.optimizer.step(grads)
        return loss, judge(verdicts, targets)

    def _images(self, name: str, side: Array) -> Array:
        """Return one side of a batch, given as images or by their indices, as the network reads."""
        if are_images(side):
            return as_read(checked_images(side, name), self.net.dtype)
        index = _arrays.index(f"{name}_index", side, len(self.images))
        return gather(self.images, index, self.net.dtype)

    def evaluate(
        self, images: Array, left_index: Array, right_index: Array, targets: Array
    ) -> Verification:
        """Judge pairs of images.

        Parameters
        ----------
        images : (n, 28, 28) uint8
        left_index, right_index : (N,) integers
            Into images.
        targets : (N, 1)

        Returns
        -------
        Verification
        """
        probs = pair_probabilities(self.net, images, left_index, right_index, self.threads)
        targets = _arrays.real("targets", targets, self.net.dtype)
        loss = np.nan
        if np.isfinite(probs).all():
            loss = float(F.binary_cross_entropy(probs, targets)[0])
        return Verification(probs, loss, accuracy(probs, targets))

    def embed(self, images: Array) -> Array:
        """Embed images.

        Parameters
        ----------
        images : (n, 28, 28) uint8

        Returns
        -------
        embeddings : (n, 84)
        """
        return embed_images(self.net, images, self.threads)

    def head(self) -> tuple[Array, Array]:
        """Return the head's weight and bias.

        Returns
        -------
        weight : (1, 84)
        bias : (1,)
        """
        weights = self.net.parameters()
        return weights["fc1.weight"], weights["fc1.bias"]

    def model_state(self) -> dict[str, Array]:
        """Return the network's weights by name.

        Returns
        -------
        dict of name → array
        """
        return self.net.state_dict()

    def momentum_state(self) -> dict[str, Array]:
        """Return what the optimiser keeps, by name. There is nothing before a first step.

        Returns
        -------
        dict of name → array
        """
        return self.optimizer.state()

    def load_state(self, model: Mapping[str, Array], momentum: Mapping[str, Array]) -> None:
        """Take the state of another learner.

        Parameters
        ----------
        model : mapping of name → array
            The weights.
        momentum : mapping of name → array
            What the optimiser keeps.

        Raises
        ------
        KeyError, ValueError, TypeError
            As `SiameseNet.load_state_dict`.
        """
        other = copy.copy(self.optimizer)
        other.load_state("momentum", momentum)
        self.net.load_state_dict(model)
        self.optimizer = other

    def environment(self) -> dict[str, Any]:
        """Return what the network runs on.

        Returns
        -------
        dict
            For `config.json`.
        """
        return {"package": "numpy_siamese", "threads": self.threads}
