"""The rows of a device are `torch_siamese` itself, in the mode and precision of their names."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import torch_siamese.training
from benchmarks import plain_learner
from benchmarks.agreement import Disagreement
from benchmarks.backends import torch_product
from benchmarks.backends.base import draw, initial_weights
from benchmarks.backends.catalogue import BY_NAME
from benchmarks.backends.torch_product import PlainBackend, ProductBackend
from benchmarks.cuda_timer import CudaTimer
from benchmarks.layers import LAYERS
from benchmarks.measure import measure
from benchmarks.results import Cell
from benchmarks.timing import WallTimer
from benchmarks.workloads import WORKLOADS, Work

pytestmark = pytest.mark.slow

EAGER = ProductBackend("eager", "eager", device="cpu")
TUNED = ProductBackend("tuned", "tuned", device="cpu")
HALF = ProductBackend("half", "eager", "bf16", device="cpu")
PLAIN = PlainBackend("plain", "cpu")


def cell(work: Work, backend: torch_product.DeviceBackend) -> Cell:
    """Measure as shortly as it goes."""
    return next(c for c in measure(work, [backend], 1, seconds=0) if c.backend == backend.name)


def small(workload: str) -> Work:
    """Return a workload's work made small."""
    (work,) = WORKLOADS[workload]([2])
    return replace(work, size=1 if workload == "epoch" else 2, flops=1e3)


@pytest.fixture(autouse=True)
def _few_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a timed call learn from three batches."""
    monkeypatch.setattr(torch_product, "IN_A_CALL", 3)


@pytest.mark.parametrize("backend", [EAGER, TUNED, HALF], ids=lambda backend: backend.name)
@pytest.mark.parametrize("workload", ["step", "scaling", "learn", "epoch"])
def test_a_mode_agrees_with_float64(backend: ProductBackend, workload: str) -> None:
    """Loss, gradients and the weights after a step, each within the precision's tolerance."""
    found = cell(small(workload), backend)
    assert not found.missing, found
    assert len(found.samples) == 3
    assert 0 < found.error <= (0.375 if backend is HALF else 256 * 2.0**-24)


@pytest.mark.parametrize("workload", ["learn", "epoch"])
def test_the_plain_loop_agrees_with_float64(workload: str) -> None:
    """It is the same recipe, one batch after the other."""
    found = cell(small(workload), PLAIN)
    assert not found.missing, found
    assert 0 < found.error <= 256 * 2.0**-24


@pytest.mark.parametrize("workload", ["step", "scaling", "embed", "operations"])
def test_the_plain_loop_leaves_out_what_it_has_not(workload: str) -> None:
    """A step without its loader is none of its steps."""
    work = next(WORKLOADS[workload]([2]))
    assert cell(replace(work, size=2), PLAIN).missing.startswith("not run: the loop loads each")


def test_embeddings_and_operations_are_those_of_the_package() -> None:
    """Embedded from the host and back; PyTorch's function forward and backward."""
    assert not cell(small("embed"), EAGER).missing
    for direction in ("forward", "backward"):
        work = Work(
            "operations", "fc2", 2, lambda b, n, d=direction: b.operation("fc2", n, d), 0.0, 2
        )
        assert not cell(work, EAGER).missing
    assert set(LAYERS) >= {"fc2"}


def test_a_step_is_one_of_many_in_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """The learner is called once for all; what is checked is one batch, from the beginning."""
    calls: list[int] = []
    learn = torch_siamese.training.TorchLearner.learn
    monkeypatch.setattr(
        torch_siamese.training.TorchLearner,
        "learn",
        lambda self, batches: calls.append(len(batches)) or learn(self, batches),
    )
    job = EAGER.step(2)
    assert job.count == 3
    assert job.once is not None
    job.run(), job.once()
    assert calls == [3, 1]
    monkeypatch.setattr(torch_product, "IN_A_CALL", 40)
    counts = {pairs: torch_product.batches_in_a_call(pairs) for pairs in (100, 8192, 100_000)}
    assert counts == {100: 40, 8192: 4, 100_000: 2}


def test_the_learner_is_of_the_mode_and_begins_as_all_do() -> None:
    """PyTorch's own weights of a seed may differ in their last bits."""
    learner = TUNED.learner(4)
    assert type(learner) is torch_siamese.training.TorchLearner
    assert (learner.mode, learner.precision) == ("tuned", "fp32")
    for name, weight in learner.model_state().items():
        assert np.array_equal(weight, initial_weights()[name])


