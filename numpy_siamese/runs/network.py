"""What the evaluation and the use of a run need of its network, in either package."""

from typing import Any, Protocol

import numpy as np

Array = np.ndarray

NOT_DIVERGED = "expected a network that has not diverged"
"""How a message ends about numbers of a network that are not finite."""


class Network(Protocol):
    """A network at work, that takes and returns NumPy arrays.

    It is built from a configuration, whose `model`, `seed`, `dtype` and `threads` count,
    and from weights by name. Without weights it is untrained: the network that the seed gives.
    """

    def embed(self, images: Array) -> Array:
        """Embed images: (n, 28, 28) uint8 → (n, D) of the configuration's dtype."""

    def compare(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Compare embeddings: (N, D) twice → logits (N, 1) and probabilities (N, 1)."""

    def head(self) -> tuple[Array, Array]:
        """Return the head's weight (1, D) and bias (1,): logit = Σ_d w_d |left_d − right_d| + b."""

    def environment(self) -> dict[str, Any]:
        """Return what it runs on, for the record: the package, and what decides about last bits."""
