"""The configuration of a run, with the fields that only PyTorch needs.

Their names stand in `numpy_siamese.runs.config.ONLY_TORCH` as well.
"""

from dataclasses import dataclass

from numpy_siamese.runs.config import TrainConfig as SharedTrainConfig
from numpy_siamese.runs.options import option


@dataclass(frozen=True, kw_only=True)
class TrainConfig(SharedTrainConfig):
    """How to train, and on which device.

    Raises
    ------
    InputError
        As `numpy_siamese.runs.config.TrainConfig`, or if cuda is asked for and there is none.
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

    def __post_init__(self) -> None:
        super().__post_init__()
        from torch_siamese.device import select_device  # --help needs no PyTorch

        select_device(self.device)
