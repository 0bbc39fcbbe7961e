"""Measure a piece of work by several backends side by side, once they are seen to agree."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

import numpy as np

from benchmarks import agreement, energy, limits, memory
from benchmarks.backends import Backend, Job, NotRun
from benchmarks.backends.numpy_backend import NumpyBackend
from benchmarks.results import Cell
from benchmarks.timing import Timed, rounds
from benchmarks.workloads import REFERENCE_SIZE, Work
from numpy_siamese.errors import reason

REFERENCE = NumpyBackend("numpy in float64", np.float64)

GROUP_SECONDS = 4.0
OPERATION_SECONDS = 0.4


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
    empty = Cell(
        work.workload,
        work.label,
        work.size,
        backend="",
        threads=threads,
        flops=work.flops,
        images=work.images,
        traffic=work.traffic,
    )
    checked_size = min(work.size, REFERENCE_SIZE)
    ready: dict[str, tuple[Backend, Job, Cell]] = {}
    cells: dict[str, Cell] = {}
    with ExitStack() as stack:
        stack.enter_context(REFERENCE.threads(threads))
        reference = work.job(REFERENCE, checked_size).result()
        for backend in backends:
            cell = cells[backend.name] = replace(empty, backend=backend.name)
            try:
                if backend.missing:
                    raise NotRun(backend.missing)
                if work.workload in backend.leaves_out:
                    raise NotRun(backend.leaves_out[work.workload])
                _refuse_too_large(work, backend)
                stack.enter_context(backend.threads(threads))
                backend.enter()
                say(f"{work.label}, {threads} threads: {backend.name}")
                job = work.job(backend, checked_size)
                error = agreement.check(job.result(), reference, backend.unit_roundoff)
                if checked_size != work.size:
                    job = work.job(backend)
                ready[backend.name] = backend, job, replace(cell, error=error)
            except NotRun as error:
                cells[backend.name] = replace(cell, missing=f"not run: {reason(error)}")
            except agreement.Disagreement as error:
                cells[backend.name] = replace(cell, missing=f"refused: {reason(error)}")
            except (MemoryError, RuntimeError) as error:
                cells[backend.name] = replace(cell, missing=_failed(error))
        default = OPERATION_SECONDS if work.workload == "operations" else GROUP_SECONDS
        timed = {
            name: Timed(job.run, backend.enter, backend.synchronize)
            for name, (backend, job, _) in ready.items()
        }
        if work.workload == "step":
            timed[limits.MATRIX_PRODUCT] = limits.matrix_product(work.flops)
            cells[limits.MATRIX_PRODUCT] = replace(empty, backend=limits.MATRIX_PRODUCT, images=0)
        samples, failures = rounds(timed, default if seconds is None else seconds)
        for name, error in failures.items():
            cells[name] = replace(cells[name], missing=_failed(error))
        for name, taken in samples.items():
            if name not in ready:
                cells[name] = replace(cells[name], samples=taken)
                continue
            backend, job, cell = ready[name]
            if work.workload == "step":
                joules = energy.per_run(timed[name], backend.device)
                cell = replace(cell, joules=joules, device_bytes=backend.peak_bytes(job.run))
            cells[name] = replace(cell, samples=taken)
    yield from cells.values()


def _refuse_too_large(work: Work, backend: Backend) -> None:
    """Say so where a batch does not fit: an allocation too many would end the whole process."""
    if work.workload not in ("step", "scaling", "learn") or backend.device != "cpu":
        return
    needed, there = work.size * backend.bytes_per_pair(), memory.available()
    if needed > there:
        raise NotRun(
            f"needs about {needed / 2**30:.1f} GiB, but {there / 2**30:.1f} GiB are available"
        )


def _failed(error: BaseException) -> str:
    """Return one line about what went wrong."""
    first = (str(error).strip().splitlines() or [""])[0]
    return f"failed: {type(error).__name__} {reason(first)}".strip()
