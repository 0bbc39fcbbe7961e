"""The command line of `torch-siamese`: that of `numpy-siamese`, with a device."""

from collections.abc import Sequence

from numpy_siamese import console
from numpy_siamese.cli import MENDABLE, command_line


def main(argv: Sequence[str] | None = None) -> int:
    """Run `torch-siamese`; return the exit status."""
    try:
        from torch_siamese.config import TrainConfig
        from torch_siamese.training import Learner
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        console.complain(
            "torch-siamese: error: found no PyTorch, expected it from: pip install '.[torch]'"
        )
        return MENDABLE
    return command_line("torch-siamese", TrainConfig, Learner, argv)
