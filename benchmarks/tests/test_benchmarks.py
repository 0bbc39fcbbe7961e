"""The harness measures what it says; no test here is about how fast anything is."""

import json
import linecache
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from benchmarks import (
    agreement,
    cli,
    compare,
    energy,
    environment,
    limits,
    lines,
    memory,
    pictures,
    results_file,
    tables,
    timing,
)
from benchmarks.backends import BACKENDS, BY_NAME, Backend, Job, NotRun
from benchmarks.backends.numpy_backend import NumpyBackend
from benchmarks.layers import LAYERS, step_flops
from benchmarks.measure import measure
from benchmarks.results import Cell, Memory, Results
from benchmarks.timing import Timed
from benchmarks.workloads import WORKLOADS, Work, counts_of_threads
from numpy_siamese.errors import InputError

NUMPY, TORCH = BY_NAME["numpy"], BY_NAME["torch-eager"]

NAP = 0.02


class Planted(NumpyBackend):
    """NumPy, with something planted into its step."""

    def __init__(self, plant: str) -> None:
        super().__init__(f"numpy with {plant}")
        self.plant = plant

    def step(self, pairs: int) -> Job:
        """Plant a sleep, a wrong gradient, or a failure."""
        job = super().step(pairs)
        if self.plant == "a sleep":
            return Job(lambda: (time.sleep(NAP), job.run()), job.result)
        if self.plant == "a wrong gradient":

            def result() -> dict[str, np.ndarray]:
                right = job.result()
                return right | {"net.conv1.bias": right["net.conv1.bias"] * 1.001}

            return Job(job.run, result)
        if self.plant == "an error in a late round":
            left = iter(range(3))

            def run() -> None:
                if next(left, None) is None:
                    raise RuntimeError("out of luck")
                job.run()

            return Job(run, job.result)
        if self.plant == "no memory":
            raise MemoryError("too much asked for")
        raise NotRun("it was asked not to")


@pytest.fixture(scope="module")
def tiny() -> Work:
    """Return the smallest step."""
    (work,) = WORKLOADS["scaling"]([2])
    return work


def cells(work: Work, *backends: Backend, threads: int = 1) -> dict[str, Cell]:
    """Measure as shortly as it goes; return cells by backend."""
    found = measure(work, backends, threads, seconds=0)
    return {cell.backend: cell for cell in found}


def test_a_planted_sleep_is_seen(tiny: Work) -> None:
    """A time that misses work, or divides it by too many repeats, would hide the sleep."""
    found = cells(tiny, NUMPY, Planted("a sleep"))
    assert min(found["numpy with a sleep"].samples) >= NAP
    assert found["numpy with a sleep"].median > found["numpy"].median


def test_a_wrong_result_is_refused(tiny: Work) -> None:
    """A backend that computes something else, by a thousandth, is not timed."""
    cell = cells(tiny, Planted("a wrong gradient"))["numpy with a wrong gradient"]
    assert not cell.samples
    assert cell.missing.startswith("refused: net.conv1.bias is off by 1.0e-03")


def test_what_a_job_leaves_behind_is_waited_for_and_not_timed() -> None:
    """Threads that spin for a while after their work would slow down whatever comes next."""
    order: list[str] = []

    def leave() -> None:
        time.sleep(NAP)
        order.append("leave")

    assert timing.once(Timed(lambda: order.append("run"), leave=leave), repeats=2) < NAP / 2
    assert order == ["run", "run", "leave"]


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        ("an error in a late round", "failed: RuntimeError out of luck"),
        ("no memory", "failed: MemoryError too much asked for"),
        ("nothing", "not run: it was asked not to"),
    ],
)
def test_one_that_fails_does_not_stop_the_others(tiny: Work, plant: str, words: str) -> None:
    """The cell says what went wrong; the rest is measured."""
    broken = Planted(plant)
    found = cells(tiny, broken, NUMPY)
    assert found[broken.name].missing == words
    assert len(found["numpy"].samples) >= timing.FEWEST_ROUNDS


