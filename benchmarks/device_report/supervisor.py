"""Have tasks done by processes of their own, so that none can spoil another.

A task that fails, a process that crashes and one that takes too long leave what the others found.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.device_report.tasks import Outcome, Task
from numpy_siamese.errors import reason

ROOT = Path(__file__).parents[2]

COMMAND = (sys.executable, "-m", "benchmarks.device_report.worker")

ENDING = 20.0
"""Seconds that an interrupted process gets to leave what it has."""


def outcomes(
    tasks: Sequence[Task], until: float, say: Callable[[str], None] = lambda line: None
) -> Iterator[Outcome]:
    """Yield what becomes of each task, in their order.

    Parameters
    ----------
    tasks : sequence of Task
    until : float
        When there is no more time, by `time.monotonic`. What has not begun then is not run.
    say : where to report progress
    """
    left = list(tasks)
    while left:
        if time.monotonic() >= until:
            yield from (_missing(task, "not run: the part's time is over") for task in left)
            return
        done = 0
        for outcome in _by_one_process(left, until, say):
            yield outcome
            done += 1
        left = left[done:]


def _by_one_process(
    tasks: Sequence[Task], until: float, say: Callable[[str], None]
) -> Iterator[Outcome]:
    """Yield the outcomes of the tasks that one process does: at least the first task's."""
    with tempfile.TemporaryFile() as errors, _process(tasks, errors) as (process, messages):
        for number, task in enumerate(tasks):
            say(f"{task.part}: {task.name}")
            begun = time.monotonic()
            limit = min(task.seconds, until - begun)
            if limit <= 0:
                return
            message = _answer(messages, number, begun + limit)
            taken = time.monotonic() - begun
            if message == "late":
                yield _missing(task, _too_long(task, limit), taken)
                return
            if not isinstance(message, dict):
                yield _missing(task, _end_of(process, errors), taken)
                return
            yield Outcome(
                task.part,
                task.name,
                task.arguments,
                message.get("found", {}),
                message.get("missing", ""),
                message.get("no_memory", False),
                round(taken, 3),
            )
            if message.get("last"):
                return


@contextmanager
def _process(tasks: Sequence[Task], errors: Any) -> Iterator[tuple[Any, queue.Queue[str]]]:
    """Start a process on the tasks. In the end nothing of it is left."""
    process = subprocess.Popen(
        COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        cwd=ROOT,
        start_new_session=True,  # Ctrl-C is this side's to judge
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        encoding="utf-8",
    )
    messages: queue.Queue[str] = queue.Queue()

    def pass_on() -> None:
        for line in process.stdout or ():
            messages.put(line)
        messages.put("")

    try:
        threading.Thread(target=pass_on, daemon=True).start()
        with suppress(OSError):
            assert process.stdin is not None
            work = [(n, task.part, task.arguments) for n, task in enumerate(tasks)]
            process.stdin.write(json.dumps(work) + "\n")
            process.stdin.flush()
        yield process, messages
    finally:
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    """End a process and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(ENDING)
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.close()


def _answer(messages: "queue.Queue[str]", number: int, until: float) -> dict[str, Any] | str:
    """Return the message that a task is done, 'late', or 'gone' where nobody answers any more."""
    while True:
        try:
            line = messages.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            return "late"
        if not line:
            return "gone"
        message = json.loads(line)
        if message.get("done") == number:
            return message


def _too_long(task: Task, limit: float) -> str:
    if limit < task.seconds:
        return f"not finished: the part's time was over after {limit:.0f} s"
    return f"failed: took longer than {limit:.0f} s"


def _end_of(process: subprocess.Popen[str], errors: Any) -> str:
    """Return how a process ended, with the last line that it said."""
    try:
        process.wait(ENDING)
    except subprocess.TimeoutExpired:
        return "failed: its process answers no more"
    errors.seek(0)
    said = errors.read().decode(errors="replace").strip().splitlines()[-1:]
    status = process.returncode
    how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    return f"failed: its process ended with {how}" + (f", {reason(said[0])}" if said else "")


def _missing(task: Task, why: str, seconds: float = 0.0) -> Outcome:
    return replace(
        Outcome(task.part, task.name, task.arguments), missing=why, seconds=round(seconds, 3)
    )