def test_another_mode_than_the_row_s_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the configuration says, the learner is asked."""
    said = {"mode": "eager", "precision": "fp32"}
    monkeypatch.setattr(torch_siamese.training.TorchLearner, "environment", lambda self: said)
    with pytest.raises(Disagreement, match=r"^mode is eager, not tuned$"):
        TUNED.learner(2)
    with pytest.raises(Disagreement, match=r"^precision is fp32, not bf16$"):
        HALF.learner(2)


def test_a_row_in_bfloat16_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """With products in float32 the row is refused, however well its results agree."""
    autocast = torch.autocast
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: autocast("cpu", enabled=False))
    assert cell(small("step"), HALF).missing == (
        "refused: conv2d gives torch.float32, not bfloat16"
    )


# ------------------------------------------------------------------------------ the plain loop


def test_the_plain_loop_reads_two_numbers_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """And sends each batch's images to the device itself: that is what it is there to show."""
    calls: list[str] = []

    def counted(name: str) -> Callable[..., Any]:
        original = getattr(torch.Tensor, name)

        def wrapped(self: torch.Tensor, *to: Any, **others: Any) -> Any:
            if not isinstance(next(iter(to), None), torch.dtype):  # which sends nothing
                calls.append(name)
            return original(self, *to, **others)

        return wrapped

    learner = PLAIN.learner(2)
    for name in ("item", "to"):
        monkeypatch.setattr(torch.Tensor, name, counted(name))
    losses, accuracies = learner.learn([draw(2, k) for k in range(3)])
    assert losses.shape == accuracies.shape == (3,)
    assert (calls.count("item"), calls.count("to")) == (6, 9)


def test_the_plain_loop_begins_anew() -> None:
    """With other weights and without momentum; it takes none."""
    learner = PLAIN.learner(2)
    first = learner.learn([draw(2)])[0]
    assert set(learner.momentum_state()) == set(initial_weights())
    learner.load_state(initial_weights(), {})
    assert not learner.momentum_state()
    assert learner.learn([draw(2)])[0] == first
    with pytest.raises(ValueError, match="momentum must be empty"):
        learner.load_state(initial_weights(), {"fc1.bias": np.zeros(1)})
    assert plain_learner.PlainLearner.__module__ == "benchmarks.plain_learner"


# ------------------------------------------------------------------------------ the device


def test_a_row_is_on_cuda_unless_said() -> None:
    """A row without a device names the reason, and nothing else is measured in its place."""
    for row in (ProductBackend("row", "graph"), PlainBackend("row")):
        assert row.device == "cuda"
        assert row.missing == (None if torch.cuda.is_available() else "no CUDA device")
    assert EAGER.missing is PLAIN.missing is None


@pytest.fixture
def _switches() -> Iterator[None]:
    """Set TF32 back."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    yield
    matmul.allow_tf32, cudnn.allow_tf32 = before


@pytest.mark.usefixtures("_switches")
def test_operations_are_without_tf32() -> None:
    """CuDNN allows it unless told not to; a learner sets its own while it works."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    EAGER.enter()
    assert torch.backends.cudnn.allow_tf32
    BY_NAME["cuda-eager"].enter()
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32


def test_the_device_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """On CUDA; the CPU has finished when a call returns."""
    waits: list[int] = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: waits.append(1))
    EAGER.synchronize()
    assert not waits
    BY_NAME["cuda-eager"].synchronize()
    assert waits == [1]


def test_what_times_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA events; the cache is emptied before single operations alone."""
    made: list[str] = []
    monkeypatch.setattr(torch_product, "Flush", lambda torch: made.append("flush") or made.clear)
    row = BY_NAME["cuda-graph"]
    assert isinstance(row.timer("step"), CudaTimer)
    assert not made
    assert isinstance(row.timer("operations"), CudaTimer)
    assert made == ["flush"]
    assert type(EAGER.timer("operations")) is WallTimer


def test_memory_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The peak of one run, counted anew and read when the device has finished."""
    order: list[str] = []
    names = ("reset_peak_memory_stats", "synchronize", "max_memory_allocated")
    for name in names:
        monkeypatch.setattr(torch.cuda, name, lambda name=name: order.append(name) or 123)
    assert EAGER.peak_bytes(lambda: order.append("run")) is None
    assert not order
    assert BY_NAME["cuda-eager"].peak_bytes(lambda: order.append("run")) == 123
    assert order == [names[0], "run", *names[1:]]
