"""Where and how either side runs.

PyTorch: CPU and CUDA, TF32 off and on, eager and compiled. NumPy's source: on arrays of NumPy, or
of CuPy.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from parity_tests.machinery.array_libraries import NUMPY, ArrayLibrary, cupy
from parity_tests.machinery.oracle import assert_tf32

TF32_ROUNDOFF = 2.0**-11
"""Unit roundoff of TF32, to which a tensor core rounds the factors of a product: 11 bits."""


@dataclass(frozen=True)
class Device:
    """A device with its precision switches.

    Parameters
    ----------
    name : str
        In the report.
    torch_name : 'cpu' or 'cuda'
    tf32 : bool
        Whether convolutions and matrix products may round float32 factors to TF32.
    compiled : bool
        Whether the network runs through `torch.compile`.
    library : ArrayLibrary
        Whose arrays NumPy's source computes with.
    """

    name: str
    torch_name: str
    tf32: bool = False
    compiled: bool = False
    library: ArrayLibrary = NUMPY

    @property
    def missing(self) -> str | None:
        """Why nothing can run there, None if it can."""
        if self.library.missing:
            return self.library.missing
        if self.torch_name == "cuda" and not torch.cuda.is_available():
            return "no CUDA device"
        if self.compiled and not torch._dynamo.is_dynamo_supported():
            return "torch.compile does not support this Python or platform"
        if self.compiled and self.torch_name == "cpu" and not _has_compiler():
            return "no C++ compiler"
        return None

    @property
    def factor_roundoff(self) -> float:
        """Return the relative error of a product whose two factors are rounded to TF32."""
        return (1 + TF32_ROUNDOFF) ** 2 - 1 if self.tf32 else 0.0

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Set the switches, assert that they are set, and set them back."""
        if self.torch_name == "cpu":
            yield
            return
        matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
        before = matmul.allow_tf32, cudnn.allow_tf32
        matmul.allow_tf32 = cudnn.allow_tf32 = self.tf32
        try:
            assert_tf32(self.tf32)
            yield
        finally:
            matmul.allow_tf32, cudnn.allow_tf32 = before


def _has_compiler() -> bool:
    return any(shutil.which(name) for name in ("g++", "clang++", "c++", "cl"))


CPU = Device("cpu", "cpu")
DEVICES = (
    CPU,
    Device("cpu, compiled", "cpu", compiled=True),
    Device("cuda", "cuda"),
    Device("cuda, compiled", "cuda", compiled=True),
    Device("cuda, TF32", "cuda", tf32=True),
    Device("cupy", "cpu", library=cupy()),
)
PRESENT = tuple(device for device in DEVICES if device.missing is None)
FOR_OPERATIONS = tuple(device for device in PRESENT if not device.compiled)
"""Operations run eagerly: they are tried with thousands of shapes, each a compilation."""
FOR_NETWORKS = tuple(device for device in PRESENT if not device.tf32)
"""The whole network runs in float64, which TF32 does not touch."""
