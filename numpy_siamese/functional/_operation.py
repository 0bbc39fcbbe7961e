"""What every operation does around its mathematics, once for all of them."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

from numpy_siamese._arguments import cotangent

QUIETLY: Any = {"under": "ignore", "divide": "ignore", "over": "call", "invalid": "call"}

Pullback = Callable[..., tuple[Any, ...]]
Operation = TypeVar("Operation", bound=Callable[..., Any])


def operation(function: Operation) -> Operation:
    """Check the gradient that a pullback is given; report what spoils a result, and nothing else.

    A result that is rounded to zero is right, and torch does not report it either. The only
    division by zero is the logarithm's, whose −∞ is clamped. A BLAS kernel may flag an overflow or
    an invalid value in vector lanes that belong to no element. So a flag is reported only where the
    result is not finite. `np.errstate` belongs to a thread and a moment. A pullback may run later
    and elsewhere, so it sets its own.

    It is called by name and not written as a decorator, because the mutation run leaves out what is
    decorated.
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


def _quietly(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    flagged: list[tuple[str, int]] = []
    with np.errstate(**QUIETLY, call=lambda *flag: flagged.append(flag)):
        results = function(*args, **kwargs)
    if flagged and not all(np.isfinite(result).all() for result in _arrays(results)):
        with np.errstate(under="ignore", divide="ignore"):
            return function(*args, **kwargs)  # again, so that it is reported where it arises
    return results


def _arrays(results: tuple[Any, ...]) -> list[Any]:
    return [result for result in results if hasattr(result, "dtype")]
