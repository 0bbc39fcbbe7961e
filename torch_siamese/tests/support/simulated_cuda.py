"""What makes `torch.cuda` and the name of a device mean the simulated one."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree
from torch.utils._python_dispatch import TorchDispatchMode

from torch_siamese.tests.support import recorded_graph
from torch_siamese.tests.support.device_tensor import STAND_IN, DeviceTensor

NAME = "simulated CUDA device"

FROM_NUMBERS = (torch.tensor, torch.as_tensor, torch.asarray, torch.scalar_tensor)
"""They make a tensor of the CPU first, and copy it."""

LOWERED_BY_AUTOCAST = {torch.conv2d, F.linear, torch.matmul, Tensor.matmul, Tensor.__matmul__}
LOWERED_BY_AUTOCAST |= {torch.mm, torch.bmm, torch.addmm}

REFUSED_UNDER_AUTOCAST = {F.binary_cross_entropy, torch._C._nn.binary_cross_entropy}


@contextmanager
def in_force(device: Any) -> Iterator[None]:
    """Let `cuda` be a `CountingDevice`, in this thread and in those that begin now."""
    run = threading.Thread.run

    def run_there(thread: threading.Thread) -> None:
        with modes(device):
            run(thread)

    with ExitStack() as patches:
        for name, value in _names(device).items():
            patches.enter_context(mock.patch.object(torch.cuda, name, value, create=True))
        patches.enter_context(mock.patch.object(threading.Thread, "run", run_there))
        patches.enter_context(modes(device))
        yield


@contextmanager
def modes(device: Any) -> Iterator[None]:
    """Send operations of this thread to the device."""
    with _Names(), _Operations(device):
        yield


class _Names(TorchFunctionMode):
    """Give PyTorch's C++ the stand-in for CUDA, which this build need not have."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Any = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        if func is torch.device:
            return func(*args, **given)
        if func is Tensor.cuda:
            return args[0].to(STAND_IN, non_blocking=given.get("non_blocking", False))
        if func in FROM_NUMBERS and _is_cuda(given.get("device")):
            del given["device"]
            return func(*args, **given).to(STAND_IN)
        if torch.is_autocast_enabled("cuda"):
            args, given = autocast(func, args, given)
        named = [STAND_IN if _is_cuda(x) else x for x in args]
        return func(*named, **{k: STAND_IN if _is_cuda(x) else x for k, x in given.items()})


class _Operations(TorchDispatchMode):
    """Send operations to the device."""

    def __init__(self, device: Any) -> None:
        super().__init__()
        self._device = device

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        with torch._C.DisableTorchFunction():
            return self._device.run(func, args, kwargs or {})


def autocast(func: Any, args: Any, kwargs: Any) -> Any:
    """Return arguments as CUDA's autocast has them, for the operations that networks consist of.

    Raises
    ------
    RuntimeError
        CUDA refuses the operation under autocast.
    """
    if func in REFUSED_UNDER_AUTOCAST:
        raise RuntimeError(f"{func.__name__} is unsafe to autocast")
    if func not in LOWERED_BY_AUTOCAST:
        return args, kwargs
    dtype = torch.get_autocast_dtype("cuda")
    return _pytree.tree_map(
        lambda x: x.to(dtype) if isinstance(x, DeviceTensor) and x.is_floating_point() else x,
        (args, kwargs),
    )


def _is_cuda(x: Any) -> bool:
    if isinstance(x, str):
        return x == "cuda" or x.startswith("cuda:")
    return isinstance(x, torch.device) and x.type == "cuda"


def _names(device: Any) -> dict[str, Any]:
    memory = device.memory
    capacity = memory.limit or 80 * 2**30
    properties = SimpleNamespace(
        name=NAME,
        total_memory=capacity,
        L2_cache_size=2**20,
        major=9,
        minor=0,
        multi_processor_count=132,
    )

    def reset_peak(device: Any = None) -> None:
        memory.peak = memory.held

    return {
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "_lazy_init": lambda: None,
        "init": lambda: None,
        "_sleep": lambda cycles: None,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "set_device": lambda device: None,
        "device": lambda device: nullcontext(),
        "get_device_name": lambda device=None: NAME,
        "get_device_capability": lambda device=None: (9, 0),
        "get_device_properties": lambda device=None: properties,
        "is_bf16_supported": lambda including_emulation=True: True,
        "empty_cache": lambda: None,
        "mem_get_info": lambda device=None: (capacity - memory.held, capacity),
        "memory_allocated": lambda device=None: memory.held,
        "memory_reserved": lambda device=None: memory.held,
        "max_memory_allocated": lambda device=None: memory.peak,
        "max_memory_reserved": lambda device=None: memory.peak,
        "reset_peak_memory_stats": reset_peak,
        **recorded_graph.replacements(device.streams, device.replayed, on_cpu=False),
    }
