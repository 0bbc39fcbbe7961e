"""The BLAS behind NumPy's products of matrices: which it is, and how to hold it to one thread."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

ATTEMPTS = 100
"""How often a limit is set against other threads that set one at the same moment."""


def libraries() -> list[dict[str, Any]]:
    """Return what threadpoolctl tells of each BLAS: its `internal_api`, `version`, `architecture`.

    For OpenBLAS, the architecture is the kernel in force. Empty without threadpoolctl.
    """
    return [library.info() for library in _libraries()]


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Limit BLAS to one thread, so that threads of ours do not fight with its own for cores.

    It may be used from any thread, also from several at a time. Most libraries have one number for
    the process. The first user sets it to 1, and the last one sets it back. OpenBLAS on OpenMP has
    a number for each thread. This one's is set, and workers call `one_thread_here` when they start.
    Without threadpoolctl (math and parity run where only NumPy is) BLAS stays as it is.
    """
    own = [library for library in _libraries() if _is_per_thread(library)]
    own_before = [library.get_num_threads() for library in own]
    _enter()
    try:
        one_thread_here()
        yield
    finally:
        for library, count in zip(own, own_before, strict=True):
            _set(library, count)
        _leave()


def one_thread_here() -> None:
    """Limit those libraries to one thread, in this thread, that have a number for each thread."""
    for library in _libraries():
        if _is_per_thread(library):
            _set(library, 1)


_lock = Lock()
_users = 0
_before: list[tuple[Any, int]] = []


def _enter() -> None:
    global _users
    with _lock:
        if _users == 0:
            for library in _libraries():
                if not _is_per_thread(library):
                    _before.append((library, library.get_num_threads()))
                    _set(library, 1)
        _users += 1


def _leave() -> None:
    global _users
    with _lock:
        _users = max(0, _users - 1)  # a child begins with none, also one that was forked within
        if _users == 0:
            _lift()


def _lift() -> None:
    while _before:
        _set(*_before.pop())


def _begin_child() -> None:
    """Lift the limit in a forked child: whoever would have lifted it may be a thread it lacks."""
    global _lock, _users
    _lock, _users = Lock(), 0
    _lift()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_child)


@cache
def _libraries() -> tuple[Any, ...]:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return ()
    found = ThreadpoolController().lib_controllers
    return tuple(library for library in found if library.user_api == "blas")


def _is_per_thread(library: Any) -> bool:
    return library.internal_api == "openblas" and library.threading_layer == "openmp"


def _set(library: Any, count: int) -> None:
    """Set a library's number of threads, whichever thread this is.

    From 3.8 on, threadpoolctl ignores all threads but the first that ever set OpenBLAS's number,
    until that thread is relieved. Another one may take its place before ours is set.
    """
    relieve = getattr(library, "clear_controlling_thread", lambda force=False: None)
    for _ in range(ATTEMPTS):
        relieve(force=True)  # whoever it is
        library.set_num_threads(count)
        relieve()  # this thread
        if library.get_num_threads() == count:
            return
