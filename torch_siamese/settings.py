"""The PyTorch settings that a computation needs: in force while it runs, put back after it."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from threading import Lock
from typing import Any

import torch

from numpy_siamese.errors import reason

IEEE, TF32, INHERITED = "ieee", "tf32", "none"

FLOAT32_PRODUCTS = {"fp32": IEEE, "tf32": TF32, "bf16": IEEE}
"""How products of float32 are rounded in each of the choices of `--precision`."""


@contextmanager
def plain_arithmetic(device: torch.device, half: bool = False) -> Iterator[None]:
    """Compute in the dtype of the arguments, whatever autocast or inference mode is in force.

    With `half`, affine maps round float32 factors and results to bfloat16 (autocast). Both settings
    belong to the thread. Gradients are recorded, unless they are switched off within. Autocast
    would keep rounded weights until the outermost autocast ends, here over several steps. So it
    keeps none.
    """
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.autocast(device.type, dtype=torch.bfloat16, enabled=half, cache_enabled=False),
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
    """A setting of the whole process: its first user sets it, and its last user puts it back.

    Parameters
    ----------
    setting : value → context manager
        Sets the value, and puts back what was there.
    """

    def __init__(self, setting: Callable[..., AbstractContextManager[None]]) -> None:
        self._setting, self._lock, self._users = setting, Lock(), 0
        self._value: tuple[Any, ...] = ()
        self._in_force: AbstractContextManager[None]

    @contextmanager
    def __call__(self, *value: Any) -> Iterator[None]:
        """Have the value in force.

        Raises
        ------
        RuntimeError
            Another thread has another value in force.
        """
        with self._lock:
            if self._users and value != self._value:
                raise RuntimeError(f"another thread works with {self._value}, not {value}")
            if self._users == 0:
                self._in_force, self._value = self._setting(*value), value
                self._in_force.__enter__()
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0:
                    self._in_force.__exit__(None, None, None)


@contextmanager
def _float32_products(device_type: str, rounding: str) -> Iterator[None]:
    """Round products of float32 to float32 (ieee), or their factors to TF32 (tf32)."""
    if not hasattr(torch.backends, "fp32_precision"):  # before PyTorch 2.9
        before = torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
        torch.backends.cudnn.allow_tf32 = rounding == TF32
        torch.set_float32_matmul_precision("high" if rounding == TF32 else "highest")
        try:
            yield
        finally:
            torch.backends.cudnn.allow_tf32, precision = before
            torch.set_float32_matmul_precision(precision)
        return
    changed = []
    try:
        for holder in _holders(device_type):
            if holder.fp32_precision != rounding:
                changed.append((holder, holder.fp32_precision))
                holder.fp32_precision = rounding
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
def _algorithms(deterministic: bool) -> Iterator[None]:
    """Use only CUDA algorithms that give the same bits every time, or those tried as fastest.

    References
    ----------
    PyTorch's notes on reproducibility.
    """
    before = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    benchmark = torch.backends.cudnn.benchmark
    if deterministic:
        torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = not deterministic
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warn_only)
        torch.backends.cudnn.benchmark = benchmark


float32_products = {k: Shared(partial(_float32_products, k)) for k in ("cpu", "cuda")}
algorithms = Shared(_algorithms)


@contextmanager
def at_work(
    device: torch.device, count: int, deterministic: bool, precision: str = "fp32"
) -> Iterator[None]:
    """Put all settings that a network on the device depends on in force.

    `deterministic` also sets `CUBLAS_WORKSPACE_CONFIG` for good, because cuBLAS reads it only once.

    Raises
    ------
    MemoryError
    """
    with memory_errors(), ExitStack() as settings:
        settings.enter_context(threads(count))
        kind = "cpu" if device.type == "cpu" else "cuda"
        settings.enter_context(float32_products[kind](FLOAT32_PRODUCTS[precision]))
        if deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        if device.type != "cpu":
            settings.enter_context(algorithms(deterministic))
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
