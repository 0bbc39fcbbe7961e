"""What the suite has shown so far, one line for each operation, quantity, dtype and grade."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from parity_tests.bounds import EXACT, Allowance, same_bits, unit_roundoff, worst_ratio

Array = np.ndarray


@dataclass(frozen=True)
class Explained:
    """Where a result must lie: within `radius` of `center`, from a running error analysis."""

    center: Array
    radius: Array


@dataclass
class Line:
    """Cases seen, the worst err/(u·G) of either side, and whether all of them held."""

    cases: int = 0
    numpy_worst: float = 0.0
    torch_worst: float = 0.0
    held: bool = True


class Ledger:
    """Check results against their grade and keep the worst of each kind."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, str, str, str, str], Line] = {}
        self.branches: dict[str, tuple[int, int]] = {}
        self.different_branches: dict[str, tuple[int, int]] = {}

    def exact(self, operation: str, quantity: str, ours: Array, theirs: Array) -> None:
        """Check that two results agree bit for bit."""
        line = self._line(operation, quantity, ours, theirs, EXACT)
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
    ) -> None:
        """Check that the error of either result against a float64 evaluation is within its bound.

        For float64 results the reference has an error of the same bound itself, which is added.
        """
        line = self._line(operation, quantity, ours, theirs, "bounded")
        dtype = np.asarray(ours).dtype
        bound = allowance.of(dtype) + allowance.of(np.float64)
        for side, result in (("numpy", ours), ("torch", theirs)):
            error = abs(np.asarray(result, np.float64) - reference)
            ratio = worst_ratio(error, allowance.gauge, unit_roundoff(dtype))
            setattr(line, f"{side}_worst", max(getattr(line, f"{side}_worst"), ratio))
            held = error <= bound
            line.held &= bool(held.all())
            assert held.all(), (
                f"{operation} {quantity}: {side} is off by {error[~held].max():.3g} where "
                f"{np.broadcast_to(bound, error.shape)[~held].min():.3g} is allowed "
                f"(n = {allowance.n}); {(~held).sum()} of {held.size} elements"
            )

    def explained(
        self, operation: str, quantity: str, ours: Array, theirs: Array, where: Explained
    ) -> None:
        """Check that either result lies in its ball; the worst is the largest err/radius."""
        line = self._line(operation, quantity, ours, theirs, "explained")
        for side, result in (("numpy", ours), ("torch", theirs)):
            error = abs(np.asarray(result, np.float64) - where.center)
            ratio = worst_ratio(error, where.radius, 1.0)
            setattr(line, f"{side}_worst", max(getattr(line, f"{side}_worst"), ratio))
            held = error <= where.radius
            line.held &= bool(held.all())
            assert held.all(), (
                f"{operation} {quantity}: {side} is outside its ball at {(~held).sum()} of "
                f"{held.size} elements, by up to {(error / where.radius)[~held].max():.3g} radii"
            )

    def decisions(self, dtype: str, undecided: int, total: int) -> None:
        """Keep how many branches of ReLU, max-pool and |·| lay inside their error bound."""
        before = self.branches.get(dtype, (0, 0))
        self.branches[dtype] = before[0] + undecided, before[1] + total

    def branches_differ(self, dtype: str, different: int, total: int) -> None:
        """Keep how many branches of ReLU and max-pool the two networks took differently."""
        before = self.different_branches.get(dtype, (0, 0))
        self.different_branches[dtype] = before[0] + different, before[1] + total

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Forget on leaving what was entered meanwhile: for checks that are meant to fail."""
        before = copy.deepcopy(vars(self))
        try:
            yield
        finally:
            vars(self).update(before)

    def table(self) -> str:
        """Return the lines as an aligned table."""
        header = ("operation", "quantity", "dtype", "device", "grade", "cases")
        header += ("worst NumPy", "worst torch", "verdict")
        rows = [header]
        for key, line in sorted(self.lines.items()):
            worst = (f"{line.numpy_worst:.2f}", f"{line.torch_worst:.2f}")
            if key[-1] == EXACT:
                worst = ("0", "0") if line.held else ("-", "-")
            rows.append((*key, str(line.cases), *worst, "held" if line.held else "BROKEN"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )

    def _line(self, operation: str, quantity: str, ours: Array, theirs: Array, grade: str) -> Line:
        ours, theirs = np.asarray(ours), np.asarray(theirs)
        assert ours.shape == theirs.shape, f"{operation} {quantity}: {ours.shape}, {theirs.shape}"
        assert ours.dtype == theirs.dtype, f"{operation} {quantity}: {ours.dtype}, {theirs.dtype}"
        key = (operation, quantity, str(ours.dtype), "cpu", grade)
        line = self.lines.setdefault(key, Line())
        line.cases += 1
        return line


def arrays(tensors: Mapping[str, object]) -> dict[str, Array]:
    """Return tensors, gradients off, as arrays of the same bits."""
    return {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}


LEDGER = Ledger()
