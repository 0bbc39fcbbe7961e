"""What a measurement was taken on: without it a figure means little."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from threadpoolctl import threadpool_info

from numpy_siamese.cores import available_cores


def describe() -> dict[str, str]:
    """Return the machine, the versions and the switches, by name."""
    facts = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": processor(),
        "cores": str(available_cores()),
        "caches": caches(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load before": f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown",
        "python": sys.version.split()[0],
    }
    for package in ("numpy", "torch", "jax"):
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            facts[package] = "not installed"
    facts["BLAS"] = ", ".join(
        f"{pool['internal_api']} {pool['version']} ({pool.get('architecture', 'unknown')})"
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    )
    facts["torch on the CPU"] = (
        f"{torch.backends.cpu.get_cpu_capability()}, oneDNN "
        f"{'on' if torch.backends.mkldnn.is_available() else 'off'}"
    )
    facts["CUDA"] = cuda()
    return facts


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def caches() -> str:
    """Return the caches that the first core sees, for Linux."""
    found = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (
            (index / name).read_text().strip() for name in ("level", "type", "size")
        )
        if kind != "Instruction":
            found.append(f"L{level} {size}")
    return ", ".join(found) or "unknown"


def cuda() -> str:
    """Return the CUDA device with its driver and clocks, or that there is none."""
    if not torch.cuda.is_available():
        return "no CUDA device"
    facts = [torch.cuda.get_device_name(), f"CUDA {torch.version.cuda}"]
    facts.append(f"cuDNN {torch.backends.cudnn.version()}")
    query = "driver_version,clocks.current.sm,clocks.current.memory,power.limit"
    try:
        told = subprocess.run(
            ["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ", ".join(facts)
    return ", ".join(
        [
            *facts,
            *(f"{n} {v.strip()}" for n, v in zip(query.split(","), told.split(","), strict=False)),
        ]
    )
