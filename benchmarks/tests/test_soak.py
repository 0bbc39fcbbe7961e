"""The soak: what it watches, what it prints, and when it fails."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

import numpy_siamese.training
from benchmarks import soak
from benchmarks.soak import Tenth, Watched, report, tenths
from numpy_siamese.errors import InputError
from numpy_siamese.runs.config import TrainConfig

MIB = 2**20


def watched(steps: int, resident: np.ndarray, seconds: np.ndarray) -> Watched:
    """Return what was seen of steps that took so much memory and time."""
    seen = Watched(None, steps)
    seen.resident[:] = resident
    seen.began[:] = np.concatenate([[0.0], np.cumsum(seconds)[:-1]])
    seen.done = steps
    return seen


@pytest.fixture
def flat() -> list[Tenth]:
    """Return ten tenths alike."""
    return [Tenth(100.0 * MIB, 0.002, 0.003, 0.004)] * 10


# ------------------------------------------------------------------------------ watching


def test_every_step_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """When it began and the memory then; it does what the learner does, and so does all else."""
    times, memory = iter([1.0, 2.5]), iter([10, 20])
    monkeypatch.setattr(soak.time, "perf_counter", lambda: next(times))
    monkeypatch.setattr(soak, "resident_bytes", lambda: next(memory))

    class Learner:
        threads = 3

        def learn(self, batches: Any) -> Any:
            return ("learned", batches)

    seen = Watched(Learner(), 3)
    assert seen.learn([1]) == ("learned", [1])
    assert seen.learn([3]) == ("learned", [3])
    assert (seen.began.tolist(), seen.resident.tolist()) == ([1.0, 2.5, 0.0], [10.0, 20.0, 0.0])
    assert seen.began.dtype == seen.resident.dtype == np.float64  # no object for each step
    assert seen.done == 2
    assert seen.threads == 3


def test_resident_memory_is_told_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second number, in pages."""
    monkeypatch.setattr(soak, "STATM", str(tmp_path / "statm"))
    (tmp_path / "statm").write_text("900 25 3 4 0 5 0\n")
    monkeypatch.setattr(soak.os, "sysconf", {"SC_PAGE_SIZE": 4096}.__getitem__)
    assert soak.resident_bytes() == 25 * 4096


def test_tenths_of_the_steps() -> None:
    """Median memory and quartiles of the time between beginnings, of each tenth for itself."""
    resident = np.repeat(np.arange(10.0), 5) + np.tile([0, 0, 0.5, 9, 9], 10)
    seconds = np.repeat(np.arange(1.0, 11.0), 5) * np.tile([1, 2, 3, 4, 100], 10)
    found = tenths(watched(50, resident, seconds))
    assert len(found) == 10
    for k, tenth in enumerate(found):
        assert tenth.memory == k + 0.5
        quartiles = [(k + 1) * q for q in (1.75, 2.5, 3.25)]
        assert [tenth.low, tenth.median, tenth.high] == pytest.approx(quartiles, rel=2**-48)


# ------------------------------------------------------------------------------ the verdict


def test_what_is_printed(flat: list[Tenth]) -> None:
    """A line for each tenth, in MiB and milliseconds, then the last against the second."""
    flat[0] = Tenth(50.0 * MIB, 0.1, 0.2, 0.3)
    flat[2] = Tenth(70.0 * MIB, 0.1, 0.2, 0.3)
    flat[9] = Tenth(100.5 * MIB, 0.0035, 0.0045, 0.006)
    lines, is_flat = report(flat)
    assert lines[:3] == [
        "tenth   memory (median)   step (median, quartiles)",
        "    1        50.00 MiB   200.000 ms  (100.000 to 300.000)",
        "    2       100.00 MiB     3.000 ms  (2.000 to 4.000)",
    ]
    assert lines[10:] == [
        "   10       100.50 MiB     4.500 ms  (3.500 to 6.000)",
        "memory, last tenth against the second: +0.50%, allowed below 1%",
        "step time, last tenth against the second: 1.500, beyond its quartiles: False",
    ]
    assert is_flat


@pytest.mark.parametrize(
    ("last", "is_flat"),
    [
        (Tenth(100.0 * MIB, 0.002, 0.003, 0.004), True),
        (Tenth(100.9 * MIB, 0.004, 0.005, 0.006), True),  # the quartiles touch
        (Tenth(101.0 * MIB, 0.002, 0.003, 0.004), False),
        (Tenth(102.0 * MIB, 0.002, 0.003, 0.004), False),
        (Tenth(90.0 * MIB, 0.001, 0.001, 0.001), True),  # less of both
        (Tenth(100.0 * MIB, 0.0041, 0.005, 0.006), False),
        (Tenth(102.0 * MIB, 0.0041, 0.005, 0.006), False),
    ],
)
def test_what_is_flat(flat: list[Tenth], last: Tenth, is_flat: bool) -> None:
    """Memory grows by less than 1 %, and the lower quartile is not above the second's upper one."""
    flat[0] = Tenth(1.0, 0.0, 0.0, 0.0)  # it warms up, and is compared with nothing
    flat[5] = Tenth(1e12, 9.0, 9.0, 9.0)
    assert report([*flat[:9], last])[1] is is_flat


def test_growth_at_the_limit_is_growth(flat: list[Tenth], monkeypatch: pytest.MonkeyPatch) -> None:
    """Allowed is what lies below; a quarter is a number that floating point has."""
    monkeypatch.setattr(soak, "MOST_GROWTH", 0.25)
    assert not report([*flat[:9], Tenth(125.0 * MIB, 0.002, 0.003, 0.004)])[1]


