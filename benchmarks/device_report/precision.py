"""How products of float32 are rounded, for the part that calls PyTorch's own functions."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from benchmarks.backends.base import NotRun
from torch_siamese import settings


@contextmanager
def rounding(device: str, precision: str) -> Iterator[None]:
    """Set TF32 on or off within; bfloat16 is a dtype of the tensors.

    Raises
    ------
    NotRun
        TF32 is asked for on a CPU.
    """
    if device == "cpu":
        if precision == "tf32":
            raise NotRun("the CPU has no TF32")
        yield
        return
    with settings.float32_products["cuda"](settings.FLOAT32_PRODUCTS[precision]):
        yield


def dtype_of(precision: str) -> torch.dtype:
    """Return the dtype of tensors in a precision."""
    return torch.bfloat16 if precision == "bf16" else torch.float32
