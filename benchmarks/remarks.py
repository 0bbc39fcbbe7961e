"""What whoever reads the results should know first, one sentence each."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from benchmarks.limits import MATRIX_PRODUCT
from benchmarks.ratios import unpaired
from benchmarks.results import BUSY, Cell, Results, share_of_gemm

WEAKER = "weaker than the processor"
"""How the facts of the environment begin that tell of code which does without what there is."""


def about(results: Results, workload: str) -> list[str]:
    """Return the remarks on the times of a workload."""
    cells = _measured(results, workload)
    return [*busy(results, workload), *_above_limit(results, cells), *_no_faster(cells)]


def of_environment(results: Results) -> list[str]:
    """Return the remarks on code that does without what the processor can do."""
    return [said for name, said in results.environment.items() if name.startswith(WEAKER)]


def of_limits(results: Results) -> list[str]:
    """Return the remarks on numbers of threads on which matrix products are no faster."""
    found = []
    for fewer, more in pairwise(sorted(results.limits)):
        ratio = results.limits[more]["gemm_flops"] / results.limits[fewer]["gemm_flops"]
        if ratio <= 1:
            found.append(
                f"matrix products on {more} threads reach {ratio:.2f}× the rate on {fewer}"
            )
    return found


def busy(results: Results, workload: str) -> Iterator[str]:
    """Yield that threads waited for cores, and who had them."""
    cells = _measured(results, workload)
    waiting = [cell.waited for cell in cells if cell.kept_waiting]
    if waiting:
        yield (
            f"the machine was busy: in {len(waiting)} of {len(cells)} times threads waited for "
            f"more than {BUSY:.0%} of the CPU time they asked for, up to {max(waiting):.0%}"
        )
    for taker, shares in (
        ("other processes", [cell.others or 0.0 for cell in cells]),
        ("other machines of the host", [cell.stolen or 0.0 for cell in cells]),
    ):
        if max(shares, default=0.0) > BUSY:
            yield f"the machine was busy: {taker} took up to {max(shares):.0%} of its cores"


def _measured(results: Results, workload: str) -> list[Cell]:
    return [cell for cell in results.cells if cell.workload == workload and not cell.missing]


def _above_limit(results: Results, cells: Sequence[Cell]) -> Iterator[str]:
    """Say which cells are faster than what is to be the machine's limit."""
    for cell in cells:
        share = share_of_gemm(results, cell)
        if share is not None and share > 1 and cell.backend != MATRIX_PRODUCT:
            yield (
                f"{_named(cell)}: {share:.0%} of the machine's rate of matrix products, which was "
                "measured while it was busier, or work is left out"
            )


def _no_faster(cells: Sequence[Cell]) -> Iterator[str]:
    """Say where more threads are not faster beyond the noise."""
    for key in dict.fromkeys((cell.label, cell.backend) for cell in cells if cell.on_cpu):
        own = [cell for cell in cells if (cell.label, cell.backend) == key]
        for fewer, more in pairwise(sorted(own, key=lambda cell: cell.threads)):
            ratio = unpaired(more.samples, fewer.samples)
            if ratio.high >= 1:
                yield f"{_named(more)}: no faster than on {fewer.threads} beyond the noise, {ratio}"


def _named(cell: Cell) -> str:
    threads = "1 thread" if cell.threads == 1 else f"{cell.threads} threads"
    return f"{cell.backend}, {cell.label}, on {threads}"
