"""What a task found, or what it lacks; and nothing else on standard output."""

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from benchmarks.backends.base import NotRun
from benchmarks.device_report import worker
from benchmarks.device_report.supervisor import ROOT
from numpy_siamese.errors import InputError


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what makes a part do something."""

    def doing(measure: Any) -> None:
        module = SimpleNamespace(measure=measure)
        monkeypatch.setattr(worker.importlib, "import_module", lambda name: module)

    return doing


def raising(error: Exception) -> Any:
    def measure(**arguments: Any) -> None:
        raise error

    return measure


def test_a_task_that_goes_well(part: Any) -> None:
    """It gets its arguments, and its findings are told."""
    part(lambda **arguments: arguments)
    assert worker.outcome("recipe", {"mode": "graph"}) == {"found": {"mode": "graph"}}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (InputError("--mode graph: no"), {"missing": "not run: --mode graph: no"}),
        (NotRun("no TF32"), {"missing": "not run: no TF32"}),
        (
            MemoryError("CUDA out of memory"),
            {"missing": "out of memory CUDA out of memory", "no_memory": True, "last": True},
        ),
        (
            torch.OutOfMemoryError("Tried 2 GiB\nof much"),
            {"missing": "out of memory Tried 2 GiB", "no_memory": True, "last": True},
        ),
        (
            RuntimeError("CUDA error: an illegal\nmore"),
            {
                "missing": "failed: RuntimeError CUDA error: an illegal",
                "no_memory": False,
                "last": True,
            },
        ),
        (
            AssertionError(),
            {"missing": "failed: AssertionError", "no_memory": False, "last": True},
        ),
    ],
)
def test_a_task_that_does_not(part: Any, error: Exception, told: dict[str, Any]) -> None:
    """One line; what may have spoilt the device is the process's last."""
    part(raising(error))
    assert worker.outcome("scaling", {}) == told


def test_tasks_are_done_until_one_spoils_the_process(part: Any) -> None:
    """What is refused spoils nothing."""
    errors = {1: NotRun("no"), 2: MemoryError("no")}

    def measure(n: int) -> dict[str, int]:
        if n in errors:
            raise errors[n]
        return {"n": n}

    part(measure)
    told: list[dict[str, Any]] = []
    worker.work([(n, "recipe", {"n": n}) for n in range(4)], told.append)
    assert [message["done"] for message in told] == [0, 1, 2]
    assert told[0] == {"done": 0, "found": {"n": 0}}


NOISY = """
from benchmarks.device_report import worker
worker.outcome = lambda part, arguments: print("noise") or {"found": {"part": part}}
worker.main()
"""


@pytest.mark.slow
def test_standard_output_has_outcomes_alone() -> None:
    """Whatever a library prints is not taken for one."""
    done = subprocess.Popen(
        [sys.executable, "-c", NOISY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        encoding="utf-8",
    )
    with done:
        assert done.stdin is not None
        assert done.stdout is not None
        assert done.stderr is not None
        done.stdin.write(json.dumps([[0, "recipe", {}], [1, "limits", {}]]) + "\n")
        done.stdin.flush()
        told = [json.loads(line) for line in done.stdout]
        assert done.stderr.read() == "noise\nnoise\n"
    assert told == [{"done": n, "found": {"part": p}} for n, p in ((0, "recipe"), (1, "limits"))]