def test_torch_and_numpy_agree_and_are_timed(tiny: Work) -> None:
    """The real backends pass the check that the planted fault does not."""
    for cell in cells(tiny, NUMPY, TORCH, BY_NAME["torch-channels-last"]).values():
        assert not cell.missing
        assert 0 < cell.error <= agreement.ROUNDINGS * 2.0**-24


@pytest.mark.parametrize("name", LAYERS)
def test_every_operation_runs_in_both(name: str) -> None:
    """Forward and backward of each operation agree, at the network's shapes for two images."""
    for direction in ("forward", "backward"):
        work = Work(
            "operations", name, 2, lambda b, n, d=direction: b.operation(name, n, d), 0.0, 2
        )
        for cell in cells(work, NUMPY, TORCH).values():
            assert not cell.missing, cell


@pytest.mark.parametrize("workload", ["learn", "pairs", "epoch", "embed"])
def test_every_other_workload_runs_in_both(workload: str) -> None:
    """Each piece of work agrees between the packages; made small, it is the same work."""
    (work,) = WORKLOADS[workload]([])
    for cell in cells(replace(work, size=2), NUMPY, TORCH).values():
        assert not cell.missing, cell


def test_flops_are_those_of_the_network() -> None:
    """3.07 GFLOP for 100 pairs, and the parts' add up to the step's."""
    assert round(step_flops(100) / 1e9, 2) == 3.07
    parts = ("conv1", "conv2", "fc1", "fc2")
    images = sum(LAYERS[p].flops(200, d) for p in parts for d in ("forward", "backward"))
    images -= LAYERS["conv1"].flops(200, "forward")  # the images' own gradient
    head = sum(LAYERS["head"].flops(100, d) for d in ("forward", "backward"))
    assert step_flops(100) == images + head


def test_rounds_are_interleaved() -> None:
    """Every job has its turn before any has a second one, in changing order, each warmed up."""
    calls: list[str] = []
    jobs = {
        name: Timed(lambda name=name: calls.append(name) or time.sleep(timing.SHORTEST))
        for name in "abc"
    }
    samples, failures = timing.rounds(jobs, seconds=0)
    assert not failures
    assert {len(taken) for taken in samples.values()} == {timing.FEWEST_ROUNDS}
    turns = [calls[k : k + 2] for k in range(len(jobs), len(calls), 2)]  # first, each runs once
    assert all(warm_up == timed for warm_up, timed in turns)
    orders = [tuple(turn[0] for turn in turns[k : k + 3]) for k in range(0, len(turns), 3)]
    assert all(sorted(order) == ["a", "b", "c"] for order in orders)
    assert len(set(orders)) > 1


def test_long_work_is_not_warmed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds runs as often as it is timed, not twice as often."""
    monkeypatch.setattr(timing, "LONG", 0.0)
    calls: list[int] = []
    samples, _ = timing.rounds({"long": Timed(lambda: calls.append(1))}, seconds=0)
    assert len(samples["long"]) == timing.FEWEST_ROUNDS
    assert samples["long"][0] > 0


def test_short_work_is_repeated_within_a_sample() -> None:
    """A clock that ticks in a fraction of a microsecond cannot time one."""
    calls = []
    samples, _ = timing.rounds({"short": Timed(lambda: calls.append(1))}, seconds=0)
    assert len(calls) > 1000
    assert samples["short"][0] < timing.SHORTEST


def test_the_device_is_entered_and_waited_for() -> None:
    """Switches are set before the clock starts, and the clock stops after the device has."""
    order: list[str] = []
    job = Timed(
        lambda: order.append("run"), lambda: order.append("enter"), lambda: order.append("wait")
    )
    timing.once(job)
    assert order == ["enter", "wait", "run", "wait"]


def test_threads_are_verified() -> None:
    """Asked for more threads than BLAS has, NumPy is not measured on fewer in silence."""
    import torch

    with TORCH.threads(2):
        assert torch.get_num_threads() == 2
    with NUMPY.threads(1):
        pass
    too_many = 10_000
    with pytest.raises(NotRun, match="BLAS takes"), NUMPY.threads(too_many):
        pass


def test_what_cannot_run_is_named_with_the_reason(tiny: Work) -> None:
    """No backend is left out in silence."""
    unable = [backend for backend in BACKENDS if backend.missing]
    found = cells(tiny, *unable)
    assert found.keys() == {backend.name for backend in unable}
    for backend in unable:
        assert found[backend.name].missing == f"not run: {backend.missing}"


def test_a_batch_that_does_not_fit_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system would end the whole process; the cell says so, and the rest runs."""
    monkeypatch.setattr(memory, "available", lambda: 1e5)
    (work,) = WORKLOADS["scaling"]([10])
    found = cells(work, NUMPY, TORCH)
    assert found["torch-eager"].missing.startswith("not run: needs about")
    assert found["numpy"].samples


