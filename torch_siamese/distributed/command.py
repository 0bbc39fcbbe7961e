"""The verb `train` on one of several ranks: what can be refused before PyTorch is imported."""

import argparse
import os

from numpy_siamese.cli.program import Program
from numpy_siamese.errors import InputError
from numpy_siamese.runs.signals import Stops
from torch_siamese.distributed.launch import from_environment

LOG_LEVEL = "TORCH_CPP_LOG_LEVEL"
"""The variable that says how much PyTorch writes of sockets that close. It is read at import."""


def run(program: Program, arguments: argparse.Namespace, stops: Stops) -> None:
    """Train as the flags ask, together with the other ranks.

    Raises
    ------
    InputError, Stopped
        As `numpy_siamese.cli.train.run`. Also for ranks that differ, or do not find each other.
    SystemExit
        Another rank tells the error. The status is the same.
    """
    launch = from_environment()
    if arguments.out is None and arguments.resume is None:
        if launch.rank:  # which has the same flags as rank 0
            raise SystemExit(2)
        raise InputError(
            "--out: found none, expected --out DIR or --resume DIR under torchrun, so that a "
            "restart finds the run"
        )
    os.environ.setdefault(LOG_LEVEL, "FATAL")
    asked: list[int] = []
    stops.ask = asked.append  # ranks that wait for each other end together
    from torch_siamese.distributed.run import run as run_rank

    run_rank(program, arguments, stops, launch, asked)
