"""Memory of the simulated device, and pinned memory of the host."""

from weakref import WeakKeyDictionary, WeakSet

import torch
from torch import Tensor


class DeviceMemory:
    """What lies on the device.

    Parameters
    ----------
    limit : int or None
        Bytes. More raise what CUDA raises.

    Attributes
    ----------
    peak : int
        The most bytes that were held at once.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.limit, self.peak = limit, 0
        self._blocks: WeakKeyDictionary[torch.UntypedStorage, int] = WeakKeyDictionary()
        self._pinned: WeakSet[torch.UntypedStorage] = WeakSet()

    @property
    def held(self) -> int:
        """Bytes that are held now."""
        return sum(self._blocks.values())

    def take(self, tensor: Tensor) -> None:
        """Count a tensor's memory.

        Raises
        ------
        torch.OutOfMemoryError
        """
        storage = tensor.untyped_storage()
        if storage in self._blocks:
            return
        size, held = storage.nbytes(), self.held
        if self.limit is not None and held + size > self.limit:
            raise torch.OutOfMemoryError(
                f"CUDA out of memory. Tried to allocate {size} bytes. GPU 0 has a total capacity "
                f"of {self.limit} bytes of which {self.limit - held} bytes is free."
            )
        self._blocks[storage] = size
        self.peak = max(self.peak, held + size)

    def pin(self, tensor: Tensor) -> Tensor:
        """Note that a tensor of the host lies in pinned memory."""
        self._pinned.add(tensor.untyped_storage())
        return tensor

    def is_pinned(self, tensor: Tensor) -> bool:
        """Whether a tensor of the host lies in pinned memory."""
        return tensor.untyped_storage() in self._pinned
