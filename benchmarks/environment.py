"""What a measurement was taken on: without it a figure means little."""

import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.device_state import device_state
from benchmarks.remarks import WEAKER
from numpy_siamese.parallel.cores import available_cores
from numpy_siamese.runs import environment
from numpy_siamese.runs.versions import version

CPU = Path("/sys/devices/system/cpu/cpu0")

CAPABILITIES = {"DEFAULT": "SSE", "AVX2": "AVX2", "AVX512": "AVX-512"}
"""What PyTorch calls its code on x86, and the instructions that it takes."""

ONEDNN = {
    "SSE41": "SSE",
    "AVX": "AVX",
    "AVX2": "AVX2",
    "AVX2_VNNI": "AVX2",
    "AVX2_VNNI_2": "AVX2",
}
"""Values of ONEDNN_MAX_CPU_ISA below AVX-512, and the instructions that they leave."""


def describe() -> dict[str, str]:
    """Return the machine, the versions and the switches, by name."""
    facts = environment.describe()
    facts |= {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "BLAS": facts.pop("blas"),
        "cores": str(available_cores()),
        "caches": caches(),
        "governor": governor(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load before": f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown",
        "torch": _torch_with_its_build(),
        "jax": version("jax"),
        "torch on the CPU": _torch_on_the_cpu(),
        "CUDA": cuda(),
    }
    return facts | {f"{WEAKER}: {library}": said for library, said in _weaker()}


def _torch_with_its_build() -> str:
    """Return PyTorch's own word, as a package's metadata may lack the build."""
    import torch

    return torch.__version__


def _torch_on_the_cpu() -> str:
    import torch

    onednn = "on" if torch.backends.mkldnn.is_available() else "off"
    return f"{torch.backends.cpu.get_cpu_capability()}, oneDNN {onednn}"


def _weaker() -> Iterator[tuple[str, str]]:
    """Yield the libraries that do without what the processor can do, each with a sentence."""
    import torch

    kernel = environment.weaker_kernel()
    if kernel:
        yield "BLAS", kernel
    capability = torch.backends.cpu.get_cpu_capability()
    why = " (ATEN_CPU_CAPABILITY asks for it)" if "ATEN_CPU_CAPABILITY" in os.environ else ""
    if _is_narrower(CAPABILITIES.get(capability)):
        yield "PyTorch", f"PyTorch runs its {capability} code{why}; {_this_processor()}"
    for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):  # what oneDNN takes it does not tell
        limit = os.environ.get(name, "").upper()
        if _is_narrower(ONEDNN.get(limit)):
            yield "oneDNN", f"oneDNN is held to {limit} ({name} asks for it); {_this_processor()}"
    disabled = os.environ.get("NPY_DISABLE_CPU_FEATURES")
    if disabled:
        yield "NumPy", f"NumPy does without {disabled} (NPY_DISABLE_CPU_FEATURES asks for it)"


def _is_narrower(used: str | None) -> bool:
    """Return whether the processor has wider instructions than those used."""
    able, order = environment.widest_instructions(), environment.INSTRUCTIONS
    return used is not None and able is not None and order.index(used) < order.index(able)


def _this_processor() -> str:
    return f"this processor has {environment.widest_instructions()}"


def governor() -> str:
    """Return what decides the first core's clock rate, for Linux."""
    try:
        return (CPU / "cpufreq/scaling_governor").read_text().strip()
    except OSError:
        return "unknown"


def caches() -> str:
    """Return the caches that the first core sees, for Linux."""
    found = []
    for index in sorted((CPU / "cache").glob("index*")):
        level, kind, size = (
            (index / name).read_text().strip() for name in ("level", "type", "size")
        )
        if kind != "Instruction":
            found.append(f"L{level} {size}")
    return ", ".join(found) or "unknown"


def cuda() -> str:
    """Return the CUDA device with its versions and its state now, or that there is none."""
    import torch

    if not torch.cuda.is_available():
        return "no CUDA device"
    facts = [torch.cuda.get_device_name(), f"CUDA {torch.version.cuda}"]
    facts.append(f"cuDNN {torch.backends.cudnn.version()}")
    told = device_state().items()
    return ", ".join([*facts, *(f"{name} {value}" for name, value in told if name != "name")])
