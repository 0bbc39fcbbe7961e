"""What torchrun tells each process about itself and the others."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from numpy_siamese.errors import InputError, listed

TIMEOUT = "TORCH_SIAMESE_TIMEOUT"
"""The environment variable with the seconds for which a rank waits for another."""

SECONDS = 600
"""The same if the variable is not set."""

COUNTS = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_PORT")
NEEDED = (*COUNTS, "MASTER_ADDR")


@dataclass(frozen=True)
class Launch:
    """The place of this process among those of a job.

    Attributes
    ----------
    rank, size : int
        Its number, from 0, and how many there are.
    local_rank, local_size : int
        The same on this node.
    address : str
        The host on which the ranks meet.
    port : int
    restarts : int
        How often torchrun has started the job anew.
    job : str
        What tells the job from others. It stays the same when the job is started anew.
    timeout : float
        Seconds for which a rank waits for another.
    """

    rank: int
    size: int
    local_rank: int
    local_size: int
    address: str
    port: int
    restarts: int = 0
    job: str = ""
    timeout: float = SECONDS

    @property
    def nodes(self) -> int:
        """How many nodes the job has, if each has as many ranks as this one."""
        return -(-self.size // self.local_size)

    @property
    def program(self) -> str:
        """The beginning of the command that starts such a job, up to the verb."""
        several = "--nnodes={} --node-rank=NODE --master-addr={} --master-port={} "
        nodes = several.format(self.nodes, self.address, self.port) if self.nodes > 1 else ""
        return f"torchrun {nodes}--nproc-per-node={self.local_size} -m torch_siamese"


def from_environment(variables: Mapping[str, str] = os.environ) -> Launch:
    """Return what torchrun has put into the environment.

    Raises
    ------
    InputError
        A variable is missing, is no number, or does not fit the others.
    """
    missing = [name for name in NEEDED if not variables.get(name)]
    if missing:
        found = next(name for name in ("WORLD_SIZE", "RANK") if name in variables)
        raise InputError(
            f"{found}: found no {listed(missing)} beside it, expected all of them, as torchrun "
            f"sets them, or none"
        )
    n = {name: _count(name, variables[name]) for name in COUNTS}
    for rank, size in (("RANK", "WORLD_SIZE"), ("LOCAL_RANK", "LOCAL_WORLD_SIZE")):
        if n[rank] >= n[size]:
            raise InputError(f"{rank}: found {n[rank]}, expected a number below {size}, {n[size]}")
    if not 0 < n["MASTER_PORT"] < 2**16:
        raise InputError(f"MASTER_PORT: found {n['MASTER_PORT']}, expected 1 to 65535")
    name = variables.get("TORCHELASTIC_RUN_ID", "none")
    return Launch(
        n["RANK"],
        n["WORLD_SIZE"],
        n["LOCAL_RANK"],
        n["LOCAL_WORLD_SIZE"],
        variables["MASTER_ADDR"],
        n["MASTER_PORT"],
        _count("TORCHELASTIC_RESTART_COUNT", variables.get("TORCHELASTIC_RESTART_COUNT", "0")),
        f"process {os.getppid()}" if name == "none" else name,
        _seconds(variables.get(TIMEOUT, str(SECONDS))),
    )


def _count(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InputError(f"{name}: found {text!r:.80}, expected a whole number")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 10**6:
        raise InputError(f"{TIMEOUT}: found {text!r:.80}, expected seconds, from 1 to 1,000,000")
    return seconds
