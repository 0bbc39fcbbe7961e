"""The command: what it measures by which flags, what it says, and the files it leaves."""

import errno
import io
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import cli, environment, limits, memory, results_file, soak, tables
from benchmarks.results import Cell, Memory, Results
from benchmarks.workloads import Work
from numpy_siamese.tests.support.commands import assert_has_the_grammar, end_of

LIMITS = {"gemm_flops": 1e11, "copy_bytes": 1e10}

FACTS = {"processor": "p", "date": "d", "BLAS": "b", "torch": "2"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Return what is asked to be measured; two cores are there, and nothing takes time."""
    found: list[tuple[Any, ...]] = []

    def measure(
        work: Work, backends: list[Any], threads: int, seconds: float | None, say: Any
    ) -> Iterator[Cell]:
        names = [backend.name for backend in backends]
        found.append((work.workload, work.label, names, threads, seconds))
        for name in names:
            yield Cell(
                work.workload, work.label, work.size, name, threads, [0.5] * 9, flops=work.flops
            )

    def of_limits(threads: int) -> dict[str, float]:
        found.append(("limits", threads))
        return {name: threads * rate for name, rate in LIMITS.items()}

    def of_training(name: str, pairs: int, threads: int) -> Memory:
        found.append(("memory", name, pairs, threads))
        return Memory(name, pairs, 1, 2)

    monkeypatch.setattr(cli, "measure", measure)
    monkeypatch.setattr(cli, "available_cores", lambda: 2)
    monkeypatch.setattr(cli, "default_threads", lambda: 2)
    monkeypatch.setattr(environment, "describe", FACTS.copy)
    monkeypatch.setattr(limits, "measure", of_limits)
    monkeypatch.setattr(memory, "of_training", of_training)
    return found


def test_each_workload_is_measured_on_its_threads(asked: list[tuple[Any, ...]]) -> None:
    """Steps on one thread and on two, operations on one, an epoch on two; each once."""
    flags = ["--threads", "1", "2", "1", "--backends", "jax", "numpy", "jax", "--seconds", "1.5"]
    assert cli.main([*flags, "--workloads", "step", "operations", "epoch", "step"]) == 0
    steps = [line for line in asked if line[0] == "step"]
    assert steps == [
        ("step", "step of 100 pairs", ["jax", "numpy"], threads, 1.5) for threads in (1, 2)
    ]
    assert {line[3] for line in asked if line[0] == "operations"} == {1}
    assert [line[1:4:2] for line in asked if line[0] == "epoch"] == [("epoch of 40 batches", 2)]
    assert [line for line in asked if line[0] == "limits"] == [("limits", 1), ("limits", 2)]
    assert [line for line in asked if line[0] == "memory"] == [("memory", "numpy", 100, 2)]


def test_the_default_is_everything(
    asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every backend and workload, on one thread and on all, at all batch sizes."""
    assert cli.main([]) == 0
    names = list(cli.BY_NAME)
    assert all(line[2] == names and line[4] is None for line in asked if len(line) == 5)
    workloads = dict.fromkeys(line[0] for line in asked if len(line) == 5)
    assert list(workloads) == list(cli.WORKLOADS)
    sizes = [line[1] for line in asked if line[0] == "scaling"]
    assert sizes == [
        f"step of {n} pairs".replace("1 pairs", "1 pair")
        for n in ("1", "4", "10", "100", "1,000", "10,000")
    ]
    assert [line[1] for line in asked if line[0] == "limits"] == [1, 2]
    assert [line[1] for line in asked if line[0] == "memory"] == ["numpy", "torch-eager"]
    asked.clear()
    monkeypatch.setattr(cli, "default_threads", lambda: 1)  # OMP_NUM_THREADS=1
    assert cli.main(["--workloads", "learn"]) == 0
    assert [line[0:2] for line in asked] == [("limits", 1), ("learn", "learn 100 pairs")]


def test_sizes_are_those_asked_for(asked: list[tuple[Any, ...]]) -> None:
    """In their order, each once."""
    flags = ["--workloads", "scaling", "--batch-sizes", "30", "2", "30"]
    assert cli.main(flags) == 0
    assert [line[1] for line in asked if len(line) == 5] == ["step of 30 pairs", "step of 2 pairs"]


@pytest.mark.slow
def test_what_it_prints_and_writes(
    asked: list[tuple[Any, ...]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tables; and with --out the same results as file, document and pictures."""
    out = tmp_path / "new" / "folder"
    flags = ["--backends", "numpy", "torch-eager", "--workloads", "step", "scaling"]
    assert cli.main([*flags, "--threads", "2", "--out", str(out)]) == 0
    found = results_file.load(out / "results.json")
    printed = capsys.readouterr()
    assert printed.out == f"{tables.as_text(found)}\n\nwrote {out}\n"
    assert (out / "results.md").read_text("utf-8") == tables.as_markdown(found)
    assert found.environment == FACTS
    assert found.limits == {2: {"gemm_flops": 2e11, "copy_bytes": 2e10}}
    assert [cell.backend for cell in found.cells[:2]] == ["numpy", "torch-eager"]
    assert found.memory == [Memory("numpy", 100, 1, 2), Memory("torch-eager", 100, 1, 2)]
    assert {path.name for path in out.iterdir()} == {
        "results.json",
        "results.md",
        "step.png",
        "throughput.png",
    }


def test_what_a_stream_lacks_is_escaped(
    asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours of measuring end in a traceback where the output has no ± and ×, or no stderr is."""
    out = io.TextIOWrapper(io.BytesIO(), "ascii", newline="\n")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", None)
    assert cli.main(["--backends", "numpy", "torch-eager", "--workloads", "step"]) == 0
    said = out.buffer.getvalue()  # type: ignore[attr-defined]
    assert b"\\xd7" in said  # ×
    assert said.count(b"\n") > 10


def test_what_is_measured_is_written_before_it_is_printed(
    asked: list[tuple[Any, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Hours of measuring are lost with whoever was to read them."""

    def fail(_: str) -> int:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys.stdout, "write", fail)
    flags = ["--backends", "numpy", "--workloads", "step", "--threads", "2"]
    assert cli.main([*flags, "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "python -m benchmarks: error: standard output: Broken pipe\n"
    assert results_file.load(tmp_path / "results.json").cells
    assert (tmp_path / "step.png").exists()


def test_warnings_stay_on_the_screen(
    asked: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is weak before anything is measured; then limits; then what each workload showed."""
    facts = FACTS | {"weaker than the processor: BLAS": "OpenBLAS is weak"}
    monkeypatch.setattr(environment, "describe", facts.copy)
    monkeypatch.setattr(limits, "measure", lambda threads: LIMITS)
    assert cli.main(["--backends", "numpy", "--workloads", "step", "pairs"]) == 0
    start = "python -m benchmarks: warning: "
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith(start) for line in lines)
    assert [line[len(start) :] for line in lines] == [
        "OpenBLAS is weak",
        "matrix products on 2 threads reach 1.00× the rate on 1",
        "numpy, step of 100 pairs, on 2 threads: no faster than on 1 beyond the noise, "
        "1.00× (1.00 to 1.00)",
    ]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--backends", "nunpy"], "did you mean 'numpy'?"),
        (["--workloads", "stap"], "did you mean 'step'?"),
        (["--batch-sizes", "0"], "--batch-sizes: found 0, expected whole numbers above 0"),
        (["--batch-sizes", "many"], "--batch-sizes: found 'many', expected a whole number"),
        (["--threads", "-1"], "--threads: found -1, expected whole numbers above 0"),
        (["--threads", "3"], "--threads: found 3, expected at most the 2 cores here"),
        (["--seconds", "-1"], "--seconds: found -1.0, expected 0 or more"),
        (["--seconds", "nan"], "--seconds: found nan, expected 0 or more"),
        (["--seconds", "inf"], "--seconds: found inf, expected 0 or more, not for ever"),
        (["--seconds", "1_0"], "--seconds: found '1_0', expected a number"),
    ],
)
def test_bad_input_ends_in_one_line(
    asked: list[tuple[Any, ...]],
    tmp_path: Path,
    flags: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A wrong name or number is told with the choices; nothing is measured, no folder is made."""
    assert end_of(cli.main, [*flags, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("python -m benchmarks: error: ")
    assert words in error
    assert error.count("\n") == 1
    assert not asked
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_ends_in_one_line(
    asked: list[tuple[Any, ...]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before hours of work, not after."""
    (tmp_path / "file").touch()
    assert cli.main(["--out", str(tmp_path / "file/out")]) == 2
    assert capsys.readouterr().err == (
        f"python -m benchmarks: error: {tmp_path / 'file/out'}: Not a directory\n"
    )
    assert not asked


def test_an_interrupt_ends_in_one_line(
    asked: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the exit status of a shell."""

    def interrupt(threads: int) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(limits, "measure", interrupt)
    assert cli.main([]) == 130
    assert capsys.readouterr().err == "python -m benchmarks: interrupted\n"


# ------------------------------------------------------------------------------ compare


def test_two_files_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first is the old one."""
    old = Cell("step", "s", 1, "numpy", 1, [2.0] * 9)
    new = replace(old, samples=[1.0] * 9)
    paths = [tmp_path / "old.json", tmp_path / "new.json"]
    for path, cell in zip(paths, (old, new), strict=True):
        results_file.save(Results({}, {}, [cell]), path)
    assert cli.main(["compare", *map(str, paths)]) == 0
    assert "2 s  1 s  0.50× (0.50 to 0.50)  faster" in capsys.readouterr().out
    assert cli.main(["compare", *map(str, reversed(paths))]) == 0
    assert "1 s  2 s  2.00× (2.00 to 2.00)  slower" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c | {"version": 99}, "found version 99, expected version 1 or 2"),
        (lambda c: c | {"format": "other"}, "found no results of these benchmarks"),
        (lambda c: {k: v for k, v in c.items() if k != "cells"}, "found damaged results"),
        (lambda c: c | {"cells": [{"workload": 1}]}, "found damaged results"),
        (lambda c: c | {"limits": {"two": {}}}, "found damaged results"),
        (lambda c: [], "found no results of these benchmarks"),
    ],
)
def test_damaged_results_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change, words: str
) -> None:
    """A file of another version or a damaged one is named in one line, with exit status 2."""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    results_file.save(Results({}, {1: LIMITS}, [Cell("step", "s", 1, "numpy", 1, [1.0])]), good)
    bad.write_text(json.dumps(change(json.loads(good.read_text()))))
    assert cli.main(["compare", str(good), str(bad)]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert str(bad) in captured.err
    assert captured.err.count("\n") == 1


# ------------------------------------------------------------------------------ for real


@pytest.mark.slow
def test_a_whole_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """From flags to files, with nothing but the limits replaced: the smallest run."""
    monkeypatch.setattr(limits, "measure", lambda n: LIMITS)
    flags = ["--backends", "numpy", "torch-eager", "--workloads", "scaling", "pairs"]
    flags += ["--batch-sizes", "1", "2", "--threads", "1", "--seconds", "0", "--out", str(tmp_path)]
    assert cli.main(flags) == 0
    assert "step of 2 pairs" in capsys.readouterr().out
    loaded = results_file.load(tmp_path / "results.json")
    assert [(cell.workload, cell.size, cell.missing) for cell in loaded.cells] == [
        *[("scaling", size, "") for size in (1, 1, 2, 2)],
        *[("pairs", 100, "")] * 2,
    ]
    assert all(cell.cpu is not None and cell.waited is not None for cell in loaded.cells)
    assert not (tmp_path / "step.png").exists()


@pytest.mark.parametrize(
    ("program", "main"),
    [
        ("python -m benchmarks", cli.main),
        ("python -m benchmarks.soak", soak.main),
        ("python -m benchmarks.memory", memory.main),
    ],
)
def test_the_grammar(
    program: str,
    main: Any,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No flag can be shortened, and help fits 80 columns, as in all of the project's commands."""
    assert_has_the_grammar(program, main, [], capfd, monkeypatch)


def test_paths_may_begin_at_home(
    asked: list[tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Results go to the home folder, not to one that is called ~, and are compared from there."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert cli.main(["compare", "~/old.json", "~/new.json"]) == 2
    assert f"{tmp_path}/old.json" in capsys.readouterr().err
    (tmp_path / "out").touch()
    assert cli.main(["--out=~/out"]) == 2
    assert f"{tmp_path}/out" in capsys.readouterr().err
    assert not asked


@pytest.mark.parametrize(
    ("main", "argv", "said"),
    [
        (soak.main, ["--batch-size", "1"], "--batch-size: found 1"),
        (soak.main, ["--threads", "0"], "--threads: found 0"),
        (soak.main, ["--steps", "5_0"], "--steps: found '5_0'"),
        (memory.main, ["numpy", "1", "1"], "--batch-size: found 1"),
        (memory.main, ["numby", "2", "1"], "(did you mean 'numpy'?)"),
    ],
)
def test_settings_that_cannot_be_are_one_line(
    main: Any, argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback of the configuration."""
    assert end_of(main, argv) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
