"""What a run or a measurement runs on: processor, versions, BLAS kernel, settings."""

import os
import platform
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from numpy_siamese.parallel import blas

SETTINGS = (
    "ATEN_",
    "DNNL_",
    "GOMP_",
    "GOTO_",
    "KMP_",
    "LD_PRELOAD",
    "MALLOC_",
    "MKL_",
    "NPY_",
    "OMP_",
    "ONEDNN_",
    "OPENBLAS_",
)
"""Prefixes of environment variables that change the speed or the last bits of NumPy or PyTorch."""

NOT_CHOSEN = frozenset({"KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"})
"""Variables that libraries set when they are imported."""

INSTRUCTIONS = ("SSE", "AVX", "AVX2", "AVX-512")
"""Sets of vector instructions, each wider than the one before."""

KERNELS = {
    "Sandybridge": "AVX",
    "Bulldozer": "AVX",
    "Piledriver": "AVX",
    "Steamroller": "AVX",
    "Excavator": "AVX2",
    "Haswell": "AVX2",
    "Zen": "AVX2",
    "SkylakeX": "AVX-512",
    "Cooperlake": "AVX-512",
    "SapphireRapids": "AVX-512",
}
"""The instructions of OpenBLAS's kernels for x86-64. All other kernels use SSE."""


def describe() -> dict[str, str]:
    """Return what decides about speed and last bits of NumPy, for the record of a run."""
    facts = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
        "processor": processor(),
        "blas": describe_blas(),
    }
    if settings := describe_settings():
        facts["settings"] = settings
    return facts


@cache
def processor() -> str:
    """Return the processor's name."""
    names = _cpuinfo("model name")
    return names[0] if names else platform.processor() or platform.machine()


def describe_blas() -> str:
    """Return the BLAS libraries in use, each with the kernel that it runs."""
    found = [
        f"{library['internal_api']} {library['version']} ({library.get('architecture', 'unknown')})"
        for library in blas.libraries()
    ]
    return ", ".join(found) or "unknown (threadpoolctl is not installed or knows none)"


def describe_settings(variables: Mapping[str, str] = os.environ) -> str:
    """Return the environment variables that begin with one of `SETTINGS`, with their values."""
    return ", ".join(
        f"{name}={value}"
        for name, value in sorted(variables.items())
        if name.startswith(SETTINGS) and name not in NOT_CHOSEN
    )


def weaker_kernel() -> str | None:
    """Return a sentence if OpenBLAS runs a weaker kernel than the processor could, else None.

    OPENBLAS_CORETYPE may ask for one. An old OpenBLAS may not know a new processor. Only Linux on
    x86-64 is looked at.
    """
    able = widest_instructions()
    for library in blas.libraries():
        kernel = library.get("architecture")
        if library["internal_api"] != "openblas" or able is None:
            continue
        used = KERNELS.get(str(kernel), "SSE")
        if INSTRUCTIONS.index(used) < INSTRUCTIONS.index(able):
            asked = "OPENBLAS_CORETYPE" in os.environ
            why = " (OPENBLAS_CORETYPE asks for it)" if asked else ""
            return f"OpenBLAS runs its {kernel} kernel with {used}{why}; this processor has {able}"
    return None


def widest_instructions() -> str | None:
    """Return the widest of `INSTRUCTIONS` that the processor has, or None if it is unknown."""
    flags = _cpuinfo("flags")
    if platform.machine().lower() not in ("x86_64", "amd64") or not flags:
        return None
    has = set(flags[0].split())
    if has.issuperset(("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")):
        return "AVX-512"
    if has.issuperset(("avx2", "fma")):
        return "AVX2"
    return "AVX" if "avx" in has else "SSE"


def _cpuinfo(field: str, path: Path = Path("/proc/cpuinfo")) -> list[str]:
    """Return the value of a field of /proc/cpuinfo for each core."""
    if not sys.platform.startswith("linux"):
        return []
    try:
        lines = path.read_bytes().decode(errors="replace").splitlines()
    except OSError:
        return []
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return [value.strip() for name, value in pairs if name.strip() == field]
