"""Ranks in processes of their own: forked from a server in milliseconds, or started by torchrun."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from numpy_siamese.tests.support.processes import REPOSITORY, Process, Server
from torch_siamese.distributed.command import LOG_LEVEL
from torch_siamese.distributed.launch import TIMEOUT

LONGEST = 60
"""Seconds after which ranks that have not ended are taken for stuck, and are killed."""

COUNT_STEPS = """
import os, signal, time
from torch_siamese.training import TorchLearner as Learner
learn, steps = Learner.learn, 0
def counted(self, batches):
    global steps
    for batch in batches:
        steps += 1
        before_step(self, steps)
    return learn(self, batches)
Learner.learn = counted
"""


def in_step(step: int, rank: int, action: str, attempt: int = 0) -> str:
    """Return a setup in which one rank does something before its so-many-th step."""
    return f"""{COUNT_STEPS}
def before_step(self, step):
    place = step, os.environ["RANK"], os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    if place == ({step}, "{rank}", "{attempt}"):
        {action}
"""


KILL, TERMINATE = (f"os.kill(os.getpid(), signal.{name})" for name in ("SIGKILL", "SIGTERM"))


def free_port() -> int:
    """Return a port that nothing listens on; the system hands out others before it again."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def variables(rank: int, size: int, port: int, **others: str) -> dict[str, str]:
    """Return what torchrun tells a rank of one node."""
    return {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(size),
        "LOCAL_WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        TIMEOUT: str(LONGEST // 2),
        **others,
    }


@contextmanager
def server_of_ranks(folder: Path) -> Iterator[Server]:
    """Start a server of ranks, whose PyTorch says nothing of sockets that close."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(LOG_LEVEL, "ERROR")  # read when the server imports PyTorch
        server = Server("torch_siamese", folder)
    yield server
    server.close()


class Job:
    """Ranks that are at work."""

    def __init__(self, ranks: list[Process]) -> None:
        self.ranks = ranks

    def wait(self) -> list[int]:
        """Return the exit statuses; ranks that hang are killed."""
        watchdog = threading.Timer(LONGEST, self._kill)
        watchdog.start()
        try:
            return [rank.wait() for rank in self.ranks]
        finally:
            watchdog.cancel()

    def _kill(self) -> None:
        for rank in self.ranks:
            if not rank.ended:
                os.kill(rank.pid, signal.SIGKILL)

    @property
    def err(self) -> str:
        """What all ranks wrote to standard error."""
        return "".join(rank.err for rank in self.ranks)

    @property
    def out(self) -> str:
        """What all ranks wrote to standard output."""
        return "".join(rank.out for rank in self.ranks)


def start(
    server: Server,
    size: int,
    *argv: Any,
    setup: str = "",
    last: Sequence[Any] = (),
    **others: str,
) -> Job:
    """Start ranks by hand, each with the environment that torchrun would give it.

    The last rank gets further flags. All get further variables.
    """
    port = free_port()
    ranks = []
    for rank in range(size):
        environment = with_variables(variables(rank, size, port, **others), setup)
        further = last if rank == size - 1 else ()
        ranks.append(server.start(*argv, *further, setup=environment))
    return Job(ranks)


def with_variables(environment: dict[str, str], setup: str = "") -> str:
    """Return a setup with environment variables."""
    return f"import os\nos.environ.update({environment!r})\n{setup}"


def torchrun(*arguments: Any, setup: str = "") -> subprocess.Popen:
    """Start an agent of torchrun, whose ranks run the command line after a setup."""
    environment = os.environ | {
        "PYTHONPATH": str(REPOSITORY),
        "OMP_NUM_THREADS": "1",
        "TORCH_SIAMESE_TEST_SETUP": setup,
        TIMEOUT: str(LONGEST // 2),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", *map(str, arguments)],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(agent: subprocess.Popen) -> tuple[int, str, str]:
    """Wait for an agent; return its exit status, standard output and standard error."""
    try:
        out, err = agent.communicate(timeout=2 * LONGEST)
    except subprocess.TimeoutExpired:
        agent.terminate()  # which ends its ranks
        out, err = agent.communicate(timeout=LONGEST)
        raise AssertionError(f"torchrun hangs: {err}") from None
    return agent.returncode, out, err


DRIVER = Path(__file__).with_name("driver.py")
