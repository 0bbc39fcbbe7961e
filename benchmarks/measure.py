"""Measure a piece of work by several backends side by side, once they are seen to agree."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace

import numpy as np

from benchmarks import contention, limits, memory
from benchmarks.agreement import Disagreement, check, check_change
from benchmarks.backends.base import Backend, Job, NotRun
from benchmarks.backends.base import Results as Arrays
from benchmarks.backends.numpy_backend import NumpyBackend
from benchmarks.blas_threads import threadpool_limits
from benchmarks.results import Cell
from benchmarks.timing import Sample, Timed, rounds
from benchmarks.workloads import Work
from numpy_siamese.errors import reason

REFERENCE = NumpyBackend("numpy in float64", np.float64)

GROUP_SECONDS = 4.0
OPERATION_SECONDS = 0.4

TRAINING = ("step", "scaling", "learn")
"""Workloads whose memory grows with the batch."""


@dataclass(frozen=True)
class Outcome:
    """What a first run computed, and the weights before and after it."""

    results: Arrays
    before: Arrays
    after: Arrays


def measure(
    work: Work,
    backends: Sequence[Backend],
    threads: int,
    seconds: float | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[Cell]:
    """Yield one cell for each backend, and for a step one of a matrix product of its operations.

    Parameters
    ----------
    work : Work
    backends : sequence of Backend
        CPU and CUDA alike; each is prepared in turn, then they run in turns.
    threads : int
        For every backend on the CPU.
    seconds : float, optional
        About how long the rounds go on; default 4, and 0.4 for a single operation.
    say : where to report progress
    """
    cells: dict[str, Cell] = {}
    ready: dict[str, tuple[Backend, Job]] = {}
    expected = _outcome(work.job(REFERENCE, work.checked))
    with ExitStack() as stack:
        stack.enter_context(threadpool_limits(threads, user_api="blas"))  # for the matrix product
        for backend in backends:
            cell = _empty_cell(work, backend.name, threads)
            try:
                _refuse(work, backend)
                stack.enter_context(backend.threads(threads))
                say(f"{work.label}, {threads} threads: {backend.name}")
                job, error = _agreed(work, backend, expected)
                ready[backend.name] = backend, job
                cells[backend.name] = replace(cell, error=error)
            except (NotRun, Disagreement, MemoryError, RuntimeError) as error:
                cells[backend.name] = replace(cell, missing=_why_missing(error))
        timed = {
            name: _timed(job, backend, work.workload) for name, (backend, job) in ready.items()
        }
        if work.workload == "step":
            timed[limits.MATRIX_PRODUCT] = limits.matrix_product(work.flops)
            cells[limits.MATRIX_PRODUCT] = replace(
                _empty_cell(work, limits.MATRIX_PRODUCT, threads), images=0
            )
        before = contention.cores()
        samples, failures = rounds(timed, _seconds(work) if seconds is None else seconds)
        elsewhere = contention.elsewhere(before, contention.cores())
        for name, taken in samples.items():
            cells[name] = _filled(cells[name], taken, elsewhere)
        for name, failure in failures.items():
            cells[name] = replace(cells[name], missing=_why_missing(failure))
        for name, (backend, job) in ready.items():
            if backend.threads_in_force() != threads:
                fewer = f"refused: in the end it runs on {backend.threads_in_force()} threads"
                cells[name] = replace(cells[name], samples=[], missing=fewer)
            elif work.workload == "step" and not cells[name].missing:
                cells[name] = replace(cells[name], device_bytes=backend.peak_bytes(job.run))
    yield from cells.values()


def _timed(job: Job, backend: Backend, workload: str) -> Timed:
    timed = Timed(job.run, backend.enter, backend.synchronize)
    return replace(timed, timer=backend.timer(workload), count=job.count)


def _empty_cell(work: Work, backend: str, threads: int) -> Cell:
    return Cell(
        work.workload,
        work.label,
        work.size,
        backend,
        threads,
        flops=work.flops,
        images=work.images,
        traffic=work.traffic,
    )


def _refuse(work: Work, backend: Backend) -> None:
    """Say so where a backend cannot do the work, or where a batch does not fit.

    An allocation too many would end the whole process.
    """
    if backend.missing:
        raise NotRun(backend.missing)
    if work.workload in backend.leaves_out:
        raise NotRun(backend.leaves_out[work.workload])
    if work.workload not in TRAINING or backend.device != "cpu":
        return
    if work.size > backend.most_pairs:
        raise NotRun(f"has no micro-batches, {backend.most_pairs:,} pairs are its most here")
    needed, there = work.size * backend.bytes_per_pair(), memory.available()
    if needed > there:
        raise NotRun(
            f"needs about {needed / 2**30:.1f} GiB, but {there / 2**30:.1f} GiB are available"
        )


def _agreed(work: Work, backend: Backend, expected: Outcome) -> tuple[Job, float]:
    """Return the job to be timed, and the error of one that was seen to do the same as expected."""
    backend.enter()
    job = work.job(backend, work.checked)
    found = _outcome(job, backend.verified)
    error = check(found.results, expected.results, backend.unit_roundoff)
    reference = expected.before, expected.after
    check_change(found.before, found.after, reference, backend.unit_roundoff)
    return (job if work.checked == work.size else work.job(backend)), error


def _outcome(
    job: Job, verified: Callable[[], AbstractContextManager[None]] = nullcontext
) -> Outcome:
    before = job.weights()
    with verified():
        output = (job.once or job.run)()
    return Outcome(job.named(output), before, job.weights())


def _seconds(work: Work) -> float:
    return OPERATION_SECONDS if work.workload == "operations" else GROUP_SECONDS


def _filled(cell: Cell, taken: list[Sample], elsewhere: contention.Elsewhere | None) -> Cell:
    """Return the cell with its samples, and with what tells how they came about."""
    if elsewhere is not None:
        cell = replace(cell, others=elsewhere.others, stolen=elsewhere.stolen)
    if cell.on_cpu:  # the CPU of a job on a device waits for the device
        waited = float(np.median([sample.waited for sample in taken]))
        cell = replace(cell, cpu=float(np.median([sample.cpu for sample in taken])), waited=waited)
    return replace(cell, samples=[sample.seconds for sample in taken])


def _why_missing(error: Exception) -> str:
    """Return one line about what went wrong."""
    if isinstance(error, NotRun):
        return f"not run: {reason(error)}"
    if isinstance(error, Disagreement):
        return f"refused: {reason(error)}"
    first = (str(error).strip().splitlines() or [""])[0]
    return f"failed: {type(error).__name__} {reason(first)}".strip()
