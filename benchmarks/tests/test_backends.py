"""NumPy and PyTorch do the same work, on the threads asked for, and learn by it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

import torch_siamese.training
from benchmarks import limits, memory, pictures
from benchmarks.backends import base, numpy_backend, torch_backend, torch_tuned
from benchmarks.backends.base import LR, MOMENTUM, Backend, NotRun, batch, draw, many_images
from benchmarks.backends.catalogue import BACKENDS, BY_NAME
from benchmarks.backends.torch_backend import TorchBackend
from benchmarks.backends.torch_product import PlainBackend, ProductBackend
from benchmarks.layers import LAYERS
from benchmarks.measure import REFERENCE, measure
from benchmarks.results import Cell
from benchmarks.workloads import WORKLOADS, Work

pytestmark = pytest.mark.slow

NUMPY, EAGER = BY_NAME["numpy"], BY_NAME["torch-eager"]
CHANNELS_LAST, TUNED = BY_NAME["torch-channels-last"], BY_NAME["torch-tuned"]
ON_CPU = (NUMPY, TUNED, EAGER, CHANNELS_LAST)


def cells(work: Work, *backends: Backend, threads: int = 1) -> list[Cell]:
    """Measure as shortly as it goes."""
    return [c for c in measure(work, backends, threads, seconds=0) if c.backend != "matrix product"]


def small(workload: str) -> Work:
    """Return a workload's work made small."""
    (work,) = WORKLOADS[workload]([2])
    return replace(work, size=1 if workload == "epoch" else 2, flops=1e3)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for threads to settle: nothing here is about how long it takes."""
    monkeypatch.setattr(limits, "PAUSE", 0)


# ------------------------------------------------------------------------------ agreement


@pytest.mark.parametrize("workload", ["step", "learn", "pairs", "epoch", "embed", "scaling"])
def test_every_backend_on_the_cpu_does_the_work(workload: str) -> None:
    """Results agree with float64, weights change as they should, and rows are what they say."""
    for cell in cells(small(workload), *ON_CPU):
        assert not cell.missing, cell
        assert len(cell.samples) == 3
        assert 0 <= cell.error <= 256 * 2.0**-24


@pytest.mark.parametrize(
    ("together", "micro_batch", "images"),
    [(0, 9, [7, 7]), (9, 9, [14]), (2, 3, [3, 3, 3, 3, 2])],
)
def test_pytorch_tuned_learns_the_same_in_parts(
    monkeypatch: pytest.MonkeyPatch, together: int, micro_batch: int, images: list[int]
) -> None:
    """Twins apart, as one batch, and in micro-batches of which the last is smaller."""
    monkeypatch.setattr(torch_tuned.tuned, "TOGETHER", together)
    monkeypatch.setattr(torch_tuned, "MICRO_BATCH", micro_batch)
    sizes: list[int] = []
    features = torch_tuned.TunedNet.features
    monkeypatch.setattr(
        torch_tuned.TunedNet, "features", lambda net, x: sizes.append(len(x)) or features(net, x)
    )
    (cell,) = cells(replace(small("step"), size=7), TUNED)
    assert not cell.missing, cell
    sizes.clear()
    TUNED.step(7).run()
    assert sizes == images


@pytest.mark.parametrize("name", LAYERS)
def test_every_operation_runs_in_all(name: str) -> None:
    """Forward and backward of each operation agree, at the network's shapes for two images."""
    for direction in ("forward", "backward"):
        work = Work(
            "operations", name, 2, lambda b, n, d=direction: b.operation(name, n, d), 0.0, 2
        )
        for cell in cells(work, *ON_CPU):
            assert not cell.missing, cell


