"""What a run needs of a network, in either package."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from numpy_siamese.evaluation.verification import Verification

Array = np.ndarray

Pairs = tuple[Array, Array, Array]
"""Left, right, targets. A side is the indices (N,) of its images, or images (N, H, W) uint8.

Targets (N, 1) are of each left image and the right one at its place, as `PairSampler.batch` has
them. Targets (N, M) are of each left image and each right one, as `ClassSampler.batch` has them.
"""


class Learner(Protocol):
    """A network, its optimiser and the images that it learns from.

    Attributes
    ----------
    batches_at_a_time : int
        How many batches a run should give `learn` at once, now. It is 1 on a CPU. It is more on a
        device, where every result has to be waited for.
    batches_done : int
        From how many batches the run has learned. A schedule of rates depends on it.
    remarks : sequence of str
        What a run should say of how it computes.
    """

    batches_at_a_time: int
    batches_done: int
    remarks: Sequence[str]

    def learn(self, batches: Sequence[Pairs]) -> tuple[Array, Array]:
        """Learn from n batches, one after the other; return losses (n,), accuracies (n,), float64.

        Each is computed before the batch's own step. How many batches are given at a time does not
        change a bit. A batch whose probabilities are not finite leaves the weights as they were.
        Its loss and accuracy are NaN.
        """

    def evaluate(
        self, images: Array, left_index: Array, right_index: Array, targets: Array
    ) -> Verification:
        """Judge pairs of images, given by their indices."""

    def embed(self, images: Array) -> Array:
        """Embed images, (n, H, W) uint8 → (n, D), with the weights that `evaluate` judges by."""

    def head(self) -> tuple[Array, Array]:
        """Return the weight (1, D) and the bias (1,) of the head that goes with `embed`."""

    def model_state(self) -> dict[str, Array]:
        """Return the weights by name."""

    def momentum_state(self) -> dict[str, Array]:
        """Return what the optimiser keeps, by name: momentum, or the averages of Adam."""

    def load_state(self, model: Mapping[str, Array], momentum: Mapping[str, Array]) -> None:
        """Take weights and momentum, as `model_state` and `momentum_state` return them."""

    def environment(self) -> dict[str, Any]:
        """Return what the package adds to the environment: its name, threads, device."""
