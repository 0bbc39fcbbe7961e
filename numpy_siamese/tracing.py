"""A trace: every number of one pair's way through the network and back.

The pair goes through the textbook path, one layer after the other. Each operation is computed in
float64 from the numbers before it. Its results are rounded to float32, once. So a traced number is
what its equation gives on the numbers beside it, to the last bit. A training step in float32 rounds
more often. Its numbers differ from these in their last digits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from numpy_siamese import _arguments, _arrays
from numpy_siamese import functional as F
from numpy_siamese.architectures import MNIST, Architecture
from numpy_siamese.layers import Gradients, Linear
from numpy_siamese.model import SiameseNet, shared

Array = np.ndarray


class Traced(NamedTuple):
    """A value of the network, and the gradient of the loss in it.

    Attributes
    ----------
    value, gradient : float32 arrays of one shape
    """

    value: Array
    gradient: Array


@dataclass(frozen=True, eq=False)
class Trace:
    """A pair's way through the network and back.

    Attributes
    ----------
    left, right : tuple of Traced
        Of each twin the image, (1, 28, 28), and then the output of each layer of the backbone. The
        last is the embedding, (84,).
    difference : Traced
        |left − right| of the embeddings, (84,).
    logit, probability : Traced
        Scalars: Σ_d w_d difference_d + b, and σ(logit).
    loss : float32
        The cross-entropy in nats.
    grads : dict of name → array
        Of the parameters, under the names of the state dict. Those of the backbone are sums over
        both twins.
    """

    left: tuple[Traced, ...]
    right: tuple[Traced, ...]
    difference: Traced
    logit: Traced
    probability: Traced
    loss: np.float32
    grads: Gradients


def trace(
    parameters: Mapping[str, Array],
    left: Array,
    right: Array,
    target: float,
    architecture: Architecture = MNIST,
) -> Trace:
    """Trace one pair through the network and back.

    Parameters
    ----------
    parameters : mapping of name → array
        Those of the state dict. Those in float64 are rounded to float32 first.
    left, right : (1, 28, 28) uint8, float32 or float64
        Raw pixel values 0..255.
    target : float
        1 for a pair of the same class, 0 for another.
    architecture : Architecture
        Default: the recipe's network.

    Returns
    -------
    Trace

    Raises
    ------
    KeyError, ValueError, TypeError
        Weights of another architecture. An image of another shape or dtype. A target that is
        neither 0 nor 1. A logit that is not finite.
    """
    if target not in (0, 1):
        raise ValueError(f"target must be 0 or 1, got {target!r}")
    twins = [
        _Path(_image(name, value, architecture))
        for name, value in (("left", left), ("right", right))
    ]
    parameters = _arguments.mapping("parameters", parameters)
    net = SiameseNet(dtype=np.float64, fused=False, architecture=architecture)
    net.load_state_dict({name: _rounded(value) for name, value in parameters.items()})
    for twin in twins:
        for layer in net.net.layers:
            twin.apply(layer)

    embeddings = [twin.values[-1] for twin in twins]
    difference, to_embeddings = F.l1_distance(*embeddings)
    difference = _rounded(difference)
    head = architecture.head
    fc1 = Linear(head, *(net.parameters()[name] for name in head.parameter_names))
    logit, to_difference = fc1(difference)
    logit = _rounded(logit)
    if not np.isfinite(logit).all():
        raise ValueError("parameters must give finite numbers, got a logit that is not")
    probability = _rounded(F.sigmoid(logit)[0])
    loss, to_probability = F.binary_cross_entropy(probability, np.full((1, 1), float(target)))

    dprobability = _rounded(to_probability(np.float64(1))[0])
    # the pullback of sigmoid remembers what it returned, which was not rounded yet
    dlogit = _rounded(dprobability * (1 - probability) * probability)
    head_grads, ddifference = to_difference(dlogit)
    ddifference = _rounded(ddifference)
    for twin, dembedding in zip(twins, to_embeddings(ddifference), strict=True):
        twin.pull_back(dembedding)
    grads = shared(*(twin.grads for twin in twins)) | head_grads
    left_path, right_path = (twin.traced() for twin in twins)
    return Trace(
        left_path,
        right_path,
        _traced(difference, ddifference),
        _traced(logit, dlogit),
        _traced(probability, dprobability),
        np.float32(loss),
        {name: grads[name].astype(np.float32) for name in net.parameters()},
    )


class _Path:
    """One twin's way through the layers of the backbone and back, in numbers that float32 has."""

    def __init__(self, image: Array) -> None:
        self.values = [image]
        self.gradients: list[Array] = []
        self.grads: Gradients = {}
        self._pullbacks: list[Any] = []

    def apply(self, layer: Any) -> None:
        y, pullback = layer(self.values[-1])
        self.values.append(_rounded(y))
        self._pullbacks.append(pullback)

    def pull_back(self, gradient: Array) -> None:
        self.gradients = [_rounded(gradient)]
        for pullback in reversed(self._pullbacks):
            grads, dx = pullback(self.gradients[0])
            self.grads |= grads
            self.gradients.insert(0, _rounded(dx))

    def traced(self) -> tuple[Traced, ...]:
        return tuple(map(_traced, self.values, self.gradients))


def _rounded(x: Array) -> Array:
    """Return the nearest numbers of float32, as float64."""
    with np.errstate(over="ignore", under="ignore"):
        return x.astype(np.float32).astype(np.float64)


def _traced(value: Array, gradient: Array) -> Traced:
    """Return a value and its gradient without their batch of one, as float32."""
    return Traced(value[0].astype(np.float32), gradient[0].astype(np.float32))


def _image(name: str, value: Array, architecture: Architecture) -> Array:
    """Return an image as a batch of one, in numbers that float32 has."""
    image = _arrays.array(name, value)
    if image.shape != architecture.image_shape:
        raise ValueError(f"{name} must be {architecture.image_shape}, got {image.shape}")
    if image.dtype not in (np.uint8, np.float32, np.float64):
        raise TypeError(f"{name} must be uint8, float32 or float64, got {image.dtype}")
    return _rounded(image)[None]
