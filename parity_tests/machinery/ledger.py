"""What the suite has shown so far: one line for each operation, quantity, dtype, device, grade."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from parity_tests.machinery.error_bounds import (
    BOUNDED,
    EXACT,
    EXPLAINED,
    Allowance,
    same_bits,
    unit_roundoff,
    worst_ratio,
)

Array = np.ndarray


@dataclass(frozen=True)
class Explained:
    """Where a result must lie: within `radius` of `center`, from a running error analysis."""

    center: Array
    radius: Array


class Key(NamedTuple):
    """What a line of the table is about."""

    operation: str
    quantity: str
    dtype: str
    device: str
    grade: str


@dataclass
class Line:
    """Cases seen, the worst of either side, and whether all of them held.

    The worst is max err/(u·G) for bounded results and max err/radius for explained ones.
    """

    cases: int = 0
    numpy_worst: float = 0.0
    torch_worst: float = 0.0
    held: bool = True


class Ledger:
    """Check results against their grade and keep the worst of each kind."""

    def __init__(self) -> None:
        self.lines: dict[Key, Line] = {}
        # kind of data → branches of ReLU, max-pool and |·| in question, and all of them
        self.undecided_branches: dict[str, tuple[int, int]] = {}
        self.different_branches: dict[str, tuple[int, int]] = {}

    def exact(
        self, operation: str, quantity: str, ours: Array, theirs: Array, device: str = "cpu"
    ) -> None:
        """Check that two results agree bit for bit."""
        line = self._line(operation, quantity, ours, theirs, device, EXACT)
        agree = same_bits(ours, theirs)
        line.held &= bool(agree.all())
        assert agree.all(), (
            f"{operation} {quantity}: {(~agree).sum()} of {agree.size} elements differ; first at "
            f"{np.argwhere(~agree)[0].tolist()}: NumPy {np.asarray(ours)[~agree][0]!r}, torch "
            f"{np.asarray(theirs)[~agree][0]!r}"
        )

    def bounded(
        self,
        operation: str,
        quantity: str,
        ours: Array,
        theirs: Array,
        reference: Array,
        allowance: Allowance,
        device: str = "cpu",
        factor_roundoff: float = 0.0,
    ) -> None:
        """Check that the error of either result against a float64 evaluation is within its bound.

        The reference rounds too, in float64: that bound is added. `factor_roundoff` is the relative
        error of a product on a torch device that rounds its factors (TF32).
        """
        line = self._line(operation, quantity, ours, theirs, device, BOUNDED)
        dtype = np.asarray(ours).dtype
        bound = allowance.of(dtype) + allowance.of(np.float64)
        loose = bound * (1 + factor_roundoff) + factor_roundoff * allowance.gauge
        u = unit_roundoff(dtype)
        for side, result, allowed in (("numpy", ours, bound), ("torch", theirs, loose)):
            error = abs(np.asarray(result, np.float64) - reference)
            self._enter(line, side, error, allowed, worst_ratio(error, allowance.gauge, u))
            assert (error <= allowed).all(), (
                f"{operation} {quantity}: {side} is off by {error.max():.3g}, more than γₙ·G with "
                f"n = {allowance.n}, at {(error > allowed).sum()} of {error.size} elements"
            )

    def explained(
        self,
        operation: str,
        quantity: str,
        ours: Array,
        theirs: Array,
        where: Explained,
        device: str = "cpu",
    ) -> None:
        """Check that either result lies in its ball."""
        line = self._line(operation, quantity, ours, theirs, device, EXPLAINED)
        for side, result in (("numpy", ours), ("torch", theirs)):
            error = abs(np.asarray(result, np.float64) - where.center)
            self._enter(line, side, error, where.radius, worst_ratio(error, where.radius, 1.0))
            assert (error <= where.radius).all(), (
                f"{operation} {quantity}: {side} is outside its ball at "
                f"{(error > where.radius).sum()} of {error.size} elements"
            )

    def count_undecided(self, data: str, undecided: int, total: int) -> None:
        """Keep how many branches lay inside their error bound."""
        _add(self.undecided_branches, data, undecided, total)

    def count_different(self, data: str, different: int, total: int) -> None:
        """Keep how many branches the two networks took differently."""
        _add(self.different_branches, data, different, total)

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Forget on leaving what was entered meanwhile: for checks that are meant to fail."""
        before = copy.deepcopy(vars(self))
        try:
            yield
        finally:
            vars(self).update(before)

    def _line(
        self, operation: str, quantity: str, ours: Array, theirs: Array, device: str, grade: str
    ) -> Line:
        ours, theirs = np.asarray(ours), np.asarray(theirs)
        assert ours.shape == theirs.shape, f"{operation} {quantity}: {ours.shape}, {theirs.shape}"
        assert ours.dtype == theirs.dtype, f"{operation} {quantity}: {ours.dtype}, {theirs.dtype}"
        key = Key(operation, quantity, str(ours.dtype), device, grade)
        line = self.lines.setdefault(key, Line())
        line.cases += 1
        return line

    @staticmethod
    def _enter(line: Line, side: str, error: Array, allowed: Array, worst: float) -> None:
        setattr(line, f"{side}_worst", max(getattr(line, f"{side}_worst"), worst))
        line.held &= bool((error <= allowed).all())


def arrays(tensors: Mapping[str, object]) -> dict[str, Array]:
    """Return tensors, gradients off, as arrays of the same bits."""
    return {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}


def _add(counts: dict[str, tuple[int, int]], data: str, some: int, total: int) -> None:
    before = counts.get(data, (0, 0))
    counts[data] = before[0] + some, before[1] + total


LEDGER = Ledger()
