"""What was found: cells, each of one piece of work by one backend."""

from dataclasses import dataclass, field

from benchmarks.limits import MATRIX_PRODUCT
from benchmarks.timing import quartiles, spread

NOISY = 0.1
"""A spread above this is marked."""

BUSY = 0.05
"""So is a share of CPU time above this that was not given, or that went elsewhere."""


@dataclass(frozen=True)
class Cell:
    """One piece of work by one backend: samples in seconds, or why there are none.

    Parameters
    ----------
    workload, label, size, backend, threads : which work, by whom
    samples : seconds of one run, one for each round
    missing : why there are none
    flops, images, traffic : of one run, as in `workloads.Work`
    error : relative error of the results, as `agreement.check` returns it
    device_bytes : most memory taken on the device
    cpu : seconds of CPU time of one run, of all threads
    waited : share of the CPU time asked for that was not given, `timing.Sample.waited`
    others, stolen : what went elsewhere in all rounds, `contention.Elsewhere`

    `cpu` and `waited` are medians of the rounds; None is what was not told.
    """

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
    device_bytes: int | None = None
    cpu: float | None = None
    waited: float | None = None
    others: float | None = None
    stolen: float | None = None

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What the cell is about."""
        return self.workload, self.label, self.backend, self.threads

    @property
    def median(self) -> float:
        """Return the median in seconds."""
        return quartiles(self.samples)[1]

    @property
    def on_cpu(self) -> bool:
        """Whether the work is done on the CPU."""
        return not self.backend.startswith("cuda")

    @property
    def noisy(self) -> bool:
        """Whether the quartiles lie far apart."""
        return spread(self.samples) > NOISY

    @property
    def kept_waiting(self) -> bool:
        """Whether its threads had to wait for cores."""
        return (self.waited or 0.0) > BUSY

    @property
    def disturbed(self) -> bool:
        """Whether they had to wait, or cores went elsewhere meanwhile."""
        return self.kept_waiting or max(self.others or 0.0, self.stolen or 0.0) > BUSY


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


def gemm_flops(results: Results, cell: Cell) -> float | None:
    """Return the rate of matrix products: of the same rounds if it was taken, or else the best."""
    beside = cell.workload, cell.label, MATRIX_PRODUCT, cell.threads
    for other in results.cells:
        if other.key == beside and not other.missing:
            return other.flops / other.median
    return results.limits.get(cell.threads, {}).get("gemm_flops")


def share_of_gemm(results: Results, cell: Cell) -> float | None:
    """Return the rate over that of matrix products, None for what is none or not on the CPU."""
    limit = gemm_flops(results, cell)
    if not cell.flops or not cell.on_cpu or limit is None:
        return None
    return cell.flops / cell.median / limit