@pytest.mark.parametrize("backend", ON_CPU, ids=lambda backend: backend.name)
@pytest.mark.parametrize("workload", ["step", "learn"])
def test_a_step_includes_its_update(backend: Backend, workload: str) -> None:
    """After two runs the weights are w − lr·g₁ − lr·(momentum·g₁ + g₂), to the last digits."""
    with backend.threads(1):
        job = getattr(backend, workload)(3)
        step = backend.step(3)
        if workload == "learn":  # it reports no gradients: take a step's, from the same start
            gradients = [step.named(step.run()) for _ in range(2)]
            before = job.weights()
            job.run(), job.run()
        else:
            before = job.weights()
            gradients = [job.named(job.run()) for _ in range(2)]
    first, second = gradients
    for name, after in job.weights().items():
        expected = before[name] - LR * first[name]
        expected = expected - LR * (MOMENTUM * first[name] + second[name])
        assert np.abs(after - expected).max() <= 4 * 2.0**-23 * max(1, np.abs(expected).max())
    assert not np.array_equal(first["net.fc2.weight"], second["net.fc2.weight"])


@pytest.mark.parametrize("backend", [*ON_CPU, REFERENCE], ids=lambda backend: backend.name)
def test_weights_are_copies(backend: Backend) -> None:
    """What was read before a run is not changed by it."""
    job = backend.step(2)
    before = job.weights()
    kept = {name: w.copy() for name, w in before.items()}
    job.run()
    assert all(np.array_equal(before[name], kept[name]) for name in kept)
    assert not np.array_equal(job.weights()["fc1.weight"], kept["fc1.weight"])


def test_an_epoch_learns_from_every_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch 0, 1, 2 … of a hundred pairs, each once."""
    for module, backend in ((numpy_backend, NUMPY), (torch_backend, EAGER)):
        drawn: list[tuple[int, int]] = []

        def spy(pairs: int, k: int = 0, drawn: list = drawn) -> Any:
            drawn.append((pairs, k))
            return draw(2, k)

        monkeypatch.setattr(module, "draw", spy)
        backend.epoch(3).run()
        assert drawn == [(100, 0), (100, 1), (100, 2)]


# ------------------------------------------------------------------------------ the same work


def test_the_batch_is_of_the_embedded_digits() -> None:
    """The same pairs for all, as many as asked for, down to one."""
    left, right, targets = batch(4)
    images, _ = base.digits()
    index_left, index_right, expected = draw(4)
    assert left.shape == right.shape == (4, 1, 28, 28)
    assert left.dtype == right.dtype == np.float32
    assert np.array_equal(left[:, 0], images[index_left])
    assert np.array_equal(right[:, 0], images[index_right])
    assert np.array_equal(targets, expected)
    assert targets.shape == (4, 1)
    assert [len(part) for part in draw(1)] == [1, 1, 1]
    for k, drawn in enumerate(base.draw_epoch(3)):
        assert all(map(np.array_equal, drawn, draw(100, k)))
    assert not np.array_equal(draw(4)[0], draw(4, 1)[0])


def test_many_images_repeat_the_digits() -> None:
    """As uint8, on the host."""
    images, _ = base.digits()
    found = many_images(len(images) + 3)
    assert found.dtype == np.uint8
    assert np.array_equal(found[: len(images)], images)
    assert np.array_equal(found[len(images) :], images[:3])


def test_pytorch_embeds_by_the_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    """All images, in batches of the size that is fastest."""
    sizes: list[int] = []
    monkeypatch.setattr(
        torch_backend.SiameseNet, "embed", lambda net, x: sizes.append(len(x)) or x[:, 0, 14, :]
    )
    job = EAGER.embed(250)
    found = job.named(job.run())["embeddings"]
    assert sizes == [100, 100, 50]
    assert np.array_equal(found, many_images(250)[:, 14])


def test_learning_reports_loss_and_accuracy() -> None:
    """Both packages wait for the two numbers of a line."""
    with NUMPY.threads(1):
        reported = [backend.learn(4).run() for backend in (NUMPY, EAGER)]
    assert reported[0][1] == reported[1][1]
    assert reported[0][0] == pytest.approx(reported[1][0], rel=256 * 2.0**-24)


# ------------------------------------------------------------------------------ threads


def test_threads_are_in_force_within_a_run_of_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """BLAS's own for an operation, and those of the micro-batches for everything else."""
    seen: list[int] = []

    def spying(function: Callable[..., Any], place: int) -> Callable[..., Any]:
        def spy(*arguments: Any) -> Any:
            seen.append(arguments[place])
            return function(*arguments)

        return spy

    for name, place in (("loss_and_gradients", 4), ("embed_images", 2)):
        spied = spying(getattr(numpy_backend, name), place)
        monkeypatch.setattr(numpy_backend, name, spied)
    for count in (1, 2):
        seen.clear()
        with NUMPY.threads(count):
            NUMPY.step(2).run()
            NUMPY.embed(2).run()
            learner = NUMPY._learner()
            assert NUMPY.threads_in_force() == count
            assert {p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"} == {
                count
            }
        assert seen == [count, count]
        assert learner.threads == count


