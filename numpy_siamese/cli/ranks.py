"""Whether a process is one of several that torchrun has started."""

import os
from collections.abc import Mapping

from numpy_siamese.errors import InputError


def is_launched(variables: Mapping[str, str] = os.environ) -> bool:
    """Return whether the environment speaks of several processes, by RANK or WORLD_SIZE."""
    return "RANK" in variables or "WORLD_SIZE" in variables


def refuse_several(program: str, variables: Mapping[str, str] = os.environ) -> None:
    """Refuse to train in several processes, which would all train the same network.

    Raises
    ------
    InputError
        In the first of them.
    SystemExit
        In the others, which have nothing to add. The status is 2.
    """
    size = variables.get("WORLD_SIZE", "1")
    if size != "1":
        if variables.get("RANK", "0") != "0":
            raise SystemExit(2)
        raise InputError(
            f"WORLD_SIZE: found {size:.80}, expected 1 for {program}; several processes train "
            f"with torch-siamese"
        )
