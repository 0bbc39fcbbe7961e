"""What a learner is given to go on from."""

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from numpy_siamese import _arguments
from torch_siamese._tensors import from_array


def checked_like(
    layout: Mapping[str, Tensor], argument: str, arrays: Mapping[str, np.ndarray]
) -> dict[str, Tensor]:
    """Return arrays as tensors by name, if each has the shape and dtype that its name asks for.

    Parameters
    ----------
    layout : mapping of name → tensor
        What each must be like.
    argument : str
        What an error calls the mapping.
    arrays : mapping of name → array

    Raises
    ------
    KeyError, ValueError, TypeError
        An unknown name. Another shape or dtype. What is no mapping, or no array.
    """
    found = {}
    for name, value in _arguments.mapping(argument, arrays).items():
        if name not in layout:
            raise KeyError(f"no parameter named {name!r}")
        words, like = f"{argument}[{name!r}]", layout[name]
        found[name] = one = from_array(words, value)
        if one.shape != like.shape:
            expected, got = tuple(like.shape), tuple(one.shape)
            raise ValueError(f"{words} must have shape {expected}, got {got}")
        if one.dtype != like.dtype:
            raise TypeError(f"{words} must be {like.dtype}, got {one.dtype}")
    return found
