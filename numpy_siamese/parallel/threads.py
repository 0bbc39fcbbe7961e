"""Micro-batches and twins on threads: side by side, results in order."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import cache
from itertools import islice
from threading import current_thread
from typing import Any, TypeVar

from numpy_siamese.parallel import heap
from numpy_siamese.parallel.blas import one_thread_here
from numpy_siamese.parallel.cores import default_threads

Item = TypeVar("Item")
Result = TypeVar("Result")

WORKER = "micro-batch"
"""How the names of worker threads begin."""

HELPER = "twin"
"""How those of helpers begin."""


def map_in_order(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None
) -> Generator[Result, None, None]:
    """Yield function(item) for each item, in order, computed by `threads` threads.

    At most `threads` + 1 results are under way or waiting, however many items there are. Closing
    the iterator, or an error, drops what waits and ends when nothing runs any more. Called from
    within such a function it does the work itself, one item after the other.
    """
    heap.keep_freed()
    threads = threads or default_threads()
    if threads == 1 or current_thread().name.startswith(WORKER):
        yield from map(function, items)
        return
    pool, rest = _pool(threads), iter(items)
    under_way: deque[Future[Result]] = deque()
    try:
        under_way.extend(_submit(pool, function, item) for item in islice(rest, threads + 1))
        while under_way:
            result = under_way.popleft().result()
            under_way.extend(_submit(pool, function, item) for item in islice(rest, 1))
            yield result
    finally:
        for future in under_way:
            future.cancel()
        wait(under_way)


def side_by_side(function: Callable[..., Result], *arguments: Iterable[Any]) -> list[Result]:
    """Map one or more items, all worked on at once: the last here, the others on threads."""
    heap.keep_freed()
    *others, last = zip(*arguments, strict=True)
    if current_thread().name.startswith(HELPER):  # a helper that waits for helpers may wait forever
        return [function(*item) for item in (*others, last)]
    under_way = [_submit(_helpers(), function, *item) for item in others]
    try:
        own = function(*last)
    finally:
        wait(under_way)
    return [*(future.result() for future in under_way), own]


def _submit(
    pool: ThreadPoolExecutor, function: Callable[..., Result], *arguments: Any
) -> Future[Result]:
    """Submit a call that runs under the `np.errstate` of here, which is no other thread's."""
    return pool.submit(copy_context().run, function, *arguments)


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix=WORKER, initializer=one_thread_here)


@cache
def _helpers() -> ThreadPoolExecutor:
    """Threads that wait for no other, whoever they help: not those of `map_in_order`."""
    return ThreadPoolExecutor(thread_name_prefix=HELPER, initializer=one_thread_here)


if hasattr(os, "register_at_fork"):  # a child has the pools, but none of their threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
    os.register_at_fork(after_in_child=_helpers.cache_clear)
