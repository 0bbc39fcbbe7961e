"""What each part measures, on the CPU and as small as it goes."""

import signal
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.backends.base import NotRun
from benchmarks.device_report import clock, limits, parity, recipe, roofline, scaling
from benchmarks.layers import LAYERS, step_bytes, step_flops
from benchmarks.timing import WallTimer
from numpy_siamese.errors import InputError
from torch_siamese.training import TorchLearner

SMALL = {"device": "cpu", "data": None, "epochs": 2, "batches": 3, "pairs": 4, "test_pairs": 6}


@pytest.fixture
def learned(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[Any], np.ndarray]]:
    """Return the calls of `learn`, each with the weights that it began with."""
    calls: list[tuple[list[Any], np.ndarray]] = []
    learn = TorchLearner.learn

    def spy(self: TorchLearner, batches: Any) -> Any:
        calls.append((list(batches), self.model_state()["fc1.weight"].copy()))
        return learn(self, batches)

    monkeypatch.setattr(TorchLearner, "learn", spy)
    return calls


@pytest.mark.slow
def test_the_recipe_begins_anew_after_its_first_batches(
    learned: list[tuple[list[Any], np.ndarray]],
) -> None:
    """One call for each epoch, of the sampler's batches; what came before leaves nothing."""
    found = recipe.measure(mode="eager", precision="fp32", **SMALL)
    assert [len(batches) for batches, _ in learned] == [recipe.WARM_UP, 3, 3]
    first, begun, after = (weights for _, weights in learned)
    assert np.array_equal(first, begun)
    assert not np.array_equal(begun, after)
    assert (found["steps"], found["pairs"], found["mode"]) == (6, 24, "eager")
    assert 0 < found["drawing"] < found["seconds"]
    assert 0 <= found["test accuracy"] <= 1
    assert found["loss"] > 0


@pytest.mark.slow
def test_the_plain_loop_is_another_learner(
    learned: list[tuple[list[Any], np.ndarray]],
) -> None:
    """The same batches teach it the same, and the product never learns."""
    plain = recipe.measure(mode=recipe.PLAIN, precision="fp32", **SMALL)
    assert not learned
    product = recipe.measure(mode="eager", precision="fp32", **SMALL)
    assert plain["mode"] == recipe.PLAIN
    for name in ("loss", "test loss"):
        assert plain[name] == pytest.approx(product[name], rel=1e-4)


@pytest.mark.slow
def test_steps_of_a_batch_size(learned: list[tuple[list[Any], np.ndarray]]) -> None:
    """Some batches to warm up, one to see how long it takes, then calls of many."""
    found = scaling.measure("cpu", "fp32", 3, 0.0, None)
    assert [len(batches) for batches, _ in learned] == [scaling.FIRST, 1, 1, 1, 1]
    assert all(len(pairs[0]) == 3 for batches, _ in learned for pairs in batches)
    assert found["seconds"] == min(found["samples"]) > 0
    assert (found["flops"], found["bytes"]) == (step_flops(3), step_bytes(3))
    assert found["device bytes"] is None
    assert found["mode"] == "tuned"  # what the product takes on a CPU


def test_a_batch_that_does_not_fit_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the CPU the system would end other processes first."""
    monkeypatch.setattr(scaling.memory, "available", lambda: 1e6)
    with pytest.raises(NotRun, match="GiB are not available"):
        scaling.measure("cpu", "fp32", 1000, 0.0, None)


@pytest.mark.slow
def test_a_device_s_memory_that_does_not_suffice(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the product says, the largest batch that fits, is passed on as a lack of memory."""

    def learn(self: TorchLearner, batches: Any) -> Any:
        raise InputError("--batch-size 3: found CUDA out of memory, expected at most 2")

    monkeypatch.setattr(TorchLearner, "learn", learn)
    with pytest.raises(MemoryError, match=r"expected at most 2$"):
        scaling.measure("cpu", "fp32", 3, 0.0, None)


def test_limits_of_the_cpu() -> None:
    """Operations of a product, and bytes read and written, in a second."""
    products = limits.measure("cpu", "fp32", 64, 0.0)
    copying = limits.measure("cpu", limits.COPY, 2**16, 0.0)
    assert products["size"] == 64
    assert 1e6 < products["flops"] < 1e13
    assert 1e6 < copying["bytes"] < 1e13
    with pytest.raises(NotRun, match="no TF32"):
        limits.measure("cpu", "tf32", 64, 0.0)


