"""The command: what it refuses, what it leaves, and that it goes through all parts on the CPU."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import cli
from benchmarks.device_report import dataset, environment, pictures, plan, supervisor
from benchmarks.device_report.supervisor import ROOT
from benchmarks.device_report.tasks import Outcome, Task


@pytest.fixture(autouse=True)
def _without_a_device(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let tests be about the command, whatever this machine has; digits are read anew."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    dataset.digits.cache_clear()
    yield
    dataset.digits.cache_clear()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[Task]:
    """Let every task take no time; return those that were asked for."""
    asked: list[Task] = []

    def outcomes(tasks: list[Task], until: float, say: Any) -> Iterator[Outcome]:
        for task in tasks:
            asked.append(task)
            yield Outcome(task.part, task.name, task.arguments, missing="failed: not here")

    monkeypatch.setattr(supervisor, "outcomes", outcomes)
    monkeypatch.setattr(environment, "describe", lambda device: {"device": device})
    return asked


def run(*flags: str) -> int:
    return cli.main(["cuda", *flags])


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--share", "0"], "--share: found 0, expected above 0 and up to 1"),
        (["--share", "1.5"], "--share: found 1.5, expected above 0 and up to 1"),
        (["--share", "nan"], "--share: found nan, expected above 0 and up to 1"),
        (["--data", "mnist_5k"], "unknown data set 'mnist_5k' (did you mean 'mnist-5k'?)"),
    ],
)
def test_what_is_refused(
    flags: list[str],
    words: str,
    quick: list[Task],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line, exit status 2, nothing written, nothing begun."""
    assert run("--out", str(tmp_path / "report"), *flags) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith(f"python -m benchmarks: error: {words}")
    assert not (tmp_path / "report").exists()
    assert not quick


@pytest.mark.parametrize(
    "flags", [[], ["--out"], ["--out", "x", "--shar", "1"], ["--out", "x", "more"]]
)
def test_a_command_that_is_none(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One line, exit status 2."""
    with pytest.raises(SystemExit) as ended:
        run(*flags)
    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_file_where_the_folder_should_be(
    quick: list[Task], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told before anything is measured."""
    (tmp_path / "report").write_text("mine")
    assert run("--out", str(tmp_path / "report")) == 2
    assert "report: File exists" in capsys.readouterr().err
    assert (tmp_path / "report").read_text() == "mine"
    assert not quick


def test_all_parts_at_a_tenth(
    quick: list[Task], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nothing can be measured there is a report all the same, with each reason."""
    assert run("--out", str(tmp_path / "report")) == 0
    parts = ["parity", "recipe", "scaling", "limits", "roofline"]
    assert list(dict.fromkeys(task.part for task in quick)) == parts
    found = json.loads((tmp_path / "report/results.json").read_text())
    assert (found["device"], found["share"], found["data"]) == ("cpu", 0.1, "mnist-5k")
    assert len(found["outcomes"]) == len(quick)
    assert "failed: not here" in (tmp_path / "report/README.md").read_text()
    said = capsys.readouterr().out
    assert f"0 tasks measured, {len(quick)} missing" in said
    assert "under 1 s of training: not measured: no CUDA device" in said


def test_on_a_device_it_is_the_whole(
    quick: list[Task], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless a share is asked for."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(environment, "state", lambda device: {"power": "70 W"})
    assert run("--out", str(tmp_path / "whole")) == 0
    assert {task.arguments["device"] for task in quick if task.part != "parity"} == {"cuda"}
    found = json.loads((tmp_path / "whole/results.json").read_text())
    assert found["share"] == 1
    states = ["at the start", *(f"after {p}" for p in ("parity", "recipe", "scaling", "roofline"))]
    assert list(found["states"]) == states
    assert run("--out", str(tmp_path / "part"), "--share", "0.25") == 0
    assert json.loads((tmp_path / "part/results.json").read_text())["share"] == 0.25


def test_pictures_that_cannot_be_drawn_leave_the_rest(
    quick: list[Task],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Figures and tables are there, and it is said."""

    def fail(findings: Any) -> None:
        raise ValueError("no font")

    monkeypatch.setattr(pictures, "as_png", fail)
    assert run("--out", str(tmp_path / "report")) == 0
    assert {p.name for p in (tmp_path / "report").iterdir()} == {"README.md", "results.json"}
    assert "warning: no pictures: ValueError no font" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_what_was_measured(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: list[Task]
) -> None:
    """Ctrl-C or SIGTERM: the report says that it was interrupted, and the status is 130."""

    def outcomes(tasks: list[Task], until: float, say: Any) -> Iterator[Outcome]:
        yield Outcome(tasks[0].part, tasks[0].name, tasks[0].arguments, missing="kept")
        os.kill(os.getpid(), number)
        time.sleep(5)

    monkeypatch.setattr(supervisor, "outcomes", outcomes)
    handler = signal.getsignal(signal.SIGTERM)
    assert run("--out", str(tmp_path / "report")) == 130
    assert signal.getsignal(signal.SIGTERM) is handler
    found = json.loads((tmp_path / "report/results.json").read_text())
    assert found["interrupted"]
    assert [outcome["missing"] for outcome in found["outcomes"]] == ["kept"]
    assert "It was interrupted" in (tmp_path / "report/README.md").read_text()


@pytest.mark.slow
def test_everything_runs_on_the_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part in processes of its own, as small as it goes: tables, pictures and figures."""
    monkeypatch.setattr(
        plan, "RECIPES", (("graph", "tf32"), ("plain loop", "fp32"), ("tuned", "fp32"))
    )
    monkeypatch.setattr(plan, "BATCH_SIZES", (2000, 4000))
    monkeypatch.setattr(plan, "LAYERS", ("conv1", "fc2"))
    assert run("--out", str(tmp_path / "report"), "--share", "0.001") == 0
    found = json.loads((tmp_path / "report/results.json").read_text())
    missing = {outcome["missing"] for outcome in found["outcomes"] if outcome["missing"]}
    assert missing == {
        "not run: --mode graph: found the device cpu, expected --device cuda, or auto",
        "not run: --precision tf32: found the device cpu, expected --device cuda",
        "not run: the CPU has no TF32",
    }
    (parity,) = [o["found"] for o in found["outcomes"] if o["part"] == "parity"]
    assert parity["passed"] > 0 == parity["failed"]
    names = {file.name for file in (tmp_path / "report").iterdir()}
    pictures = {"recipe.png", "scaling.png", "roofline.png"}
    assert names == {"README.md", "results.json", "parity.md", "parity.txt"} | pictures
    for picture in pictures:
        assert f"({picture})" in (tmp_path / "report/README.md").read_text()


def test_help_is_of_the_verb() -> None:
    """From a folder that is no installation; it names the flags."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "cuda", "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0
    for flag in ("--out DIR", "--data NAME_OR_PATH", "--share SHARE"):
        assert flag in done.stdout
