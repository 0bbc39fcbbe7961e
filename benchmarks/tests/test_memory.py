"""How much memory there is, and what a process that trains takes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import memory
from benchmarks.learners import cpu_config
from benchmarks.results import Memory
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.data.sources import load
from numpy_siamese.errors import InputError

MEMINFO = "MemTotal: 4000 kB\nMemFree: 100 kB\nMemAvailable:    2048 kB\nBuffers: 1 kB\n"


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with what the system tells, at first nothing."""
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "GROUP", tmp_path)
    monkeypatch.setattr(memory, "STATUS", tmp_path / "status")
    return tmp_path


# ------------------------------------------------------------------------------ available


def test_available_memory_is_told_in_bytes(system: Path) -> None:
    """The file counts in KiB."""
    (system / "meminfo").write_text(MEMINFO)
    assert memory.available() == 2048 * 1024


def test_a_control_group_may_leave_less(system: Path) -> None:
    """Its limit less what it has taken, in bytes, if that is less; none, if it is "max"."""
    (system / "meminfo").write_text(MEMINFO)
    (system / "memory.max").write_text("1000000\n")
    (system / "memory.current").write_text("300000\n")
    assert memory.available() == 700_000
    (system / "memory.max").write_text("1000000000000\n")
    assert memory.available() == 2048 * 1024
    (system / "memory.max").write_text("max\n")
    assert memory.available() == 2048 * 1024


def test_where_nothing_is_told_there_is_no_bound(system: Path) -> None:
    """Neither file, or one without the line."""
    assert memory.available() == float("inf")
    (system / "meminfo").write_text("MemTotal: 4000 kB\n")
    assert memory.available() == float("inf")


# ------------------------------------------------------------------------------ of a process


def test_a_process_of_its_own_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the backend, the pairs and the threads that are asked for; before and peak in order."""
    asked: list[Any] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        asked.append((command, options))
        return subprocess.CompletedProcess(command, 0, "[11, 22]\n", "")

    monkeypatch.setattr(subprocess, "run", run)
    assert memory.of_training("torch-eager", 3, 2) == Memory("torch-eager", 3, 11, 22)
    ((command, options),) = asked
    assert command == [sys.executable, "-m", "benchmarks.memory", "torch-eager", "3", "2"]
    assert options == {"capture_output": True, "text": True, "check": False}


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        ("Traceback\n  File\nMemoryError: \x1b[1mfull\n", r"not run: MemoryError: \x1b[1mfull"),
        ("", "not run: exit status -9"),
    ],
)
def test_a_process_that_fails(monkeypatch: pytest.MonkeyPatch, said: str, missing: str) -> None:
    """A missing figure with its last line, or how it ended."""
    done = subprocess.CompletedProcess([], -9, "", said)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    assert memory.of_training("numpy", 3, 2) == Memory("numpy", 3, missing=missing)


@pytest.mark.slow
def test_a_real_process() -> None:
    """The peak is that of the process that trained, which is at least what it began with."""
    found = memory.of_training("numpy", 2, 1)
    assert not found.missing
    assert found.peak >= found.before > 10 * 2**20


# ------------------------------------------------------------------------------ within it


class Learner:
    """Notes the batches that it is given, and grows."""

    def __init__(self, status: Path) -> None:
        self.status, self.sizes = status, []
        self.labels = load("mnist-5k").train.labels
        self.take(100)

    def take(self, kib: int) -> None:
        self.status.write_text(f"Name: x\nVmPeak: 9 kB\nVmHWM:\t  {kib} kB\nVmRSS: 7 kB\n")

    def learn(self, batches: Any) -> None:
        ((left, right, targets),) = batches
        sampler = PairSampler(self.labels, len(left), seed=0)
        expected = sampler.batch(0, len(self.sizes))
        assert all(map(np.array_equal, (left, right, targets), expected))
        self.sizes.append(len(left))
        self.take(100 + len(self.sizes))


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numpy", "torch-eager"])
def test_what_the_process_does(
    system: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    backend: str,
) -> None:
    """The peak before the first step, five steps of so many pairs, and the peak at the end."""
    asked: list[tuple[str, int, int]] = []
    learner = Learner(system / "status")

    def make(name: str, pairs: int, threads: int, images: Any) -> Learner:
        assert images.shape == (4000, 28, 28)
        asked.append((name, pairs, threads))
        return learner

    monkeypatch.setattr(memory, "_learner", make)
    memory.main([backend, "6", "2"])
    assert asked == [(backend, 6, 2)]
    assert learner.sizes == [6] * 5
    assert json.loads(capsys.readouterr().out) == [100 * 1024, 105 * 1024]


def test_what_a_learner_refuses_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In its own words, from which the benchmark takes the last line."""

    def refuse(*_: Any) -> Learner:
        raise InputError("threads: found 0, expected 1 or more")

    monkeypatch.setattr(memory, "_learner", refuse)
    with pytest.raises(SystemExit):
        memory.main(["numpy", "6", "2"])
    assert "error: threads: found 0, expected 1 or more (" in capsys.readouterr().err


@pytest.mark.parametrize("backend", ["numpy", "torch-eager"])
def test_the_learner_is_the_package_s(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    """NumPy's or PyTorch's on the CPU, with the pairs and the threads."""
    monkeypatch.setattr(memory, "new_learner", lambda *arguments: arguments)
    package, config, images = memory._learner(backend, 6, 2, "images")
    assert (package, images) == (backend.partition("-")[0], "images")
    assert (config.batch_size, config.threads) == (6, 2)
    assert type(config) is type(cpu_config(package))


def test_what_it_cannot_read_ends_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With exit status 2, and before anything is loaded."""
    for flags in (["jax", "6", "2"], ["numpy", "many", "2"], ["numpy", "6"]):
        with pytest.raises(SystemExit) as ended:
            memory.main(flags)
        assert ended.value.code == 2
        assert "python -m benchmarks.memory: error: " in capsys.readouterr().err


@pytest.mark.parametrize(("platform", "factor"), [("linux", 1024), ("darwin", 1)])
def test_the_peak_elsewhere(
    system: Path, monkeypatch: pytest.MonkeyPatch, platform: str, factor: int
) -> None:
    """Without /proc it is asked of the system, which counts in KiB, on macOS in bytes."""
    import resource

    class Usage:
        ru_maxrss = 77

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(resource, "getrusage", lambda who: Usage)
    assert memory._peak() == 77 * factor


def test_without_proc_the_peak_is_what_getrusage_tells(system: Path) -> None:
    """On other systems than Linux; there is at least the interpreter, 4 MiB."""
    found = memory._peak()
    assert found >= 4 * 2**20
    assert found % 1024 == 0 or sys.platform == "darwin"


def test_help_says_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever starts it by hand sees two numbers."""
    with pytest.raises(SystemExit):
        memory.main(["--help"])
    assert "print the peak" in " ".join(capsys.readouterr().out.split())
