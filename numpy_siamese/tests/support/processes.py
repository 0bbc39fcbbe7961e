"""Runs in processes of their own, without paying for the imports each time.

A server process imports the command line once and forks for every run: a child that can be killed,
sent signals and limited like any process, and that starts in milliseconds.
"""

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy_siamese.tests.support.tiny import PATIENCE

REPOSITORY = Path(__file__).parents[3]


def run_python(*arguments: str) -> subprocess.CompletedProcess:
    """Run Python to its end in a process of its own."""
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True)


class Process:
    """A run in a child of the server; `pid` can be sent signals."""

    def __init__(self, server: "Server", pid: int, out: Path, err: Path) -> None:
        self.server, self.pid, self._out, self._err = server, pid, out, err
        self.ended = False

    def wait(self) -> int:
        """Return the exit status, negative for the signal that killed the process."""
        status = self.server.ask({"wait": self.pid})
        self.ended = True
        return os.waitstatus_to_exitcode(status)

    def kill_after(self, seconds: float) -> int:
        """Kill the process outright after so long, if it still runs; return the exit status."""
        time.sleep(seconds)
        os.kill(self.pid, signal.SIGKILL)  # harmless to one that has ended and not been waited for
        return self.wait()

    def wait_until(self, holds: Callable[[], Any]) -> None:
        """Wait for something to hold; fail after `PATIENCE` seconds."""
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, (self.out, self.err)
            time.sleep(0.002)

    @property
    def out(self) -> str:
        """What was written to standard output so far."""
        return self._out.read_text()

    @property
    def err(self) -> str:
        """What was written to standard error so far."""
        return self._err.read_text()


class Server:
    """Start runs of a package's command line.

    Parameters
    ----------
    package : 'numpy_siamese' or 'torch_siamese'
    folder : Path
        For what the runs print.
    """

    def __init__(self, package: str, folder: Path) -> None:
        self.folder, self.count = folder, 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, package],
            cwd=REPOSITORY,  # so that it runs the code that is tested
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def start(self, *argv: Any, setup: str = "", pictures: bool = False) -> Process:
        """Start a run.

        Parameters
        ----------
        argv : anything with a string
        setup : str
            A statement that the child executes first.
        pictures : bool
            Draw them, which takes most of a small run's time; else they are what they would show.
        """
        self.count += 1
        out, err = (self.folder / f"{self.count}.{kind}" for kind in ("out", "err"))
        out.touch()
        err.touch()
        request = {"argv": [*map(str, argv)], "setup": setup, "pictures": pictures}
        pid = self.ask(request | {"out": str(out), "err": str(err)})
        return Process(self, pid, out, err)

    def run(self, *argv: Any, **options: Any) -> tuple[int, str]:
        """Run to the end; return the exit status and what was written to standard error."""
        process = self.start(*argv, **options)
        return process.wait(), process.err

    def ask(self, request: dict) -> int:
        """Send a request and return the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End the server."""
        self._process.communicate()


def assert_one_line(process: Process, *said: object) -> None:
    """Check for exit status 2 and one line on standard error that says each of `said`."""
    status, err = process.wait(), process.err
    assert status == 2, err
    assert err.startswith("numpy-siamese: error: ")
    assert err.count("\n") == 1
    for part in said:
        assert str(part) in err


COMMAND_LINES = {"numpy_siamese": "numpy_siamese.cli.main", "torch_siamese": "torch_siamese.cli"}
"""Where the command line of a package stands."""


def _serve(package: str) -> None:
    import importlib

    import pandas  # noqa: F401
    import safetensors.numpy  # noqa: F401

    from numpy_siamese.pictures import canvas

    canvas.new_figure(1, 1)  # which imports matplotlib

    main = importlib.import_module(COMMAND_LINES[package]).main
    importlib.import_module("numpy_siamese.runs.trainer")
    importlib.import_module(f"{package}.training")
    if package == "torch_siamese":
        importlib.import_module("torch._dynamo")  # as the first optimiser would
        importlib.import_module("torch_siamese.distributed.run")
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            answer = os.waitpid(request["wait"], 0)[1]
        else:
            answer = os.fork()
            if answer == 0:
                _child(main, request)
        print(answer, flush=True)


def _child(main: Callable[[list[str]], int], request: dict) -> None:
    """Run the command line and end the process."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # tests may run in the background
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for descriptor, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(request[name], os.O_WRONLY | os.O_CREAT), descriptor)
        if not request["pictures"]:
            _write_data_for_pictures()
        exec(request["setup"], {})
        status = main(request["argv"])
    except SystemExit as end:
        status = end.code  # type: ignore[assignment]
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _write_data_for_pictures() -> None:
    """Let a picture be the bytes of what it would show, but for times."""
    import numpy as np

    from numpy_siamese.pictures import plots

    def curves(
        title: str, batches: int, train: Any, test: Any, validation: Any = (), loss: str = "bce"
    ) -> bytes:
        parts = train, test, validation
        rows = [[replace(row, seconds=0.0) for row in rows] for rows in parts]
        return repr((title, batches, rows, loss)).encode()

    def pair_grid(title: str, *sections: Any, least_columns: int = 1) -> bytes:
        parts = [part for section in sections for part in section if part is not None]
        return title.encode() + b"".join(np.asarray(part, order="C").tobytes() for part in parts)

    plots.curves, plots.pair_grid = curves, pair_grid


if __name__ == "__main__":
    _serve(sys.argv[1])