def test_the_best_of_some_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few to warm up, then at least three."""
    times = iter([9.0, 4.0, 6.0])
    runs: list[int] = []

    class Timer:
        def seconds(self, run: Any, repeats: int, wait: Any) -> float:
            assert repeats == 1
            run()
            return next(times)

    assert clock.best(lambda: runs.append(1), "cpu", Timer(), 0.0) == 4.0
    assert len(runs) == clock.WARM_UP + clock.FEWEST
    assert type(clock.timer_of("cpu")) is WallTimer


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_forward_and_backward(layer: str) -> None:
    """Operations and bytes are the layer's for so many images."""
    found = roofline.measure("cpu", "fp32", layer, 2, 0.0)
    for direction, cost in found.items():
        assert cost["flops"] == LAYERS[layer].flops(2, direction)
        assert cost["bytes"] == LAYERS[layer].traffic(2, direction)
        assert cost["seconds"] > 0
    assert list(found) == ["forward", "backward"]


def test_half_the_bytes_in_half_precision() -> None:
    """But for the cross-entropy, which is computed in float32."""
    assert roofline.measure("cpu", "bf16", "fc2", 2, 0.0)["forward"]["bytes"] == (
        LAYERS["fc2"].traffic(2, "forward") / 2
    )
    loss = roofline.measure("cpu", "bf16", "loss", 2, 0.0)
    assert loss["forward"]["bytes"] == LAYERS["loss"].traffic(2, "forward")


# ------------------------------------------------------------------------------ parity


@pytest.mark.slow
def test_parity_is_a_pytest_of_its_own(tmp_path: Path) -> None:
    """Its counts are read from its last line; table and words are kept."""
    report, log = tmp_path / "parity.md", tmp_path / "parity.txt"
    arguments = {"profile": "quick", "tests": ["initialization"], "chosen": "float32"}
    found = parity.measure(str(report), str(log), seconds=60.0, **arguments)
    assert found["status"] == 0, log.read_text()
    assert found["whole"]
    assert found["passed"] > 0 == found["failed"]
    assert report.read_text().count("\n") > 5
    assert found["last line"] in log.read_text()


def test_parity_without_pytest_was_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine without it the report would else say that nothing failed."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho No module named pytest >&2\nexit 4\n")
    python.chmod(0o755)
    monkeypatch.setattr(parity.sys, "executable", str(python))
    with pytest.raises(NotRun, match="pytest: No module named pytest"):
        parity.measure(str(tmp_path / "m"), str(tmp_path / "t"), "quick", 20.0, ["optim"], "")


@pytest.mark.parametrize(
    ("lines", "counts"),
    [
        ([".F..", "3 passed, 1 failed, 2 errors in 1.0s"], (3, 1, 2)),
        (["..s. [ 50%]", "..FE"], (5, 1, 1)),
        (["no tests ran"], (0, 0, 0)),
        ([], (0, 0, 0)),
    ],
)
def test_counts_of_pytest(lines: list[str], counts: tuple[int, ...]) -> None:
    """Of the last line; one that was ended has shown its dots all the same."""
    found = parity._counts(lines)
    assert tuple(found.get(n, 0) for n in ("passed", "failed", "error")) == counts


class Process:
    """Ends when it is asked often enough."""

    def __init__(self, ends_after: int) -> None:
        self.ends_after, self.signals, self.waits = ends_after, [], []

    def wait(self, seconds: float) -> None:
        """Wait."""
        self.waits.append(seconds)
        if len(self.waits) <= self.ends_after:
            raise subprocess.TimeoutExpired("pytest", seconds)

    def send_signal(self, number: int) -> None:
        """Ask to end."""
        self.signals.append(number)


@pytest.mark.parametrize(
    ("ends_after", "signals"),
    [(0, []), (1, [signal.SIGINT]), (2, [signal.SIGINT, signal.SIGKILL])],
)
def test_pytest_is_asked_before_it_is_ended(ends_after: int, signals: list[int]) -> None:
    """An interrupt leaves the table of what was shown; that it was not all is said."""
    process = Process(ends_after)
    assert parity._waited_for(process, 7.0) is (ends_after == 0)  # type: ignore[arg-type]
    assert process.signals == signals
    assert process.waits[0] == 7.0
