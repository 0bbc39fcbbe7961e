"""Micro-batches on threads: work side by side, results in order, one BLAS thread each."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from itertools import islice
from typing import Any, TypeVar

import numpy as np

Item = TypeVar("Item")
Result = TypeVar("Result")


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_in_order(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None
) -> Iterator[Result]:
    """Yield function(item) for each item, in order, computed by `threads` threads.

    At most `threads` + 1 results are under way or waiting, however many items there are.
    """
    _keep_freed_memory()
    threads = threads or available_cores()
    if threads == 1:
        yield from map(function, items)
        return
    pool, rest = _pool(threads), iter(items)
    under_way = deque(pool.submit(function, item) for item in islice(rest, threads + 1))
    try:
        while under_way:
            result = under_way.popleft().result()
            under_way.extend(pool.submit(function, item) for item in islice(rest, 1))
            yield result
    finally:  # an error or Ctrl-C: leave nothing running that writes into the next call
        for future in under_way:
            future.cancel()


def single_threaded_blas() -> AbstractContextManager[Any]:
    """Limit BLAS to one thread, so that the threads of `map_in_order` do not fight for cores.

    Without threadpoolctl (math and parity run where only NumPy is) BLAS stays as it is.
    """
    controller = _blas_controller()
    return nullcontext() if controller is None else controller.limit(limits=1, user_api="blas")


@cache
def _keep_freed_memory() -> None:
    """Let glibc keep what a micro-batch frees for the next one, instead of giving it back.

    Otherwise every step pays for some thousand page faults, a fifth of its time. Freeing one block
    of just under 32 MiB raises the allocator's adaptive thresholds (mallopt(3), M_MMAP_THRESHOLD)
    for good; the block is never touched, so it costs nothing, and other allocators do not mind.
    """
    np.empty(32 * 2**20 - 2**16, np.uint8)


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="micro-batch")


@cache
def _blas_controller() -> Any:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()
