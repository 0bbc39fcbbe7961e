"""A terminal that is closed under a run: the batch is finished, all is saved, nothing is said."""

import os
import pty
import re
import signal
import subprocess
import sys
import termios

from numpy_siamese.runs.checkpoint import load_checkpoint
from numpy_siamese.tests.support.tiny import PATIENCE

IN_THE_FOREGROUND = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "numpy_siamese", *sys.argv[1:]])
"""


def test_a_closed_terminal_ends_a_run_as_a_kill_does(server, begin, tmp_path):
    """Broken otherwise: whoever loses the connection to a machine loses the work there: the first
    figure that cannot be shown is an error before the batch is saved, or the signal kills.

    The run has the terminal as people have it: it is its controlling terminal, on which both
    streams are, and which sends SIGHUP when the other side goes.
    """
    argv = begin("--epochs", 1, "--batches", 10**6, "--window", 1, "--checkpoint-every", 10**6)
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    process = subprocess.Popen(
        [sys.executable, "-c", IN_THE_FOREGROUND, *map(str, argv)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while not re.search(rb"batch +3\s", shown):
        shown += os.read(ours, 4096)
    os.close(ours)
    try:
        assert process.wait(PATIENCE) == 128 + signal.SIGHUP
    finally:
        process.kill()  # where it has not ended by itself
        process.wait()
    run = tmp_path / "run"
    done = load_checkpoint(run / "checkpoint.safetensors").batch
    assert done >= 3
    assert (run / "metrics.csv").read_text().count("\n") == 1 + done
    assert (run / "model.safetensors").exists()
    assert '"finished": false' in (run / "summary.json").read_text()
    assert [name for name in os.listdir(run) if name.startswith(".")] == []
    flags = ("--epochs", 1, "--checkpoint-every", 1)
    again = server.start("train", "--resume", run, *flags)
    again.wait_until(lambda: load_checkpoint(run / "checkpoint.safetensors").batch > done)
    os.kill(again.pid, signal.SIGHUP)
    assert again.wait() == 128 + signal.SIGHUP
