"""The configuration of `numpy_siamese`, and what only PyTorch needs."""

from dataclasses import dataclass

from numpy_siamese.config import TrainConfig as SharedTrainConfig
from numpy_siamese.config import option


@dataclass(frozen=True, kw_only=True)
class TrainConfig(SharedTrainConfig):
    """How to train, and on which device."""

    device: str = option(
        "auto", str, "device; auto is cuda where there is one", choices=("auto", "cpu", "cuda")
    )
