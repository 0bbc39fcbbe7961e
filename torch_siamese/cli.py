"""The command line of `torch-siamese`: that of `numpy-siamese`, with a device."""

from collections.abc import Sequence

from numpy_siamese.cli.main import command_line
from numpy_siamese.cli.program import Program

TORCH_SIAMESE = Program(
    "torch-siamese",
    {"numpy": "NumPy", "torch": "PyTorch"},
    "torch_siamese.config:TrainConfig",
    "torch_siamese.training:TorchLearner",
    "torch_siamese.inference:TorchNetwork",
    "torch_siamese.export:export",
    torch_numbers="torch_siamese.tracing:numbers",
    pullbacks="torch_siamese.pullbacks:of_case",
    ranks="torch_siamese.distributed.command:run",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `torch-siamese`; return the exit status."""
    return command_line(TORCH_SIAMESE, argv)