def test_limits_count_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """A multiplication and an addition for each term; bytes read and bytes written."""
    monkeypatch.setattr(limits, "_best", lambda job, seconds: 2.0)
    found = limits.measure(1)
    assert found == {"gemm_flops": limits.SIZE**3, "copy_bytes": 4.0 * limits.COPIED}


def test_limits_are_rates() -> None:
    """Two positive numbers; how large they are is the machine's affair."""
    found = limits.measure(1, seconds=0)
    assert found.keys() == {"gemm_flops", "copy_bytes"}
    assert all(value > 0 for value in found.values())


def test_the_rate_of_matrix_products(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the very matrices that are counted, on the threads that are asked for."""
    shapes, counts = set(), []
    multiply, limit = np.matmul, limits.threadpool_limits

    def spy(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> np.ndarray:
        shapes.add((a.shape, b.shape))
        return multiply(a, b, out=out)

    def counting(threads: int, user_api: str) -> Any:
        counts.append((threads, user_api))
        return limit(threads, user_api=user_api)

    def run_once(job: Timed, seconds: float) -> float:
        job.run()
        return 0.5

    monkeypatch.setattr(limits, "SIZE", 24)
    monkeypatch.setattr(limits, "COPIED", 16)
    monkeypatch.setattr(limits, "threadpool_limits", counting)
    monkeypatch.setattr(limits, "_best", run_once)
    monkeypatch.setattr(np, "matmul", spy)
    assert limits.measure(3) == {"gemm_flops": 2 * 24**3 / 0.5, "copy_bytes": 2 * 64 / 0.5}
    assert shapes == {((24, 24), (24, 24))}
    assert counts == [(3, "blas")]


def test_the_matrix_product_takes_as_many_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Square matrices whose side is the cube root of half of the operations, rounded."""
    flops = 3.07e9
    timed, shapes = limits.matrix_product(flops), []
    monkeypatch.setattr(limits.np, "matmul", lambda a, b, out: shapes.append(a.shape + b.shape))
    timed.run()
    ((rows, inner, _, columns),) = shapes
    assert rows == inner == columns
    assert timed.leave is limits.settle
    assert (rows - 0.5) ** 3 <= flops / 2 <= (rows + 0.5) ** 3


def test_a_step_stands_beside_a_matrix_product_of_as_many_operations(tiny: Work) -> None:
    """The share of the limit is of the same rounds, not of another minute's best."""
    found = cells(replace(tiny, workload="step"), NUMPY)
    product = found[limits.MATRIX_PRODUCT]
    assert not product.missing
    assert len(product.samples) == len(found["numpy"].samples)
    assert product.flops == found["numpy"].flops

    share = {"gemm_flops": 1.0, "copy_bytes": 1.0}
    taken = [replace(found["numpy"], samples=[0.4]), replace(product, samples=[0.1])]
    results_of_both = Results(environment.describe(), {1: share}, taken)
    assert [row[6] for row in tables.rows(results_of_both, "step")] == ["25%", "100%"]
    assert pictures.step_times(results_of_both)


def test_memory_of_a_training_process() -> None:
    """The peak is that of the process that trained, which is at least what it began with."""
    found = memory.of_training("numpy", 2, 1)
    assert not found.missing
    assert found.peak >= found.before > 0


def test_memory_of_a_process_that_fails() -> None:
    """A child that ends with an error is a missing figure with its last line."""
    found = memory.of_training("numpy", -1, 1)
    assert "batch-size" in found.missing


def test_energy_is_work_over_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A counter that grows by one joule a run tells one joule a run; none tells nothing."""
    used = [0.0]

    def run() -> None:
        used[0] += 1.0

    monkeypatch.setattr(energy, "LONG_ENOUGH", 0.01)
    monkeypatch.setattr(energy, "counter", lambda device: lambda: used[0])
    assert energy.per_run(Timed(run), "cpu") == 1.0
    monkeypatch.setattr(energy, "counter", lambda device: None)
    assert energy.per_run(Timed(run), "cpu") is None


def test_lines_of_a_step_add_up_and_name_the_slow_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sleep planted on one line is found on that line, also inside a nested function."""
    monkeypatch.setattr(lines, "PACKAGE", __file__)

    def slow() -> int:
        before = 1
        time.sleep(NAP)
        return before + 1

    def run() -> int:
        return slow() + 1

    found = lines.profile(run, steps=2)
    (line,) = [line for line, seconds in found.items() if seconds > 0.9 * NAP]
    assert linecache.getline(*line).strip() == "time.sleep(NAP)"
    assert sys.gettrace() is None or not isinstance(sys.gettrace(), lines.LineTimes)


def test_a_reason_is_a_line_that_loads(tmp_path: Path, tiny: Work) -> None:
    """Whatever a library says, with tabs, codes and more lines, comes back from the file."""

    class Raising(NumpyBackend):
        """Fails as a library might."""

        def step(self, pairs: int) -> Job:
            raise RuntimeError("bad\ttype \x1b[31m" + "x" * 1000 + "\nmore")

    class Refusing(NumpyBackend):
        """Says no in two lines."""

        def step(self, pairs: int) -> Job:
            raise NotRun("no\nno\x07")

    found = cells(tiny, Raising("raising"), Refusing("refusing"))
    assert found["raising"].missing.startswith(r"failed: RuntimeError bad type \x1b[31mxxx")
    assert len(found["raising"].missing) < 500
    assert found["refusing"].missing == r"not run: no no\x07"
    results = Results({"processor": "p", "date": "d"}, {}, list(found.values()))
    results_file.save(results, tmp_path / "results.json")
    assert results_file.load(tmp_path / "results.json") == results


def test_what_a_backend_leaves_out_is_said_first() -> None:
    """That the work is not written for it, not that it would want more threads."""

    class Choosy(NumpyBackend):
        """Does no operations, and nothing on one thread."""

        leaves_out: ClassVar = {"operations": "only steps"}

        @contextmanager
        def threads(self, count: int) -> Iterator[None]:
            raise NotRun("needs more threads")
            yield

    operation = next(iter(WORKLOADS["operations"]([])))
    assert cells(operation, Choosy("choosy"))["choosy"].missing == "not run: only steps"
    assert set(BY_NAME["jax"].leaves_out) == set(WORKLOADS) - {"step", "scaling", "embed"}
    assert set(BY_NAME["torch-compile"].leaves_out) == set(WORKLOADS) - {"step", "embed"}
    assert not BY_NAME["torch-eager"].leaves_out


# ------------------------------------------------------------------------------ results


@pytest.fixture
def found() -> Results:
    """Return results of every kind of line."""
    gemm = {"gemm_flops": 1e11, "copy_bytes": 1e10}
    step = Cell("step", "step of 100 pairs", 100, "numpy", 2, [0.03, 0.031, 0.032], flops=3e9)
    ours = [
        step,
        replace(step, backend="torch-eager", samples=[0.06, 0.05, 0.09]),
        replace(step, backend="cuda-eager", samples=[], missing="not run: no CUDA device"),
        replace(step, workload="scaling", label="step of 1 pair", size=1),
    ]
    ours += [
        Cell("operations", f"{name} {way}", 100, "numpy", 2, [1e-5, 2e-5, 1e-5], images=100)
        for names in pictures.PARTS.values()
        for name in names
        for way in ("forward", "backward")
    ]
    environment = {"processor": "one of a kind", "numpy": "2", "torch": "2", "date": "today"}
    return Results(environment, {2: gemm}, ours, [Memory("numpy", 100, 1, 2**20)])


def test_tables_show_every_cell(found: Results) -> None:
    """Nothing measured is left out, nothing missing is hidden, and noise is marked."""
    text = tables.as_text(found)
    assert "31 ms" in text
    assert "60 ms ±" in text
    assert "not run: no CUDA device" in text
    assert "0.52×" in text  # 31 / 60
    assert "97%" in text  # 3 GFLOP in 31 ms of 100 GFLOP/s
    markdown = tables.as_markdown(found)
    for cell in found.cells:
        assert cell.label in text
        assert cell.missing or f"| {cell.label} | {cell.threads} | {cell.backend} |" in markdown
    assert "\n\n- cuda-eager: not run: no CUDA device\n" in markdown


def test_threads_of_a_workload() -> None:
    """Steps on every number asked for, operations on the first, the rest on the last."""
    assert counts_of_threads("step", [1, 2, 4]) == [1, 2, 4]
    assert counts_of_threads("operations", [1, 2, 4]) == [1]
    assert all(counts_of_threads(name, [3]) == [3] for name in WORKLOADS)
    assert counts_of_threads("embed", [1, 2, 4]) == [4]


def test_results_survive_a_file(found: Results, tmp_path: Path) -> None:
    """What is loaded is what was saved, to the last digit."""
    results_file.save(found, tmp_path / "results.json")
    assert results_file.load(tmp_path / "results.json") == found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c | {"version": 99}, "found version 99, expected version 1"),
        (lambda c: c | {"format": "other"}, "found no results of these benchmarks"),
        (lambda c: {k: v for k, v in c.items() if k != "cells"}, "found damaged results"),
        (lambda c: c | {"cells": [{"workload": 1}]}, "found damaged results"),
        (lambda c: c | {"limits": {"two": {}}}, "found damaged results"),
        (lambda c: [], "found no results of these benchmarks"),
    ],
)
def test_damaged_results_are_refused(
    found: Results, tmp_path: Path, capsys: pytest.CaptureFixture[str], change, words: str
) -> None:
    """A file of another version or a damaged one is named in one line, with exit status 2."""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    results_file.save(found, good)
    bad.write_text(json.dumps(change(json.loads(good.read_text()))))
    assert cli.main(["compare", str(good), str(bad)]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert str(bad) in captured.err
    assert captured.err.count("\n") == 1


def test_what_is_no_json_is_refused(tmp_path: Path) -> None:
    """Neither bytes that are no text nor a missing file end in a traceback."""
    path = tmp_path / "results.json"
    with pytest.raises(InputError, match="No such file"):
        results_file.load(path)
    path.write_bytes(b"\xff\x00")
    with pytest.raises(InputError, match="found no JSON"):
        results_file.load(path)


def test_compare_tells_change_from_noise() -> None:
    """Twice as slow is slower; the same samples are no change."""
    rng = np.random.default_rng(0)
    old = Cell("step", "s", 1, "numpy", 1, list(1 + 0.05 * rng.standard_normal(20)))
    again = replace(old, samples=list(1 + 0.05 * rng.standard_normal(20)))
    assert compare.verdict(old, again)[1] == "no change beyond the noise"
    assert compare.verdict(old, replace(old, samples=[2 * s for s in again.samples]))[1] == "slower"
    assert compare.verdict(old, replace(old, samples=[s / 2 for s in again.samples]))[1] == "faster"


def test_compare_names_what_differs(found: Results) -> None:
    """Another machine, and cells in one file alone, are said."""
    other = replace(found, environment=found.environment | {"processor": "another"})
    other.cells = found.cells[1:]
    text = compare.as_text(found, other)
    assert "another processor: one of a kind → another" in text
    assert "in one of the two alone" in text


def test_pictures_are_drawn(found: Results) -> None:
    """Each picture comes as PNG where there is something to draw, and not where there is none."""
    for draw in pictures.PICTURES.values():
        content = draw(found)
        assert content is not None
        assert content.startswith(b"\x89PNG")
        assert draw(replace(found, cells=[])) is None


def test_what_the_throughput_shows(found: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairs a second at each batch size, below the pairs of a second of matrix products."""
    drawn: list[Any] = []
    monkeypatch.setattr(pictures, "_png", lambda figure: drawn.append(figure) or b"")
    assert pictures.throughput(found) == b""
    (axes,) = drawn[0].axes
    curve, limit = axes.lines
    assert np.array_equal(curve.get_xydata(), [[1, 1 / 0.031]])
    assert limit.get_ydata()[0] == 1e11 / 3e9
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1"]


# ------------------------------------------------------------------------------ command line


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--backends", "nunpy"], "did you mean 'numpy'?"),
        (["--workloads", "stap"], "did you mean 'step'?"),
        (["--batch-sizes", "0"], "unknown batch size '0', expected a whole number above 0"),
        (["--batch-sizes", "many"], "unknown batch size 'many'"),
        (["--threads", "-1"], "unknown number of threads '-1'"),
        (["--threads", "100000"], "expected at most"),
    ],
)
def test_bad_input_ends_in_one_line(
    flags: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong name or number is told with the choices, and nothing is measured."""
    assert cli.main(flags) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_a_run_measures_each_workload_on_its_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps on one thread and on two, operations on one, an epoch on two."""
    asked = set()

    def measure(work: Work, backends: object, threads: int, *rest: object) -> list[Cell]:
        asked.add((work.workload, threads))
        return []

    monkeypatch.setattr(cli, "measure", measure)
    monkeypatch.setattr(cli, "available_cores", lambda: 2)
    monkeypatch.setattr(limits, "measure", lambda n: {"gemm_flops": 1e11, "copy_bytes": 1e10})
    flags = ["--threads", "1", "2", "--backends", "jax", "--workloads"]
    assert cli.main([*flags, "step", "operations", "epoch"]) == 0
    assert asked == {("step", 1), ("step", 2), ("operations", 1), ("epoch", 2)}


def test_a_whole_run_writes_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From flags to files: the smallest run prints its table and leaves files that load."""
    monkeypatch.setattr(limits, "measure", lambda n: {"gemm_flops": 1e11, "copy_bytes": 1e10})
    out = tmp_path / "new" / "folder"
    flags = ["--backends", "numpy", "torch-eager", "jax", "--workloads", "scaling", "pairs"]
    flags += ["--batch-sizes", "1", "2", "--threads", "1", "--seconds", "0", "--out", str(out)]
    assert cli.main(flags) == 0
    assert "step of 2 pairs" in capsys.readouterr().out
    loaded = results_file.load(out / "results.json")
    assert {cell.workload for cell in loaded.cells} == {"scaling", "pairs"}
    assert (out / "results.md").read_text("utf-8").startswith("# Benchmarks")
    assert (out / "throughput.png").exists()
    assert not (out / "step.png").exists()