@pytest.mark.parametrize(
    ("growth", "slowdown", "status"), [(1.0, 1.0, 0), (1.02, 1.0, 1), (1.0, 3.0, 1), (0.9, 0.5, 0)]
)
def test_the_exit_status(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    growth: float,
    slowdown: float,
    status: int,
) -> None:
    """0 where memory and time stay flat, 1 where either grows; the flags reach the run."""
    asked: list[Any] = []

    def run(*arguments: Any) -> Watched:
        asked.append(arguments)
        resident = np.full(100, 64.0 * MIB) * np.where(np.arange(100) < 90, 1.0, growth)
        seconds = np.tile([0.001, 0.0012], 50) * np.where(np.arange(100) < 90, 1.0, slowdown)
        return watched(100, resident, seconds)

    monkeypatch.setattr(soak, "soak", run)
    flags = ["--package", "torch", "--steps", "100", "--batch-size", "7", "--threads", "2"]
    assert soak.main(flags) == status
    assert asked == [("torch", 100, 7, 2)]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "torch, 100 steps of 7 pairs"
    assert len(lines) == 14
    assert lines[2].startswith("    1        64.00 MiB     1.000 ms")


@pytest.mark.parametrize(("flags", "steps"), [([], 50_000), (["--steps=50"], 50)])
def test_it_takes_50_000_steps_of_4_pairs_unless_said(
    monkeypatch: pytest.MonkeyPatch, flags: list[str], steps: int
) -> None:
    """As the first lines of its help promise. The fewest are 50, one for each epoch."""
    asked: list[Any] = []
    flat = watched(100, np.ones(100), np.ones(100))
    monkeypatch.setattr(soak, "soak", lambda *arguments: asked.append(arguments) or flat)
    assert soak.main(flags) == 0
    assert asked == [("numpy", steps, 4, 1)]


@pytest.mark.parametrize("steps", ["0", "49", "51", "-50"])
def test_steps_that_do_not_divide_are_refused(
    capsys: pytest.CaptureFixture[str], steps: str
) -> None:
    """In one line, before anything is trained."""
    with pytest.raises(SystemExit) as ended:
        soak.main([f"--steps={steps}"])
    assert ended.value.code == 2
    assert f"error: --steps: found {steps}, expected a multiple of 50" in capsys.readouterr().err


def test_the_packages_are_two(capsys: pytest.CaptureFixture[str]) -> None:
    """Another one is refused in a line, and the help says what the command does."""
    for flags, status in ((["--package", "jax"], 2), (["--help"], 0)):
        with pytest.raises(SystemExit) as ended:
            soak.main(flags)
        assert ended.value.code == status
    captured = capsys.readouterr()
    assert "benchmarks.soak: error: --package: found 'jax', expected numpy" in captured.err
    told = " ".join(captured.out.split())
    assert told.startswith("usage: python -m benchmarks.soak ")
    assert " Train for 50,000 steps on small batches: does memory stay flat" in told
    assert " a multiple of 50 " in told


def test_what_a_run_refuses_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In its own words."""

    def run(*arguments: Any) -> Watched:
        raise InputError("threads: found 0, expected 1 or more")

    monkeypatch.setattr(soak, "soak", run)
    with pytest.raises(SystemExit) as ended:
        soak.main([])
    assert ended.value.code == 2
    assert "error: threads: found 0, expected 1 or more (" in capsys.readouterr().err


def test_where_memory_is_not_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It needs Linux, and says so."""
    monkeypatch.setattr(soak, "STATM", "/nowhere/statm")
    with pytest.raises(SystemExit) as ended:
        soak.main([])
    assert ended.value.code == 2
    assert "error: found no /nowhere/statm, expected Linux" in capsys.readouterr().err


# ------------------------------------------------------------------------------ the run


class FakeTrainer:
    """A run that does nothing but the steps."""

    made: ClassVar[list[Any]] = []

    def __init__(self, config: Any, dataset: Any, learner: Any, out: Path, quiet: bool) -> None:
        assert out.is_dir()
        assert quiet
        assert len(dataset.train.images) == 4000
        self.made.append((config, out))
        self.learner, self.steps = learner, config.epochs * config.batches

    def train(self) -> None:
        """Learn from the same pair of images again and again."""
        index = np.arange(2)
        for _ in range(self.steps):
            self.learner.learn([(index, index + 2, np.ones((2, 1), np.float32))])


@pytest.mark.slow
def test_a_whole_run_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many steps, of so many pairs, on so many threads, in a folder that is removed."""
    monkeypatch.setattr(soak, "Trainer", FakeTrainer)
    FakeTrainer.made.clear()
    seen = soak.soak("numpy", 50, 2, 1)
    ((config, out),) = FakeTrainer.made
    assert (config.epochs, config.batches, config.batch_size, config.threads) == (50, 1, 2, 1)
    assert config.test_pairs == 100
    assert not out.exists()
    assert seen.done == 50
    assert (seen.resident > 0).all()
    assert (np.diff(seen.began) > 0).all()
    assert type(seen._learner) is numpy_siamese.training.NumpyLearner
    assert type(config) is TrainConfig


def test_the_package_is_the_one_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch's is asked for the CPU."""
    asked = []

    def new_learner(package: str, config: Any, images: Any) -> Any:
        asked.append((package, config.device))
        return SimpleNamespace(learn=lambda batches: ([0.0], [0.0]))

    monkeypatch.setattr(soak, "new_learner", new_learner)
    monkeypatch.setattr(soak, "Trainer", FakeTrainer)
    FakeTrainer.made.clear()
    assert soak.soak("torch", 100, 3, 2).done == 100
    ((config, _),) = FakeTrainer.made
    assert asked == [("torch", "cpu")]
    assert (config.device, config.batches, config.batch_size, config.threads) == ("cpu", 2, 3, 2)
