"""What becomes of freed memory: kept from step to step, given back after checkpoints and pictures.

This speaks to glibc's allocator and changes nothing where there is another one.
"""

import ctypes
import gc
import sys
from functools import cache

import numpy as np


@cache
def keep_freed() -> None:
    """Let glibc keep what a micro-batch frees for the next one, instead of giving it back.

    Otherwise every step pays for some thousand page faults, a fifth of its time. Freeing one block
    of just under 32 MiB raises the allocator's adaptive thresholds for good (mallopt(3),
    M_MMAP_THRESHOLD). The block is never touched, so it costs nothing. Other allocators do not
    mind.
    """
    np.empty(32 * 2**20 - 2**16, np.uint8)


def give_back() -> None:
    """Give freed memory back, also from between blocks in use (malloc_trim(3)).

    A checkpoint or a picture takes megabytes where it finds them. Without this a long run grows in
    steps, whenever what the last one left does not suffice for the next.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl has not
        if trim is not None:
            trim(0)


def collect() -> None:
    """Give back what cycles hold as well: a picture's figure is full of them."""
    gc.collect()
    give_back()
