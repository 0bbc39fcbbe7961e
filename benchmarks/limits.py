"""What the machine can do at most: its rate of matrix products and its copy bandwidth, measured."""

import time
from collections.abc import Callable

import numpy as np

from benchmarks.blas_threads import threadpool_limits
from benchmarks.timing import Timed, once

SIZE = 1536
"""Rows and columns of the matrices: the product runs from cache, and long enough to count."""

COPIED = 2**25
"""Floats copied: 128 MiB, more than caches hold."""

MATRIX_PRODUCT = "matrix product"
"""The name under which the limit of a step stands among the backends."""

PAUSE = 0.1
"""Seconds to wait until OpenBLAS's idle threads stop spinning: 0.07 were seen."""


def settle() -> None:
    """Wait until BLAS's threads let go of their cores."""
    time.sleep(PAUSE)


def matrix_product(flops: float) -> Timed:
    """Return one product of square matrices that takes so many operations, on BLAS's threads.

    Taken in the same rounds as what it limits: the machine's pace then meets both.
    """
    return Timed(_product(round((flops / 2) ** (1 / 3))), leave=settle)


def measure(threads: int, seconds: float = 1.0) -> dict[str, float]:
    """Return `gemm_flops`, floating-point operations a second in float32, and `copy_bytes`.

    The best of some runs, for a limit is what was reached once. Copying counts what is read and
    what is written; NumPy copies on one thread, whatever `threads` is.
    """
    source = np.zeros(COPIED, np.float32)
    copy = np.empty_like(source)
    with threadpool_limits(threads, user_api="blas"):
        gemm = _best(Timed(_product(SIZE)), seconds)
    copying = _best(Timed(lambda: np.copyto(copy, source)), seconds)
    return {"gemm_flops": 2.0 * SIZE**3 / gemm, "copy_bytes": 2.0 * source.nbytes / copying}


def _product(n: int) -> Callable[[], object]:
    """Return what multiplies two n × n matrices."""
    a, b = np.random.default_rng(0).random((2, n, n), dtype=np.float32)
    product = np.empty_like(a)
    return lambda: np.matmul(a, b, out=product)


def _best(job: Timed, seconds: float) -> float:
    start, best = time.perf_counter(), once(job).seconds
    while time.perf_counter() - start < seconds:
        best = min(best, once(job).seconds)
    return best
