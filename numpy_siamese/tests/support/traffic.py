"""What goes between the host and a device that is not there, counted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import get_ident


@dataclass
class Traffic:
    """Copies in either direction, and the threads that worked.

    Attributes
    ----------
    reads : int
        Values that the host asked for, each of which waits for the device.
    uploads : int
        Arrays of NumPy that were copied to the device.
    threads : set of int
        Of which each has a current device and a stream of its own.
    """

    reads: int = 0
    uploads: int = 0
    threads: set[int] = field(default_factory=set)


_counters: list[Traffic] = []


@contextmanager
def counted() -> Iterator[Traffic]:
    """Count within."""
    traffic = Traffic()
    _counters.append(traffic)
    try:
        yield traffic
    finally:
        _counters.remove(traffic)


def read() -> None:
    """Count a read."""
    for traffic in _counters:
        traffic.reads += 1


def upload() -> None:
    """Count an upload."""
    for traffic in _counters:
        traffic.uploads += 1


def work() -> None:
    """Note the thread that works."""
    for traffic in _counters:
        traffic.threads.add(get_ident())
