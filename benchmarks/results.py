"""What was found: cells, each of one piece of work by one backend."""

from dataclasses import dataclass, field

from benchmarks.limits import MATRIX_PRODUCT
from benchmarks.timing import quartiles, spread

NOISY = 0.1
"""A spread above this is marked."""


@dataclass(frozen=True)
class Cell:
    """One piece of work by one backend: samples in seconds, or why there are none."""

    workload: str
    label: str
    size: int
    backend: str
    threads: int
    samples: list[float] = field(default_factory=list)
    missing: str = ""
    flops: float = 0.0
    images: int = 0
    traffic: float = 0.0
    error: float = 0.0
    joules: float | None = None
    device_bytes: int | None = None

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What the cell is about."""
        return self.workload, self.label, self.backend, self.threads

    @property
    def median(self) -> float:
        """Return the median in seconds."""
        return quartiles(self.samples)[1]

    @property
    def noisy(self) -> bool:
        """Whether the quartiles lie far apart."""
        return spread(self.samples) > NOISY


@dataclass(frozen=True)
class Memory:
    """Peak resident memory of a process that trains, in bytes, or why it was not measured."""

    backend: str
    pairs: int
    before: int = 0
    peak: int = 0
    missing: str = ""


@dataclass
class Results:
    """All that one run of the benchmarks found.

    Parameters
    ----------
    environment : facts by name
    limits : threads → `limits.measure`
    cells, memory : what was measured
    """

    environment: dict[str, str]
    limits: dict[int, dict[str, float]] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)


def gemm_flops(results: Results, cell: Cell) -> float:
    """Return the rate of matrix products: of the same rounds if it was taken, or else the best."""
    beside = cell.workload, cell.label, MATRIX_PRODUCT, cell.threads
    for other in results.cells:
        if other.key == beside and not other.missing:
            return other.flops / other.median
    return results.limits[cell.threads]["gemm_flops"]
