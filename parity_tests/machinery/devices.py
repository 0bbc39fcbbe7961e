"""Where and how either side runs.

PyTorch: CPU and CUDA, in every mode and precision. NumPy's source: on arrays of NumPy, or of CuPy.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from parity_tests.machinery.array_libraries import NUMPY, ArrayLibrary, cupy
from parity_tests.machinery.oracle import assert_tf32
from torch_siamese.modes import has_compiler
from torch_siamese.settings import plain_arithmetic

FACTORS = {"fp32": 0.0, "tf32": 2.0**-11, "bf16": 2.0**-8}
"""Unit roundoff to which each of the two factors of a product is rounded. TF32 has 11 bits."""

RESULTS = {"fp32": 0.0, "tf32": 0.0, "bf16": 2.0**-8}
"""Unit roundoff of an affine map's result, which is rounded twice: the product, and with a bias."""


@dataclass(frozen=True)
class Device:
    """A device, the mode and the precision there.

    Parameters
    ----------
    name : str
        In the report.
    torch_name : 'cpu' or 'cuda'
    mode : str
        How the network computes, one of `torch_siamese.modes`.
    precision : 'fp32', 'tf32' or 'bf16'
        How products of float32 are rounded.
    library : ArrayLibrary
        Whose arrays NumPy's source computes with.
    """

    name: str
    torch_name: str
    mode: str = "eager"
    precision: str = "fp32"
    library: ArrayLibrary = NUMPY

    @property
    def missing(self) -> str | None:
        """Why nothing can run there, None if it can."""
        if self.library.missing:
            return self.library.missing
        if self.torch_name == "cuda" and not torch.cuda.is_available():
            return "no CUDA device"
        if self.mode == "compile" and not torch._dynamo.is_dynamo_supported():
            return "torch.compile does not support this Python or platform"
        if self.mode == "compile" and self.torch_name == "cpu" and not has_compiler():
            return "no C++ compiler"
        return None

    @property
    def product_roundoff(self) -> float:
        """Return the relative error of a product beyond float32: of two factors and the result."""
        factor, result = FACTORS[self.precision], RESULTS[self.precision]
        return (1 + factor) ** 2 * (1 + result) ** 2 - 1

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Set the switches, assert that they are set, and set them back."""
        half = RESULTS[self.precision] > 0
        if self.torch_name == "cpu":
            with plain_arithmetic(torch.device("cpu"), half):
                assert torch.is_autocast_enabled("cpu") == half
                yield
            return
        matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
        tf32 = self.precision == "tf32"
        before = matmul.allow_tf32, cudnn.allow_tf32
        matmul.allow_tf32 = cudnn.allow_tf32 = tf32
        try:
            assert_tf32(tf32)
            with plain_arithmetic(torch.device("cuda"), half):
                yield
        finally:
            matmul.allow_tf32, cudnn.allow_tf32 = before


CPU = Device("cpu", "cpu")
DEVICES = (
    CPU,
    Device("cpu, tuned", "cpu", "tuned"),
    Device("cpu, compiled", "cpu", "compile"),
    Device("cpu, bf16", "cpu", precision="bf16"),
    Device("cuda", "cuda"),
    Device("cuda, tuned", "cuda", "tuned"),
    Device("cuda, compiled", "cuda", "compile"),
    Device("cuda, TF32", "cuda", precision="tf32"),
    Device("cuda, bf16", "cuda", precision="bf16"),
    Device("cupy", "cpu", library=cupy()),
)
PRESENT = tuple(device for device in DEVICES if device.missing is None)
FOR_OPERATIONS = tuple(device for device in PRESENT if device.mode == "eager")
"""Operations run eagerly: a mode is about the order of them."""
FOR_NETWORKS = tuple(device for device in PRESENT if device.precision == "fp32")
"""The whole network runs in float64, which no precision touches."""