def test_threads_of_numpy_are_verified() -> None:
    """Asked for more threads than BLAS has, NumPy is not measured on fewer in silence."""
    before = NUMPY.threads_in_force()
    with pytest.raises(NotRun, match=r"BLAS takes \d+ threads, not 10000"), NUMPY.threads(10_000):
        pass
    assert NUMPY.threads_in_force() == before


def test_a_blas_that_does_not_tell_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not measured, and the others are."""
    monkeypatch.setattr(numpy_backend, "threadpool_info", list)
    assert NUMPY.threads_in_force() == 0
    numpy, eager = cells(small("step"), NUMPY, EAGER)
    assert numpy.missing == "not run: BLAS takes an unknown number of threads, not 1"
    assert eager.samples


def test_threads_of_pytorch_are_set_and_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within, they are as many as asked for; a library that takes fewer is not measured."""
    before = torch.get_num_threads()
    for count in (1, 2, 3):
        with EAGER.threads(count):
            assert torch.get_num_threads() == EAGER.threads_in_force() == count
        assert torch.get_num_threads() == before
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)
    with pytest.raises(NotRun, match=f"torch takes {before} threads, not 99"), EAGER.threads(99):
        pass


# ------------------------------------------------------------------------------ rows


def test_the_rows_are_what_their_names_say() -> None:
    """Device, layout, compilation and precision of each."""
    rows = {
        b.name: (b.device, b.channels_last, b.compile_mode, b.unit_roundoff)
        for b in BACKENDS
        if isinstance(b, TorchBackend)
    }
    modes = {
        b.name: (b.device, b.mode, b.precision, b.unit_roundoff)
        for b in BACKENDS
        if isinstance(b, ProductBackend)
    }
    float32, tf32, bfloat16 = 2.0**-24, 2.0**-11, 2.0**-8
    assert rows == {
        "torch-tuned": ("cpu", True, None, float32),
        "torch-eager": ("cpu", False, None, float32),
        "torch-channels-last": ("cpu", True, None, float32),
        "torch-compile": ("cpu", False, "default", float32),
    }
    assert modes == {
        "cuda-eager": ("cuda", "eager", "fp32", float32),
        "cuda-tuned": ("cuda", "tuned", "fp32", float32),
        "cuda-compile": ("cuda", "compile", "fp32", float32),
        "cuda-graph": ("cuda", "graph", "fp32", float32),
        "cuda-graph-tf32": ("cuda", "graph", "tf32", tf32),
        "cuda-graph-bf16": ("cuda", "graph", "bf16", bfloat16),
    }
    assert list(BY_NAME) == ["numpy", *rows, "cuda-plain", *modes, "jax", "cuda-cupy"]
    plain = BY_NAME["cuda-plain"]
    assert isinstance(plain, PlainBackend)
    assert (plain.device, plain.unit_roundoff) == ("cuda", float32)
    assert NUMPY.unit_roundoff == BY_NAME["jax"].unit_roundoff == float32
    assert torch.finfo(torch.bfloat16).eps / 2 == bfloat16
    assert all((b.device == "cuda") == b.name.startswith("cuda") for b in BACKENDS)


