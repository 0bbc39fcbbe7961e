"""Copies between host and device, and when they happen."""

from dataclasses import dataclass

import torch
from torch import Tensor

from torch_siamese.tests.support.streams import Clock, Streams, covers

TO_DEVICE, TO_HOST = "host to device", "device to host"


@dataclass(frozen=True)
class Copy:
    """A copy between host and device.

    Parameters
    ----------
    direction : TO_DEVICE or TO_HOST
    size : int
        Bytes.
    pinned : bool
        Whether the host's memory is pinned.
    non_blocking : bool
        Whether it was asked for.
    """

    direction: str
    size: int
    pinned: bool
    non_blocking: bool

    @property
    def blocks(self) -> bool:
        """Whether the host waits until it is done."""
        return not (self.pinned and self.non_blocking)


class Pending:
    """Copies that did not block, until the host waits for them."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._copies: list[tuple[Clock, Tensor, Tensor, bool]] = []

    def reads(self, host: Tensor) -> None:
        """Note that the device is about to read the host's memory."""
        self._add(host, host.clone(), arrives=False)

    def writes(self, host: Tensor, value: Tensor) -> None:
        """Note that the device is about to write to the host's memory."""
        _fill_with_garbage(host)
        self._add(host, value, arrives=True)

    def settle(self) -> None:
        """Let those happen that the host has waited for.

        Raises
        ------
        RuntimeError
            The host has written over what the device was about to read.
        """
        ready = [c for c in self._copies if covers(self._streams.done, c[0])]
        self._copies = [c for c in self._copies if not covers(self._streams.done, c[0])]
        for _, host, value, arrives in ready:
            if arrives:
                host.copy_(value)
            elif not _same_bytes(host, value):
                raise RuntimeError("pinned memory was written over while a copy was to read it")

    def _add(self, host: Tensor, value: Tensor, arrives: bool) -> None:
        clock = dict(self._streams.current.clock)
        self._copies.append((clock, host, value, arrives))


def _fill_with_garbage(host: Tensor) -> None:
    """Write NaN, the largest integer, or True."""
    if host.is_floating_point():
        host.fill_(torch.nan)
    else:
        host.fill_(True if host.dtype == torch.bool else torch.iinfo(host.dtype).max)


def _same_bytes(one: Tensor, other: Tensor) -> bool:
    return torch.equal(*(x.contiguous().view(torch.uint8) for x in (one, other)))
