"""How often torch rounds a·x + y here, so that equal bits can be asked for under every dispatch.

With AVX2 and wider, on CUDA and on ARM, torch's kernels round a·x + y once, and so does NumPy's
side. Without them (``ATEN_CPU_CAPABILITY=default``, or a processor before 2013) they round a·x and
then the sum. Initial weights and updates then equal NumPy's with its multiply-add exchanged
for two roundings, and still in every bit.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

import numpy_siamese.initialization  # so that no test is the first to import them
import numpy_siamese.optim  # noqa: F401
from numpy_siamese import _fma


@cache
def fuses() -> bool:
    """Return whether torch rounds a·x + y once: (1 + e)² − 1 − 2e is e², and 0 after two."""
    e = 2.0**-12
    x, y = torch.full((64,), 1 + e, dtype=torch.float32), torch.full((64,), -1 - 2 * e)
    squares = torch.add(y.to(x.dtype), x, alpha=1 + e)
    assert squares.unique().tolist() in ([e * e], [0.0]), "rounds as it likes"
    return bool(squares[0])


def two_roundings(a: Any, x: np.ndarray, y: Any) -> np.ndarray:
    """Return a·x + y with the product rounded as well, in x's dtype."""
    return x.dtype.type(a) * x + np.asarray(y, x.dtype)


def two_roundings_of_a_block(
    a: Any, x: np.ndarray, y: np.ndarray, out: np.ndarray, scratch: Any
) -> None:
    """Put a·x + y into `out`, with the product rounded as well."""
    out[...] = two_roundings(a, x, y)


def two_roundings_of_arrays(
    a: np.ndarray, x: np.ndarray, y: np.ndarray, out: np.ndarray, scratch: Any
) -> None:
    """Put a·x + y into `out`, with the product rounded as well."""
    out[...] = a * x + y


TWICE = {
    "fma": two_roundings,
    "fma_block": two_roundings_of_a_block,
    "fma_of_arrays": two_roundings_of_arrays,
}
"""By the name in `_fma`."""


@contextmanager
def as_torch_rounds() -> Iterator[None]:
    """Let NumPy's initial weights and rules of update round as often as torch's do here.

    A multiply-add is exchanged wherever the package has imported it.
    """
    with ExitStack() as stack:
        for module in [] if fuses() else _users():
            for name, twice in TWICE.items():
                if vars(module).get(name) is getattr(_fma, name):
                    stack.enter_context(patch.object(module, name, twice))
        yield


def _users() -> list[ModuleType]:
    """Return the modules of the package, without its tests and the multiply-adds' own."""
    own = ("numpy_siamese.tests", _fma.__name__)
    return [
        module
        for name, module in sys.modules.items()
        if name.startswith("numpy_siamese.") and not name.startswith(own)
    ]
