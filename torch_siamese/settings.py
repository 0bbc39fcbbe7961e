"""The PyTorch settings that a computation needs: in force while it runs, put back after it."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from threading import Lock
from typing import Any

import torch

from numpy_siamese.errors import reason

IEEE, INHERITED = "ieee", "none"


@contextmanager
def plain_arithmetic(device: torch.device) -> Iterator[None]:
    """Compute in the dtype of the arguments, whatever autocast or inference mode is in force.

    Both belong to the thread. Gradients are recorded, unless they are switched off within.
    """
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.autocast(device.type, enabled=False),
    ):
        yield


@contextmanager
def memory_errors() -> Iterator[None]:
    """Raise MemoryError when memory runs out, on the CPU or on a device."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or "t allocate memory" in str(error):
            raise MemoryError(reason(error)) from error
        raise


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Use this many threads on the CPU."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Shared:
    """A setting of the whole process: its first user sets it, and its last user puts it back."""

    def __init__(self, setting: Callable[[], AbstractContextManager[None]]) -> None:
        self._setting, self._lock, self._users = setting, Lock(), 0
        self._in_force: AbstractContextManager[None]

    def __enter__(self) -> None:
        with self._lock:
            if self._users == 0:
                self._in_force = self._setting()
                self._in_force.__enter__()
            self._users += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._in_force.__exit__(None, None, None)


@contextmanager
def _full_float32(device_type: str) -> Iterator[None]:
    """Round products of float32 to float32, not to TF32 or bfloat16."""
    if not hasattr(torch.backends, "fp32_precision"):  # before PyTorch 2.9
        before = torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
        torch.backends.cudnn.allow_tf32 = False
        torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            torch.backends.cudnn.allow_tf32, precision = before
            torch.set_float32_matmul_precision(precision)
        return
    changed = []
    try:
        for holder in _holders(device_type):
            if holder.fp32_precision != IEEE:
                changed.append((holder, holder.fp32_precision))
                holder.fp32_precision = IEEE
        yield
    finally:
        for holder, precision in reversed(changed):
            holder.fp32_precision = INHERITED  # as it most likely was: then it stays so
            if holder.fp32_precision != precision:
                holder.fp32_precision = precision


def _holders(device_type: str) -> list[Any]:
    """Return the holders of a precision that the network uses, the general before the special."""
    backends: Any = torch.backends  # of a version that its annotations may not know
    if device_type == "cuda":
        return [backends.cudnn, backends.cudnn.conv, backends.cuda.matmul]
    return [backends.mkldnn.conv, backends.mkldnn.matmul]


@contextmanager
def _deterministic_algorithms() -> Iterator[None]:
    """Use only CUDA algorithms that give the same bits every time.

    References
    ----------
    PyTorch's notes on reproducibility.
    """
    before = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    benchmark = torch.backends.cudnn.benchmark
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warn_only)
        torch.backends.cudnn.benchmark = benchmark


full_float32 = {kind: Shared(partial(_full_float32, kind)) for kind in ("cpu", "cuda")}
deterministic_algorithms = Shared(_deterministic_algorithms)


@contextmanager
def at_work(device: torch.device, count: int, deterministic: bool) -> Iterator[None]:
    """Put all settings that a network on the device depends on in force.

    `deterministic` also sets `CUBLAS_WORKSPACE_CONFIG` for good, because cuBLAS reads it only once.

    Raises
    ------
    MemoryError
    """
    with memory_errors(), ExitStack() as settings:
        settings.enter_context(threads(count))
        settings.enter_context(full_float32[device.type])
        if deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            settings.enter_context(deterministic_algorithms)
        settings.enter_context(plain_arithmetic(device))
        yield


def float32_precision(device_type: str) -> str:
    """Return the current rounding of float32 products: ieee, or what else is in force."""
    if not hasattr(torch.backends, "fp32_precision"):  # before PyTorch 2.9
        plain = torch.get_float32_matmul_precision() == "highest"
        plain &= device_type == "cpu" or not torch.backends.cudnn.allow_tf32
        return IEEE if plain else "tf32"
    found = {holder.fp32_precision for holder in _holders(device_type)} - {IEEE, INHERITED}
    return " ".join(sorted(found)) or IEEE


def in_force(device: torch.device) -> dict[str, Any]:
    """Return what a computation on the device runs on, and the settings in force now."""
    return {
        "package": "torch_siamese",
        "torch": torch.__version__,
        "device": "cpu" if device.type == "cpu" else torch.cuda.get_device_name(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "float32_precision": float32_precision(device.type),
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
    }
