"""How an operation is declared: a case of its arguments, and what is claimed of its results."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

from numpy_siamese import functional as F
from numpy_siamese.functional._operation import Pullback
from parity_tests.machinery.random_arrays import Draw, floats

Array = np.ndarray
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Case:
    """Shapes of the array arguments, the other arguments, and the seed of the data."""

    shapes: Shapes
    options: dict[str, Any] = field(default_factory=dict)
    seed: int = 0


Count = Callable[[Case, tuple[int, ...]], int]
Gauge = Callable[..., Array]


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation and its claims.

    Parameters
    ----------
    name : str
        Its name in `functional` and `definitions`.
    torch : callable
        The oracle, of tensors under the NumPy function's argument names.
    cases : strategy of Case
    differentiable : names of the arguments that the pullback gives gradients for
    counts : quantity → (case, shape of y) → n, for what is bounded; the rest is exact
    counts_on_cuda : the same, for what is exact on the CPU and bounded on CUDA
    gauge : (quantity, float64 arrays, cotangent, options) → G
        Default: the operation and its gradients on absolute values, right for multilinear ones.
    draw : (rng, argument, shape) → float data
    exact_on_integers : whether every quantity is exact on small integers
    multiplies : whether it is made of sums of products, whose factors tensor cores may round
    undecided : (arrays, relative error of a product's factors) → mask like y
        Where rounding decides which way the gradient goes, so that it may go either way.
    """

    name: str
    torch: Callable[..., torch.Tensor]
    cases: st.SearchStrategy[Case]
    differentiable: tuple[str, ...]
    counts: Mapping[str, Count] = field(default_factory=dict)
    counts_on_cuda: Mapping[str, Count] = field(default_factory=dict)
    gauge: Gauge | None = None
    draw: Draw = floats
    exact_on_integers: bool = True
    multiplies: bool = False
    undecided: Callable[[dict[str, Array], float], Array] | None = None

    @property
    def numpy(self) -> Callable[..., tuple[Array, Pullback]]:
        """Return the NumPy function, looked up when it is called."""
        return getattr(F, self.name)
