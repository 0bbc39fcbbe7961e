"""Tasks are done by processes that may fail, crash, hang or be ended; the others' results stay."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.device_report import supervisor
from benchmarks.device_report.supervisor import COMMAND, ROOT, outcomes
from benchmarks.device_report.tasks import Outcome, Task

pytestmark = pytest.mark.slow

STAND_IN = """
import json, os, signal, sys, time
for number, part, arguments in json.loads(sys.stdin.readline()):
    if part == "crash":
        print("bad luck", file=sys.stderr)
        os.kill(os.getpid(), signal.SIGSEGV)
    if part == "exit":
        sys.exit("no such thing")
    if part == "hang":
        time.sleep(600)
    found = {"found": {"process": os.getpid(), **arguments}}
    if part == "fail":
        found = {"missing": "out of memory", "no_memory": True, "last": True}
    print(json.dumps({"done": number} | found), flush=True)
time.sleep(600)
"""
"""Does a task by its part's name, and never ends by itself."""


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Outcome]]:
    """Return what has tasks of some parts done."""
    monkeypatch.setattr(supervisor, "COMMAND", (sys.executable, "-c", STAND_IN))

    def have_done(*parts: str, until: float = 30.0, seconds: float = 20.0) -> list[Outcome]:
        tasks = [Task(part, f"{part} {n}", {"n": n}, seconds) for n, part in enumerate(parts)]
        return list(outcomes(tasks, time.monotonic() + until))

    return have_done


def test_one_process_does_what_goes_well(done: Callable[..., list[Outcome]]) -> None:
    """In order, each with its arguments; nothing is left of the process afterwards."""
    found = done("fine", "fine", "fine")
    assert [outcome.found["n"] for outcome in found] == [0, 1, 2]
    assert [outcome.name for outcome in found] == ["fine 0", "fine 1", "fine 2"]
    (process,) = {outcome.found["process"] for outcome in found}
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_crash_leaves_the_others(done: Callable[..., list[Outcome]]) -> None:
    """It is told by the signal, or the exit status, and what was said last."""
    found = done("fine", "crash", "fine", "exit", "fine")
    assert [bool(outcome.missing) for outcome in found] == [False, True, False, True, False]
    assert found[1].missing == "failed: its process ended with SIGSEGV, bad luck"
    assert found[3].missing == "failed: its process ended with exit status 1, no such thing"
    assert len({outcome.found["process"] for outcome in found if outcome.found}) == 3


def test_a_failure_begins_another_process(done: Callable[..., list[Outcome]]) -> None:
    """What the worker says of it is passed on."""
    one, two, three = done("fine", "fail", "fine")
    assert (two.missing, two.no_memory, two.found) == ("out of memory", True, {})
    assert one.found["process"] != three.found["process"]


def test_what_takes_too_long_is_ended(done: Callable[..., list[Outcome]]) -> None:
    """By its own limit; the next one has its own."""
    found = done("hang", "fine", seconds=2.0)
    assert found[0].missing == "failed: took longer than 2 s"
    assert 2.0 <= found[0].seconds < 10.0
    assert found[1].found["n"] == 1


def test_when_the_part_s_time_is_over(done: Callable[..., list[Outcome]]) -> None:
    """What runs is ended, and what has not begun is not run."""
    found = done("fine", "hang", "fine", until=2.0)
    assert found[0].found
    assert found[1].missing == "not finished: the part's time was over after 2 s"
    assert found[2].missing == "not run: the part's time is over"


def test_nothing_is_left_after_an_interrupt(done: Callable[..., list[Outcome]]) -> None:
    """Whoever stops asking, as Ctrl-C does, ends the process."""
    tasks = [Task("fine", "a", {}), Task("hang", "b", {})]
    asked = outcomes(tasks, time.monotonic() + 30)
    process = next(asked).found["process"]
    asked.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert done("fine")[0].found["n"] == 0


def test_the_worker_ends_with_whoever_started_it(tmp_path: Path) -> None:
    """Even one that is killed leaves no process that holds a device."""
    tests = ["initialization"]
    arguments = {"report": str(tmp_path / "r"), "log": str(tmp_path / "l"), "profile": "quick"}
    arguments |= {"seconds": 60.0, "tests": tests, "chosen": "no such test"}
    worker = subprocess.Popen(
        COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,
        encoding="utf-8",
    )
    assert worker.stdin is not None
    worker.stdin.write(json.dumps([[0, "parity", arguments]]) + "\n")
    worker.stdin.flush()
    worker.stdin.close()
    assert worker.wait(30) == -signal.SIGKILL
    assert worker.stdout is not None
    worker.stdout.close()
