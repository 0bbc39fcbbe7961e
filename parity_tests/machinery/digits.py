"""Real digits for the suite, so that it needs no data set."""

from pathlib import Path

import numpy as np

Array = np.ndarray


def digits() -> tuple[Array, Array]:
    """Return 200 digits of MNIST, 20 of each class: images uint8 (200, 28, 28), labels (200,)."""
    with np.load(Path(__file__).parent / "digits.npz") as file:
        return file["images"], file["labels"]
