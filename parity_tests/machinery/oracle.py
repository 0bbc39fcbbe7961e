"""PyTorch as the oracle: pinned, and recorded.

On the CPU, torch may take NNPACK for convolutions, whose Winograd transform is off by 10⁻³ even on
integers; on CUDA, cuDNN takes TF32 by default, with 11 bits of precision. Both are switched off
explicitly, and what is in force is asserted and reported.
"""

import getpass
import os
import tempfile
from pathlib import Path

import torch

from numpy_siamese.parallel.cores import available_cores
from numpy_siamese.runs import environment as numpy_environment
from torch_siamese.tests.rounding import fuses


def pin() -> None:
    """Switch off what would make the oracle imprecise, and check that it is off."""
    _separate_compiled_code()
    torch.backends.nnpack.set_flags(False)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.set_num_threads(available_cores())
    assert not torch._C._get_nnpack_enabled()
    assert_tf32(False)


def _separate_compiled_code() -> None:
    """Give code that is compiled for each instruction set a folder of its own.

    torch.compile keeps it in one folder for all: code for AVX-512, and headers for it, are then
    found by a process that was told to use less, and the other way round, and it crashes.
    """
    usual = Path(tempfile.gettempdir()) / f"torchinductor_{getpass.getuser()}"
    folder = Path(os.environ.get("TORCHINDUCTOR_CACHE_DIR", usual))
    capability = torch.backends.cpu.get_cpu_capability()
    if folder.name != capability:  # a child of this process has it from here
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder / capability)


def assert_tf32(expected: bool) -> None:
    """Check that products and convolutions on CUDA may, or may not, round factors to TF32.

    The switches are set by `allow_tf32`, which every torch has and `torch.compile` reads. From
    torch 2.9 on `fp32_precision` says for each operation what is in force: it is asked as well.
    """
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    assert (matmul.allow_tf32, cudnn.allow_tf32) == (expected, expected)
    for operation in (matmul, getattr(cudnn, "conv", None)):
        in_force = getattr(operation, "fp32_precision", None)
        assert in_force is None or (in_force == "tf32") == expected


def environment() -> dict[str, str]:
    """Return what the oracle and NumPy run on."""
    facts = numpy_environment.describe() | {
        "torch": torch.__version__,
        "torch threads": str(torch.get_num_threads()),
        "torch CPU capability": torch.backends.cpu.get_cpu_capability(),
        "torch's a·x + y": "rounded once" if fuses() else "rounded twice, and so on NumPy's side",
        "mkldnn": "on" if torch.backends.mkldnn.is_available() else "off",
        "nnpack": "on" if torch._C._get_nnpack_enabled() else "off",
        "cuda": "not run: no CUDA device",
    }
    if torch.cuda.is_available():
        facts["cuda"] = f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"
        facts["cudnn"] = str(torch.backends.cudnn.version())
        facts["tf32"] = "on" if torch.backends.cudnn.allow_tf32 else "off"
    return facts