def test_every_row_has_a_style_of_its_own() -> None:
    """Two lines of one colour are one line, and in black and white those of one marker."""
    assert pictures.STYLES.keys() == BY_NAME.keys()
    for kind in ("color", "hatch", "marker"):
        assert len({getattr(style, kind) for style in pictures.STYLES.values()}) == len(BY_NAME)


def test_what_cannot_run_is_named_with_the_reason() -> None:
    """No backend is left out in silence."""
    unable = [backend for backend in BACKENDS if backend.missing]
    found = {cell.backend: cell.missing for cell in cells(small("step"), *unable)}
    assert found == {backend.name: f"not run: {backend.missing}" for backend in unable}


def test_why_pytorch_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a device, or where nothing can be compiled."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch._dynamo, "is_dynamo_supported", lambda: False)
    assert BY_NAME["cuda-graph"].missing == "no CUDA device"
    assert "does not support" in (BY_NAME["torch-compile"].missing or "")
    assert EAGER.missing is None
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch._dynamo, "is_dynamo_supported", lambda: True)
    assert BY_NAME["cuda-eager"].missing is None
    assert BY_NAME["torch-compile"].missing is None


def test_what_a_backend_leaves_out() -> None:
    """Named by workload; what it does not name it does."""
    assert set(BY_NAME["jax"].leaves_out) == set(WORKLOADS) - {"step", "scaling", "embed"}
    assert set(BY_NAME["torch-compile"].leaves_out) == set(WORKLOADS) - {"step", "embed"}
    for backend in ON_CPU:
        assert not backend.leaves_out
    assert set(BY_NAME["cuda-plain"].leaves_out) == set(WORKLOADS) - {"learn", "epoch"}
    assert set(BY_NAME["cuda-eager"].leaves_out) == {"pairs"}
    for name in ("cuda-tuned", "cuda-graph", "cuda-graph-tf32", "cuda-graph-bf16"):
        assert set(BY_NAME[name].leaves_out) == {"pairs", "operations", "embed"}
    left_out = {"pairs", "operations", "embed", "scaling"}
    assert set(BY_NAME["cuda-compile"].leaves_out) == left_out


def test_who_has_no_micro_batches() -> None:
    """On the CPU, PyTorch as it comes, and JAX: a batch of 10,000 pairs takes them a minute."""
    unlimited = {b.name for b in BACKENDS if b.most_pairs >= 10_000}
    assert unlimited == {"numpy", "torch-tuned", *(n for n in BY_NAME if n.startswith("cuda"))}


def test_memory_of_a_pair() -> None:
    """Activations that autograd keeps of two images, and as much for gradients; NumPy's images."""
    kept = 2 * 32 * 26 * 26 + 3 * 32 * 13 * 13 + 2 * 64 * 11 * 11 + 3 * 1600
    assert EAGER.bytes_per_pair() == 2 * 2 * 4 * kept
    assert NUMPY.bytes_per_pair() == 2 * 28 * 28 * (4 + 1)
    assert TUNED.bytes_per_pair() == 2 * 28 * 28 * 4
    assert BY_NAME["jax"].bytes_per_pair() == 2 * 2 * 4 * (kept - 3 * 1600)


# ------------------------------------------------------------------------------ processes


def test_pytorch_trains_where_memory_is_watched() -> None:
    """In a process of its own, and in the soak, it is the package's learner that learns."""
    found = memory.of_training("torch-eager", 2, 1)
    assert not found.missing
    assert found.peak >= found.before > 10 * 2**20
    learner = memory._learner("torch-eager", 6, 1, base.digits()[0])
    assert type(learner) is torch_siamese.training.TorchLearner
    assert (learner.threads, learner.device.type) == (1, "cpu")
