"""A tensor that says it is on CUDA, and holds a tensor of the CPU with its numbers."""

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

CUDA = torch.device("cuda", 0)

STAND_IN = torch.device("lazy", 0)
"""What PyTorch's own code takes the device for: a build without CUDA can differentiate there."""

_AUTOCAST = torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastCUDA)


class DeviceTensor(Tensor):
    """A tensor on the simulated device.

    Operations reach it through the modes of a `CountingDevice`, never otherwise.

    Parameters
    ----------
    held : Tensor
        Of the CPU.
    """

    held: Tensor
    __torch_function__: ClassVar[Callable[..., Any]] = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held: Tensor) -> "DeviceTensor":
        own = Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=STAND_IN,
            _extra_dispatch_keys=_AUTOCAST,
        )
        own.held = held
        return own

    @classmethod
    def __torch_dispatch__(cls, func: Any, *_: Any) -> Any:
        raise RuntimeError(f"{func}: no simulated device is in force in this thread")

    def __tensor_flatten__(self) -> tuple[list[str], None]:
        """Say that it wraps another. So `Module.to` swaps a parameter, and assigns no `data`."""
        return ["held"], None

    @staticmethod
    def __tensor_unflatten__(inner: Any, meta: Any, size: Any, stride: Any) -> "DeviceTensor":
        return DeviceTensor(inner["held"])

    device = property(lambda self: CUDA)
    is_cuda = property(lambda self: True)

    @property
    def data(self) -> Tensor:
        return self.detach()

    @data.setter
    def data(self, other: Tensor) -> None:
        raise NotImplementedError("assigning `data` is not simulated, use copy_")

    def get_device(self) -> int:
        return 0

    def data_ptr(self) -> int:
        return self.held.data_ptr()

    def untyped_storage(self) -> torch.UntypedStorage:
        return self.held.untyped_storage()

    def numpy(self, *, force: bool = False) -> Any:
        if force:
            return self.detach().cpu().numpy()
        raise TypeError(
            "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor "
            "to host memory first."
        )

    def tolist(self) -> Any:
        return self.detach().cpu().tolist()

    def record_stream(self, stream: Any) -> None:
        """Keep the memory until the stream's work is done, which Python's references do here."""

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"tensor({self.tolist()}, device='cuda:0')"

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if id(self) not in memo:
            copy: Tensor = self.detach().clone()
            if isinstance(self, nn.Parameter):
                copy = nn.Parameter(copy, self.requires_grad)
            memo[id(self)] = copy
        copied: Tensor = memo[id(self)]
        return copied
