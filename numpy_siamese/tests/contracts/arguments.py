"""Small arguments, of which the tables of calls are made."""

from collections.abc import Callable
from typing import Any

import numpy as np

from numpy_siamese import model
from numpy_siamese.tests.support import tiny

Array = np.ndarray
Arguments = dict[str, Any]
Call = tuple[Callable[..., Any], Arguments]


def a(*shape: int, dtype: type = np.float32) -> Array:
    """Return numbers between 0 and 1."""
    return np.linspace(0.2, 0.8, int(np.prod(shape)), dtype=dtype).reshape(shape)


NET = model.SiameseNet()
DIGITS = tiny.split([3, 3])
IMAGES: Arguments = {"images": DIGITS.images}
INDICES: Arguments = {"left_index": np.array([0, 1]), "right_index": np.array([1, 5])}
TARGETS: Arguments = {"targets": np.array([[0], [1]], np.float32)}
