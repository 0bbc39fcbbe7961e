"""What is recorded of the machine: processor, BLAS and its kernel, settings."""

import platform
import sys

import numpy as np
import pytest

from numpy_siamese.parallel import blas
from numpy_siamese.runs import environment

SSE2 = "fpu sse sse2 ssse3 sse4_1 sse4_2 popcnt"
AVX = f"{SSE2} avx"
AVX2 = f"{AVX} fma avx2"
AVX512 = f"{AVX2} avx512f avx512dq avx512cd avx512bw avx512vl"

READ = environment._cpuinfo


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Return a function that makes this a Linux machine with a processor and a BLAS."""

    def make(flags, *libraries, kind="x86_64"):
        core = f"processor\t: 0\nmodel name\t: Some CPU: fast\nflags\t\t: {flags}\nbugs\t\t:\n\n"
        other = core.replace("Some", "Another").replace(flags, "none")
        (tmp_path / "cpuinfo").write_bytes((core + other).encode() + b"bugs: \xff\xfe\n")
        monkeypatch.setattr(environment, "_cpuinfo", lambda f: READ(f, tmp_path / "cpuinfo"))
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.setattr(platform, "machine", lambda: kind)
        monkeypatch.setattr(blas, "libraries", lambda: [*libraries])
        monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)

    return make


def openblas(kernel):
    return {"internal_api": "openblas", "version": "0.3", "architecture": kernel}


@pytest.mark.parametrize(
    ("flags", "kernel", "said"),
    [
        (AVX512, "SkylakeX", None),
        (AVX512, "Cooperlake", None),
        (AVX512, "Haswell", "its Haswell kernel with AVX2; this processor has AVX-512"),
        (AVX512, "Zen", "its Zen kernel with AVX2; this processor has AVX-512"),
        (AVX512, "Nehalem", "its Nehalem kernel with SSE; this processor has AVX-512"),
        (AVX2, "Haswell", None),
        (AVX2, "Zen", None),
        (AVX2, "Sandybridge", "its Sandybridge kernel with AVX; this processor has AVX2"),
        (AVX2, "Core2", "its Core2 kernel with SSE; this processor has AVX2"),
        (AVX, "Sandybridge", None),
        (AVX, "Prescott", "its Prescott kernel with SSE; this processor has AVX"),
        (SSE2, "Nehalem", None),
        (AVX512.replace("avx512vl", ""), "Haswell", None),  # Knights Landing: not SkylakeX's
        (AVX2.replace("fma", ""), "Sandybridge", None),
    ],
)
def test_a_kernel_weaker_than_the_processor_is_told(flags, kernel, said, machine):
    """Broken otherwise: NumPy is slower than it could be and nobody knows, or all is well and
    somebody is warned.
    """
    machine(flags, openblas(kernel))
    assert environment.weaker_kernel() == (said and f"OpenBLAS runs {said}")


def test_the_variable_that_asks_for_a_kernel_is_named(machine, monkeypatch):
    """Broken otherwise: the reader does not learn how to get the speed back."""
    machine(AVX512, openblas("Haswell"))
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert "with AVX2 (OPENBLAS_CORETYPE asks for it); this" in environment.weaker_kernel()


def test_where_nothing_is_known_nothing_is_said(machine):
    """Broken otherwise: MKL, ARM processors and other systems get a warning about x86 kernels."""
    mkl = {"internal_api": "mkl", "version": "2024"}
    machine(AVX512, mkl)
    assert environment.weaker_kernel() is None
    assert environment.describe_blas() == "mkl 2024 (unknown)"
    machine(AVX512, openblas("NEOVERSEN1"), kind="aarch64")
    assert environment.weaker_kernel() is None
    machine(AVX512, mkl, openblas("Zen"), kind="AMD64")
    assert "its Zen kernel" in environment.weaker_kernel()
    machine(AVX512)
    assert environment.weaker_kernel() is None
    assert environment.describe_blas() == "unknown (threadpoolctl is not installed or knows none)"
    machine("", openblas("Nehalem"))
    assert environment.weaker_kernel() is None


def test_the_processor_is_the_first_that_is_told(machine):
    """Broken otherwise: figures are said to come from another machine."""
    machine(AVX2)
    assert environment.processor.__wrapped__() == "Some CPU: fast"


def test_a_system_without_cpuinfo_has_a_name_all_the_same(monkeypatch, tmp_path):
    """Broken otherwise: a run ends in an error outside Linux."""
    assert environment._cpuinfo("flags", tmp_path / "none") == []
    monkeypatch.setattr(sys, "platform", "darwin")
    assert environment._cpuinfo("flags") == []
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    assert environment.processor.__wrapped__() == "arm"
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert environment.processor.__wrapped__() == platform.machine()


def test_only_settings_that_change_speed_or_bits_are_recorded():
    """Broken otherwise: a run's folder tells passwords, or hides why it was slow."""
    variables = {
        "OPENBLAS_NUM_THREADS": "1",
        "HOME": "/home/me",
        "OMP_NUM_THREADS": "2,1",
        "MY_OMP_TOKEN": "secret",
        "KMP_DUPLICATE_LIB_OK": "True",
        "LD_PRELOAD": "libjemalloc.so",
    }
    assert environment.describe_settings(variables) == (
        "LD_PRELOAD=libjemalloc.so, OMP_NUM_THREADS=2,1, OPENBLAS_NUM_THREADS=1"
    )


def test_a_run_records_the_kernel_in_force(machine, monkeypatch):
    """Broken otherwise: two runs differ in their last bits and nothing says why."""
    machine(AVX512, openblas("Haswell"), {"internal_api": "mkl", "version": "1"})
    monkeypatch.setattr(environment, "processor", lambda: "Some CPU")
    monkeypatch.setattr(environment, "describe_settings", lambda: "")
    expected = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": "x86_64",
        "processor": "Some CPU",
        "blas": "openblas 0.3 (Haswell), mkl 1 (unknown)",
    }
    assert environment.describe() == expected
    monkeypatch.setattr(environment, "describe_settings", lambda: "OMP_NUM_THREADS=1")
    assert environment.describe() == expected | {"settings": "OMP_NUM_THREADS=1"}
