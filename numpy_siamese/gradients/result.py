"""What a check of a gradient finds."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

Index = tuple[int, ...]

MOST_NAMED = 5
"""Entries that are left out and that a text names."""


class Fault(NamedTuple):
    """What is wrong with a gradient.

    Attributes
    ----------
    place : tuple of int or None
        The first wrong entry. None if the gradient is of another shape than its argument.
    analytic, numeric, bound : float
        There: the pullback's value, that of the differences, and the bound on the latter's error.
    guess : str
        What the mistake may be. Empty if nothing fits.
    """

    place: Index | None
    analytic: float
    numeric: float
    bound: float
    guess: str


class ArgumentCheck(NamedTuple):
    """The check of the gradient of one argument. Its string says what was found.

    Attributes
    ----------
    name : str
        The argument's.
    checked : int
        Entries that were compared.
    wrong : int
        Entries that are wrong.
    worst : float
        The largest |analytic − numeric| in units of its bound. NaN if no entry was compared.
    error, bound : float
        Both of that entry, as shares of the argument's largest gradient. (A gradient that is 0 but
        for rounding has none. It is compared with 10⁻⁴ Σ|dy·y| over a typical entry.)
    kinks : list of tuple of int
        Entries that were left out, since they lie too near a kink.
    lost : list of tuple of int
        Entries that were left out, since rounding hides their slopes.
    fault : Fault or None
    """

    name: str
    checked: int
    wrong: int
    worst: float
    error: float
    bound: float
    kinks: list[Index]
    lost: list[Index]
    fault: Fault | None

    @property
    def held(self) -> bool:
        """Whether at least one entry was compared, and none was wrong."""
        return self.checked > 0 and self.fault is None

    def notes(self) -> Iterator[str]:
        """Yield lines on what is wrong and on what was left out."""
        fault = self.fault
        if fault and fault.place is not None:
            yield (
                f"at {_entry(fault.place)}: {fault.analytic:.9g}, differences give "
                f"{fault.numeric:.9g} ± {fault.bound:.1g}"
            )
        if fault and fault.guess:
            yield fault.guess
        if self.kinks:
            yield f"too near a kink: {_entries(self.kinks)}"
        if self.lost:
            yield f"lost in rounding: {_entries(self.lost)}"
        if not self.checked and not fault:
            yield "no entry could be compared"

    def __str__(self) -> str:
        if self.fault and self.fault.place is None:
            found = "wrong"
        elif self.fault:
            found = f"{self.wrong} of {self.checked} entries wrong"
        else:
            entries = "1 entry" if self.checked == 1 else f"{self.checked} entries"
            found = f"{entries} right, error {self.error:.1e}, bound {self.bound:.1e}"
        return "\n  ".join([f"{self.name}: {found}", *self.notes()])


def _entries(places: Sequence[Index]) -> str:
    more = len(places) - MOST_NAMED
    named = ", ".join(map(_entry, places[:MOST_NAMED]))
    return f"{named} and {more} more" if more > 0 else named


def _entry(place: Index) -> str:
    return f"[{', '.join(map(str, place))}]" if place else "()"
