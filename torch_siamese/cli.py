"""The command line of `torch-siamese`: that of `numpy-siamese`, with a device."""

from collections.abc import Sequence

from numpy_siamese.cli import command_line


def main(argv: Sequence[str] | None = None) -> int:
    """Run `torch-siamese`; return the exit status."""
    return command_line("torch_siamese", argv)
