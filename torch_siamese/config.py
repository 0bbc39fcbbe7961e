"""The configuration of a run, with the fields that only PyTorch needs.

Their names stand in `numpy_siamese.runs.config.ONLY_TORCH` as well.
"""

from dataclasses import dataclass

from numpy_siamese.errors import InputError
from numpy_siamese.runs.config import TrainConfig as SharedTrainConfig
from numpy_siamese.runs.options import option

MODES = ("auto", "eager", "tuned", "compile", "graph")


@dataclass(frozen=True, kw_only=True)
class TrainConfig(SharedTrainConfig):
    """How to train, and on which device.

    Raises
    ------
    InputError
        As `numpy_siamese.runs.config.TrainConfig`; cuda is asked for and there is none; another
        precision than fp32 with float64.
    """

    device: str = option(
        "auto",
        str,
        "device; auto is cuda where there is one",
        choices=("auto", "cpu", "cuda"),
        of_sitting=True,
    )
    algorithms: str = option(
        "fast",
        str,
        "on cuda: fast, or deterministic, which gives the same bits every time",
        choices=("fast", "deterministic"),
    )

    mode: str = option(
        "auto",
        str,
        "how a step is done: eager, layer by layer; tuned, in a faster order; compile, by "
        "torch.compile; graph, captured as a CUDA graph; auto is tuned on the CPU, graph on cuda",
        choices=MODES,
        of_sitting=True,
    )
    precision: str = option(
        "fp32",
        str,
        "how products of float32 are rounded in training: fp32, not at all; tf32, their factors to "
        "11 bits, on cuda; bf16, factors and results to 8 bits",
        choices=("fp32", "tf32", "bf16"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.precision != "fp32" and self.dtype != "float32":
            raise InputError(
                f"--precision {self.precision}: found --dtype {self.dtype}, expected float32"
            )
        from torch_siamese.device import select_device  # --help needs no PyTorch

        select_device(self.device)
