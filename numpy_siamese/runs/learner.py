"""What a run needs of a network, in either package."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from numpy_siamese.evaluation.verification import Verification

Array = np.ndarray

Pairs = tuple[Array, Array, Array]
"""Left index (N,), right index (N,), targets (N, 1), as `PairSampler.batch` gives them."""


class Learner(Protocol):
    """A network, its optimiser and the images that it learns from.

    Attributes
    ----------
    batches_at_a_time : int
        How many batches `learn` should be given at once, where a run has as many: 1 where it costs
        nothing to know of each, more where a device has to be waited for.
    """

    batches_at_a_time: int

    def learn(self, batches: Sequence[Pairs]) -> tuple[Array, Array]:
        """Learn from n batches, one after the other; return losses (n,), accuracies (n,), float64.

        Both are of before each batch's own step. How many are given at a time does not change a
        bit. A batch whose probabilities are not finite leaves the weights as they were; its loss
        and accuracy are NaN.
        """

    def evaluate(
        self, images: Array, left_index: Array, right_index: Array, targets: Array
    ) -> Verification:
        """Judge pairs of such images."""

    def model_state(self) -> dict[str, Array]:
        """Return the weights by name."""

    def momentum_state(self) -> dict[str, Array]:
        """Return the momentum buffers by name."""

    def load_state(self, model: Mapping[str, Array], momentum: Mapping[str, Array]) -> None:
        """Take weights and momentum, of the names, shapes and dtypes that the two above give."""

    def environment(self) -> dict[str, Any]:
        """Return what the package adds to the environment: its name, threads, device."""
