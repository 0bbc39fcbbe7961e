"""BLAS's threads, by threadpoolctl, which is imported where it is used.

A report on a device (`benchmarks.device_report`) does without it.
"""

from contextlib import AbstractContextManager
from typing import Any


def threadpool_limits(count: int, user_api: str = "blas") -> AbstractContextManager[Any]:
    """Return the context in which BLAS takes so many threads."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(count, user_api=user_api)


def threadpool_info() -> list[dict[str, Any]]:
    """Return the pools of threads in this process."""
    from threadpoolctl import threadpool_info

    return threadpool_info()
