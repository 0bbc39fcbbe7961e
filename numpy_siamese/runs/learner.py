"""What a run needs of a network, in either package."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

Array = np.ndarray


class Learner(Protocol):
    """A network that learns; see `numpy_siamese.training.Learner`."""

    def step(self, left_index: Array, right_index: Array, targets: Array) -> tuple[float, float]:
        """Learn from one batch; return its mean loss and its accuracy.

        Raises
        ------
        ValueError, RuntimeError
            Probabilities are not finite; the weights stay as they were.
        """

    def probabilities(self, images: Array, left_index: Array, right_index: Array) -> Array:
        """Return the probability of *same* for each pair: (N, 1)."""

    def model_state(self) -> dict[str, Array]:
        """Return the weights by name."""

    def momentum_state(self) -> dict[str, Array]:
        """Return the momentum buffers by name."""

    def load_state(self, model: Mapping[str, Array], momentum: Mapping[str, Array]) -> None:
        """Take weights and momentum, of the names, shapes and dtypes that the two above give."""

    def environment(self) -> dict[str, Any]:
        """Return what the package adds to the environment: its name, threads, device."""
