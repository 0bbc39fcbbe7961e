"""What the allocator keeps, and what it gives back: resident memory, read from /proc."""

import gc
import os
import platform
import resource
from pathlib import Path

import numpy as np
import pytest

from numpy_siamese.parallel import heap

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="speaks to glibc's allocator")

BLOCK, BLOCKS = 2**16, 1000
"""Blocks small enough for the heap, 62.5 MiB together."""


def resident():
    """Return the bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@glibc
def test_what_is_freed_between_blocks_in_use_is_given_back():
    """Broken otherwise: a long run grows when a picture finds no room where another was."""
    heap.give_back()
    before = resident()
    blocks = [np.ones(BLOCK, np.uint8) for _ in range(BLOCKS)]
    last = blocks.pop()  # keeps the end of the heap in use
    blocks.clear()
    held = resident() - before
    heap.give_back()
    assert last.all()
    assert held > BLOCK * BLOCKS / 2  # otherwise there is nothing to give back
    assert resident() - before < BLOCK * BLOCKS / 10


def test_cycles_are_collected():
    """Broken otherwise: every picture's figure stays until Python looks for cycles by itself."""

    class Node:
        alive = 0

        def __init__(self):
            self.itself = self
            Node.alive += 1

        def __del__(self):
            Node.alive -= 1

    gc.disable()
    try:
        Node()
        assert Node.alive == 1
        heap.collect()
        assert Node.alive == 0
    finally:
        gc.enable()


@glibc
def test_memory_freed_within_a_step_is_not_given_back():
    """Broken otherwise: each step pays for the same page faults again."""
    heap.keep_freed()

    def work():
        np.ones(8 * 2**20, np.uint8)

    work()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        work()
    pages = 20 * 8 * 2**20 / os.sysconf("SC_PAGE_SIZE")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < pages / 10


def test_where_there_is_no_malloc_trim_nothing_happens(monkeypatch):
    """Broken otherwise: musl, macOS and Windows end in a traceback."""
    monkeypatch.setattr(heap.ctypes, "CDLL", lambda name: object())
    heap.collect()
    monkeypatch.setattr(heap.sys, "platform", "win32")
    monkeypatch.setattr(heap.ctypes, "CDLL", None)
    heap.collect()
