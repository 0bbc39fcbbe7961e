"""What every operation does around its mathematics, once for all of them."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

from numpy_siamese._arguments import cotangent

Operation = TypeVar("Operation", bound=Callable[..., Any])


def operation(function: Operation) -> Operation:
    """Check the gradient that a pullback is given, and report no underflow, forward or backward.

    A result that is rounded to zero is right, and torch does not report it either; of divisions by
    zero there is only the logarithm's, whose −∞ is clamped. What `np.errstate` says of them belongs
    to a thread and a moment, so a pullback, which may run later and elsewhere, sets its own.
    """

    @wraps(function)
    def forward(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        y, pullback = _quietly(function, *args, **kwargs)
        if pullback is None:
            return y, None

        def backward(dy: Any, *args: Any, **kwargs: Any) -> Any:
            return _quietly(pullback, cotangent(dy, y), *args, **kwargs)

        return y, backward

    return cast(Operation, forward)


@np.errstate(under="ignore", divide="ignore")
def _quietly(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)
