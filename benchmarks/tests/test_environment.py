"""What a measurement was taken on, and what of it does less than the processor could."""

from pathlib import Path

import pytest
import torch

from benchmarks import environment
from benchmarks.environment import describe
from numpy_siamese.runs import environment as of_numpy

VARIABLES = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
VARIABLES += ("NPY_DISABLE_CPU_FEATURES",)


@pytest.fixture(autouse=True)
def _as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be weaker than it could be, on a processor with AVX-512."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(of_numpy, "weaker_kernel", lambda: None)
    monkeypatch.setattr(of_numpy, "widest_instructions", lambda: "AVX-512")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")


def weaker() -> dict[str, str]:
    """Return what is told to be weaker, by library."""
    start = "weaker than the processor: "
    return {name[len(start) :]: v for name, v in describe().items() if name.startswith(start)}


def test_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Machine, versions, kernel and settings, each a line; nothing is weaker here."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    facts = describe()
    assert all(isinstance(value, str) and value for value in facts.values())
    names = {"date", "processor", "BLAS", "cores", "caches", "governor", "system", "load before"}
    names |= {"python", "numpy", "torch", "jax", "torch on the CPU", "CUDA", "settings", "machine"}
    assert facts.keys() == names
    assert facts["torch"] == torch.__version__
    assert facts["BLAS"] == of_numpy.describe_blas()
    assert "OPENBLAS_NUM_THREADS=2" in facts["settings"]
    assert facts["torch on the CPU"].startswith("AVX512, oneDNN ")


def test_a_weaker_kernel_of_blas(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of the package."""
    monkeypatch.setattr(of_numpy, "weaker_kernel", lambda: "OpenBLAS is weak")
    assert weaker() == {"BLAS": "OpenBLAS is weak"}


@pytest.mark.parametrize(
    ("able", "capability", "is_weaker"),
    [
        ("AVX-512", "AVX512", False),
        ("AVX-512", "AVX2", True),
        ("AVX-512", "DEFAULT", True),
        ("AVX2", "AVX2", False),
        ("AVX2", "DEFAULT", True),
        ("AVX", "DEFAULT", True),
        ("SSE", "DEFAULT", False),
        (None, "DEFAULT", False),
        ("AVX-512", "AMX", False),  # of a newer PyTorch
    ],
)
def test_weaker_code_of_pytorch(
    monkeypatch: pytest.MonkeyPatch, able: str | None, capability: str, is_weaker: bool
) -> None:
    """Narrower instructions than the processor has; of others nothing is known."""
    monkeypatch.setattr(of_numpy, "widest_instructions", lambda: able)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    said = f"PyTorch runs its {capability} code; this processor has {able}"
    assert weaker() == ({"PyTorch": said} if is_weaker else {})
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    said = said.replace(";", " (ATEN_CPU_CAPABILITY asks for it);")
    assert weaker() == ({"PyTorch": said} if is_weaker else {})


@pytest.mark.parametrize("name", ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"])
@pytest.mark.parametrize(
    ("able", "limit", "is_weaker"),
    [
        ("AVX-512", "avx2", True),
        ("AVX-512", "AVX2_VNNI_2", True),
        ("AVX-512", "SSE41", True),
        ("AVX-512", "AVX512_CORE", False),
        ("AVX-512", "DEFAULT", False),
        ("AVX2", "AVX2", False),
        ("AVX2", "AVX", True),
        (None, "AVX", False),
    ],
)
def test_a_limit_of_onednn(
    monkeypatch: pytest.MonkeyPatch, name: str, able: str | None, limit: str, is_weaker: bool
) -> None:
    """What it takes it does not tell; the setting does."""
    monkeypatch.setattr(of_numpy, "widest_instructions", lambda: able)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AMX")
    monkeypatch.setenv(name, limit)
    said = f"oneDNN is held to {limit.upper()} ({name} asks for it); this processor has {able}"
    assert weaker() == ({"oneDNN": said} if is_weaker else {})


def test_what_numpy_is_to_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own loops have instructions of their own."""
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", "AVX512F AVX2")
    assert weaker() == {
        "NumPy": "NumPy does without AVX512F AVX2 (NPY_DISABLE_CPU_FEATURES asks for it)"
    }


def test_caches_and_governor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the first core: data and unified caches, in order; unknown where nothing is told."""
    monkeypatch.setattr(environment, "CPU", tmp_path)
    assert environment.caches() == "unknown"
    assert environment.governor() == "unknown"
    for index, (level, kind, size) in enumerate(
        [("1", "Data", "48K"), ("1", "Instruction", "32K"), ("2", "Unified", "2048K")]
    ):
        folder = tmp_path / f"cache/index{index}"
        folder.mkdir(parents=True)
        for name, value in (("level", level), ("type", kind), ("size", size)):
            (folder / name).write_text(value + "\n")
    (tmp_path / "cpufreq").mkdir()
    (tmp_path / "cpufreq/scaling_governor").write_text("powersave\n")
    assert environment.caches() == "L1 48K, L2 2048K"
    assert environment.governor() == "powersave"


def test_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name and versions, with what its driver tells; or that there is none."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert environment.cuda() == "no CUDA device"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "A Card")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 91)

    told = {"name": "A Card", "driver": "580.1", "power": "312.50 W", "MIG": "not told"}
    monkeypatch.setattr(environment, "device_state", lambda: told)
    assert environment.cuda() == (
        "A Card, CUDA 13.0, cuDNN 91, driver 580.1, power 312.50 W, MIG not told"
    )
