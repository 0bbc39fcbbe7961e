"""The connection of a rank with the others."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist

from numpy_siamese.errors import InputError, reason
from torch_siamese.distributed.group import Group
from torch_siamese.distributed.launch import TIMEOUT, Launch

KEPT: list[object] = []
"""The groups of this process, which are never taken apart. Their destructor waits for threads that
may wait for Python in turn."""

PAUSE = 0.2
"""Seconds between attempts to reach the address where ranks meet."""


@contextmanager
def joined(launch: Launch) -> Iterator[Group]:
    """Connect with the other ranks. Within, PyTorch's default process group is theirs.

    Gradients on the CPU go through gloo, those on CUDA through NCCL.

    Raises
    ------
    InputError
        The address cannot be reached, or not all ranks have come in time.
    """
    wait = timedelta(seconds=launch.timeout)
    place = f"MASTER_ADDR {launch.address}, MASTER_PORT {launch.port}"
    try:
        if launch.rank:
            _wait_for(launch)
        store, _, _ = next(dist.rendezvous("env://", launch.rank, launch.size, timeout=wait))
        store = dist.PrefixStore(f"torch_siamese {launch.restarts}", store)
        with_cuda = torch.cuda.is_available() and dist.is_nccl_available()
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if with_cuda else "gloo",
            store=dist.PrefixStore("group", store),
            rank=launch.rank,
            world_size=launch.size,
            timeout=wait,
        )
    except (RuntimeError, OSError, ValueError) as error:
        raise InputError(
            f"{place}: rank {launch.rank} found no way to the others ({reason(error)[:160]}), "
            f"expected all {launch.size} there within {launch.timeout:g} s ({TIMEOUT})"
        ) from error
    group = Group(launch, store)
    KEPT.append((group, dist.group.WORLD))
    try:
        yield group
    except BaseException:  # a rank that is waited for may never come: leave without asking
        if group.speaks:
            group.leave()
        raise
    group.meet()
    dist.destroy_process_group()


def _wait_for(launch: Launch) -> None:
    """Return once the address can be reached. PyTorch's own attempts cannot be interrupted.

    Raises
    ------
    OSError
        It cannot be reached in time.
    """
    end = time.monotonic() + launch.timeout
    while True:
        try:
            left = max(end - time.monotonic(), PAUSE)
            socket.create_connection((launch.address, launch.port), left).close()
            return
        except OSError:
            if time.monotonic() + PAUSE > end:
                raise
        time.sleep(PAUSE)
