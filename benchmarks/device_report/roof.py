"""The roof over each layer: the time that the device's limits would allow."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.device_report.findings import Findings
from benchmarks.device_report.limits import COPY

PRODUCTS, COPYING = "products", "copying"


@dataclass(frozen=True)
class Under:
    """One direction of a layer under its roof.

    Parameters
    ----------
    layer, direction, precision, images : which
    flops, bytes, seconds : what was done, and how long it took
    least : seconds that the limits allow, None where one was not measured
    """

    layer: str
    direction: str
    precision: str
    images: int
    flops: float
    bytes: float
    seconds: float
    least: float | None
    bound: str

    @property
    def share(self) -> float | None:
        """The share of the roof that was reached."""
        return None if self.least is None else self.least / self.seconds


def under_the_roof(findings: Findings) -> Iterator[Under]:
    """Yield each measured layer, forward and backward.

    The least time is the longer of two: of the operations at the rate of matrix products, and of
    the bytes at the rate of copying.
    """
    rates = findings.rates()
    for arguments, found in findings.found("roofline"):
        precision = arguments["precision"]
        for direction, cost in found.items():
            computing = cost["flops"] / rates[precision] if precision in rates else None
            copying = cost["bytes"] / rates[COPY] if COPY in rates else None
            known = computing is not None and copying is not None
            yield Under(
                arguments["layer"],
                direction,
                precision,
                arguments["images"],
                cost["flops"],
                cost["bytes"],
                cost["seconds"],
                max(computing, copying) if known else None,
                PRODUCTS if known and computing > copying else COPYING,
            )
