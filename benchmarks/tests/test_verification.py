"""A row of PyTorch that is not what its name says is refused."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from benchmarks import limits
from benchmarks.agreement import Disagreement
from benchmarks.backends import verification
from benchmarks.backends.base import Job
from benchmarks.backends.catalogue import BY_NAME
from benchmarks.backends.torch_backend import TorchBackend
from benchmarks.backends.verification import (
    Watch,
    activations_channels_last,
    channels_last,
    compiled,
    on_threads,
)
from benchmarks.measure import measure
from benchmarks.results import Cell
from benchmarks.workloads import WORKLOADS, Work

pytestmark = pytest.mark.slow

CHANNELS_LAST, TUNED = BY_NAME["torch-channels-last"], BY_NAME["torch-tuned"]


def cell(work: Work, backend: TorchBackend, threads: int = 1) -> Cell:
    """Measure one backend as shortly as it goes."""
    return next(iter(measure(work, [backend], threads, seconds=0)))


def small(workload: str, size: int = 2) -> Work:
    """Return a workload's work made small."""
    (work,) = WORKLOADS[workload]([size])
    return replace(work, size=size, flops=1e3)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for threads to settle: nothing here is about how long it takes."""
    monkeypatch.setattr(limits, "PAUSE", 0)


def operation(name: str, direction: str) -> Work:
    """Return an operation on two images."""
    return Work("operations", name, 2, lambda b, n: b.operation(name, n, direction), 0.0, 2)


# ------------------------------------------------------------------------------ layout


@pytest.mark.parametrize("name", ["conv1", "relu1", "pool1", "pool2", "layer1", "conv2", "layer2"])
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_operations_are_channels_last(name: str, direction: str) -> None:
    """Also where one channel, of images and kernels, leaves two layouts to choose from."""
    job = CHANNELS_LAST.operation(name, 2, direction)
    output = job.run()
    for tensor in output if isinstance(output, tuple) else (output,):
        if tensor.ndim == 4 and tensor.shape[1] > 1:
            assert tensor.is_contiguous(memory_format=torch.channels_last)
            assert not tensor.is_contiguous()


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (operation("conv1", "forward"), "conv2d takes or gives (2, 32, 26, 26)"),
        (operation("layer1", "forward"), "conv2d takes or gives (2, 32, 26, 26)"),
        (operation("layer1", "backward"), "grad takes or gives (2, 32, 13, 13)"),
    ],
)
def test_contiguous_is_not_enough(monkeypatch: pytest.MonkeyPatch, work: Work, words: str) -> None:
    """A kernel of (32, 1, 3, 3) is contiguous in both layouts, and its output is then NCHW."""

    def contiguous(backend: object, x: torch.Tensor) -> torch.Tensor:
        return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x

    monkeypatch.setattr(TorchBackend, "_laid_out", contiguous)
    assert cell(work, CHANNELS_LAST).missing == f"refused: {words} that is not channels-last"


@pytest.mark.parametrize("workload", ["step", "learn", "epoch", "embed"])
def test_the_network_is_channels_last_throughout(
    monkeypatch: pytest.MonkeyPatch, workload: str
) -> None:
    """With its kernels left in NCHW the row is refused, in every piece of work."""
    assert not cell(small(workload), CHANNELS_LAST).missing
    plain = TorchBackend("plain")
    monkeypatch.setattr(CHANNELS_LAST, "_net", plain._net)
    found = cell(small(workload), CHANNELS_LAST).missing
    assert found == "refused: conv2d takes or gives (64, 32, 3, 3) that is not channels-last"


@pytest.mark.parametrize("workload", ["step", "learn", "epoch", "embed"])
def test_pytorch_tuned_is_channels_last_from_conv1_on(
    monkeypatch: pytest.MonkeyPatch, workload: str
) -> None:
    """With conv1's kernels left in NCHW its output is too, and the row is refused."""
    assert not cell(small(workload), TUNED).missing
    own = TUNED._net

    def with_conv1_in_nchw() -> torch.nn.Module:
        net = own()
        kernels = net.net.conv1.weight
        kernels.data = kernels.data.clone(memory_format=torch.contiguous_format)
        return net

    monkeypatch.setattr(TUNED, "_net", with_conv1_in_nchw)
    monkeypatch.setattr(TUNED, "channels_last", False)  # the images are, too
    found = cell(small(workload), TUNED).missing
    assert found.startswith("refused: conv2d takes or gives (")
    assert found.endswith(", 32, 24, 24) that is not channels-last")


def test_what_is_channels_last() -> None:
    """Four axes of which the channels' is innermost; fewer axes have no such layout."""
    wrong = torch.zeros(2, 3, 4, 5)
    right = wrong.to(memory_format=torch.channels_last)
    for fine in (right, torch.zeros(2, 1, 4, 5), torch.zeros(2, 3, 1, 1), torch.zeros(2, 3)):
        channels_last("f", [fine], [fine])
    for taken, given in (([wrong], []), ([], [right, wrong])):
        with pytest.raises(Disagreement, match=r"^f takes or gives \(2, 3, 4, 5\) that is not"):
            channels_last("f", taken, given)


