"""Whose arrays NumPy's source computes with: NumPy's own, or CuPy's on a GPU."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def _as_it_is(array: Any) -> Any:
    return array


@dataclass(frozen=True)
class ArrayLibrary:
    """A library that NumPy's functions can call.

    Parameters
    ----------
    name : str
    asarray : array of NumPy → its own, in the same strides
    asnumpy : its own → array of NumPy
    missing : str, optional
        Why it cannot be used here.
    """

    name: str
    asarray: Callable[[Any], Any] = _as_it_is
    asnumpy: Callable[[Any], Any] = _as_it_is
    missing: str | None = None


NUMPY = ArrayLibrary("NumPy")


def cupy() -> ArrayLibrary:
    """Return CuPy, if it is installed, has a device and keeps float32 products as they are.

    References
    ----------
    CuPy, *Environment variables*: ``CUPY_TF32``.
    """
    try:
        import cupy
    except ImportError:
        return ArrayLibrary("CuPy", missing="no CuPy")
    runtime = cupy.cuda.runtime
    try:
        count = runtime.getDeviceCount()
    except runtime.CUDARuntimeError:  # no driver
        count = 0
    if count == 0:
        return ArrayLibrary("CuPy", missing="no CUDA device")
    if os.environ.get("CUPY_TF32", "0") != "0":
        return ArrayLibrary("CuPy", missing="CUPY_TF32 rounds the factors of products")
    return ArrayLibrary("CuPy", cupy.asarray, cupy.asnumpy)