def test_one_channel_is_any_layout() -> None:
    """A crop of images is contiguous in none; of what has several channels all is looked at."""
    crop, wrong = torch.zeros(2, 1, 6, 7)[:, :, :4, :5], torch.zeros(2, 3, 4, 5)
    activations_channels_last("f", [crop, torch.zeros(2, 3)], [crop])
    for taken, given in (([crop, wrong], []), ([], [wrong])):
        with pytest.raises(Disagreement, match=r"^f takes or gives \(2, 3, 4, 5\) that is not"):
            activations_channels_last("f", taken, given)


def test_every_tensor_is_watched() -> None:
    """Whichever way it is given or returned."""
    seen: list[tuple[str, int, int]] = []
    x = torch.arange(4.0).reshape(1, 1, 2, 2)
    with Watch(lambda name, taken, given: seen.append((name, len(taken), len(given)))):
        F.conv2d(x, weight=x, bias=None)
        torch.cat([x, x])
        torch.split(x, 1, dim=2)
    assert [line for line in seen if line[0] in ("conv2d", "cat", "split")] == [
        ("conv2d", 2, 1),
        ("cat", 2, 1),
        ("split", 1, 2),
    ]


# ------------------------------------------------------------------------------ threads


def test_threads_are_looked_at_within_a_run() -> None:
    """Whoever takes them away half-way is found out."""

    class Loses(TorchBackend):
        def step(self, pairs: int) -> Job:
            job = super().step(pairs)

            def run() -> object:
                torch.set_num_threads(1)
                output = job.run()
                torch.set_num_threads(2)
                return output

            return Job(run, job.named, job.weights)

    found = cell(small("step"), Loses("loses"), threads=2).missing
    assert found.startswith("refused: ")
    assert found.endswith(" runs on 1 threads, not 2")
    assert not cell(small("step"), TorchBackend("keeps"), threads=2).missing


def test_the_number_of_threads() -> None:
    """That of PyTorch, when the function has run."""
    on_threads(torch.get_num_threads())("relu", [], [])
    with pytest.raises(Disagreement, match=r"^relu runs on \d+ threads, not 99$"):
        on_threads(99)("relu", [], [])


# ------------------------------------------------------------------------------ compilation


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Compile to nothing faster, which takes less time, and tell what was asked for."""
    real, found = torch.compile, []

    def compile_(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        found.append(options)
        return real(function, backend="eager")

    monkeypatch.setattr(torch, "compile", compile_)
    monkeypatch.setattr(TorchBackend, "_compiled_for", 0)
    yield found
    torch._dynamo.reset()


@pytest.mark.parametrize("workload", ["step", "embed"])
def test_what_is_compiled_passes(asked: list[dict[str, Any]], workload: str) -> None:
    """Whole, for one size, in the mode of the row."""
    assert not cell(small(workload), BY_NAME["torch-compile"]).missing
    assert asked == [{"mode": "default", "dynamic": False}]


def test_code_is_compiled_anew_for_other_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps the number of threads that it was compiled for."""
    resets: list[int] = []
    monkeypatch.setattr(torch._dynamo, "reset", lambda: resets.append(torch.get_num_threads()))
    monkeypatch.setattr(TorchBackend, "_compiled_for", 0)
    for count in (1, 1, 2, 1):
        with BY_NAME["torch-compile"].threads(count), BY_NAME["torch-eager"].threads(count):
            pass
    assert resets == [1, 2, 1]


def test_what_is_not_compiled_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """TORCH_COMPILE_DISABLE=1 makes the row the eager one, without a word."""
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    counters: defaultdict[str, Counter[str]] = defaultdict(Counter)
    monkeypatch.setattr(torch._dynamo.utils, "counters", counters)
    assert cell(small("step"), BY_NAME["torch-compile"]).missing == (
        "refused: torch.compile compiles nothing (is it disabled in the environment?)"
    )


@pytest.mark.parametrize(
    ("counted", "words"),
    [
        ({}, ""),
        ({("graph_break", "data-dependent"): 1}, "leaves parts out: data-dependent"),
        ({("inductor", "cudagraph_skips"): 1}, ""),
    ],
)
def test_what_the_compiler_counts(
    monkeypatch: pytest.MonkeyPatch, counted: dict[tuple[str, str], int], words: str
) -> None:
    """Only what happens within counts."""
    counters: defaultdict[str, Counter[str]] = defaultdict(Counter)
    monkeypatch.setattr(verification.torch._dynamo.utils, "counters", counters)
    counters["stats"]["unique_graphs"] = 1
    counters["graph_break"]["earlier"] = 2

    def run() -> str:
        try:
            with compiled():
                for (group, name), count in counted.items():
                    counters[group][name] += count
        except Disagreement as error:
            return str(error)
        return ""

    assert run() == (f"torch.compile {words}" if words else "")
