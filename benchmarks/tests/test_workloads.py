"""Which work is measured, of which size, and what it is said to cost."""

import numpy as np
import pytest

from benchmarks import workloads
from benchmarks.layers import LAYERS, embed_flops, step_flops
from benchmarks.tests.fakes import Clock, Fake
from benchmarks.workloads import WORKLOADS, counts_of_threads

IMAGE = 26 * 26 * 32 * 9 + 11 * 11 * 64 * 32 * 9 + 120 * 1600 + 84 * 120
"""Multiplications forward, of the network as it is defined."""

STEP = 2 * (2 * (3 * IMAGE - 26 * 26 * 32 * 9) + 3 * 84)
"""Operations of a step of one pair: all gradients but the images'."""


def test_flops_are_those_of_the_network() -> None:
    """3.07 GFLOP for 100 pairs, and the parts' add up to the step's."""
    assert step_flops(100) == 100 * STEP
    assert round(step_flops(100) / 1e9, 2) == 3.07
    assert embed_flops(7) == 2 * 7 * IMAGE
    parts = ("conv1", "conv2", "fc1", "fc2")
    images = sum(LAYERS[p].flops(200, d) for p in parts for d in ("forward", "backward"))
    images -= LAYERS["conv1"].flops(200, "forward")  # the images' own gradient
    head = sum(LAYERS["head"].flops(100, d) for d in ("forward", "backward"))
    assert step_flops(100) == images + head


@pytest.mark.parametrize(
    ("workload", "sizes", "expected"),
    [
        ("step", [7], [("step of 100 pairs", 100, 100 * STEP, 200, 100)]),
        ("learn", [7], [("learn 100 pairs", 100, 100 * STEP, 200, 100)]),
        ("embed", [7], [("embed 10,000 images", 10_000, 2e4 * IMAGE, 10_000, 100)]),
        ("pairs", [7], [("draw 100 pairs", 100, 0.0, 200, 100)]),
        ("epoch", [7], [("epoch of 40 batches", 40, 4000 * STEP, 8000, 2)]),
        (
            "scaling",
            [1, 2000],
            [
                ("step of 1 pair", 1, STEP, 2, 1),
                ("step of 2,000 pairs", 2000, 2000 * STEP, 4000, 100),
            ],
        ),
    ],
)
def test_what_the_work_is(workload: str, sizes: list[int], expected: list[tuple]) -> None:
    """Label, size, operations, images and the size that is checked, each of this work."""
    found = list(WORKLOADS[workload](sizes))
    assert {work.workload for work in found} == {workload}
    assert [(w.label, w.size, w.flops, w.images, w.checked) for w in found] == expected
    assert all(work.traffic == 0 for work in found)


def test_operations_are_of_one_side_of_a_batch() -> None:
    """Every layer, forward and backward, of 100 images, with its own operations and bytes."""
    found = list(WORKLOADS["operations"]([7]))
    assert [work.label for work in found] == [
        f"{name} {way}" for name in LAYERS for way in ("forward", "backward")
    ]
    assert {(w.workload, w.size, w.images, w.checked) for w in found} == {
        ("operations", 100, 100, 100)
    }
    by_label = {work.label: work for work in found}
    conv1 = 2 * 100 * 26 * 26 * 32 * 9
    assert by_label["conv1 forward"].flops == conv1
    assert by_label["conv1 backward"].flops == 2 * conv1
    assert by_label["relu1 forward"].flops == 0
    pixels, kernels, y = 100 * 28 * 28, 32 * 9 + 32, 100 * 32 * 26 * 26
    assert by_label["conv1 forward"].traffic == 4 * (pixels + kernels + y)
    assert by_label["conv1 backward"].traffic == 4 * (2 * (pixels + kernels) + y)
    assert by_label["distance forward"].traffic == 4 * 3 * 100 * 84
    assert by_label["pool2 forward"].traffic == 4 * 100 * 64 * (11 * 11 + 5 * 5)


@pytest.mark.parametrize("workload", WORKLOADS)
def test_the_job_is_of_the_work_and_the_size(clock: Clock, workload: str) -> None:
    """Each asks the backend for its own work, of the size asked for, by default its own."""
    asked: list[tuple] = []

    class Asked(Fake):
        def __getattribute__(self, name: str) -> object:
            if name in ("step", "learn", "embed", "pairs", "epoch", "operation"):
                return lambda *arguments: asked.append((name, *arguments))
            return super().__getattribute__(name)

    fake = Asked("a", [], clock)
    works = list(WORKLOADS[workload]([3]))
    for work in works:
        work.job(fake)
        work.job(fake, 2)
    if workload == "operations":
        ways = [(name, way) for name in LAYERS for way in ("forward", "backward")]
        assert asked == [("operation", n, size, w) for n, w in ways for size in (100, 2)]
    else:
        name = "step" if workload == "scaling" else workload
        assert asked == [(name, works[0].size), (name, 2)]


def test_threads_of_a_workload() -> None:
    """Steps on every number asked for, operations on the first, the rest on the last."""
    assert counts_of_threads("step", [1, 2, 4]) == [1, 2, 4]
    assert counts_of_threads("operations", [1, 2, 4]) == [1]
    assert all(counts_of_threads(name, [3]) == [3] for name in WORKLOADS)
    for name in ("learn", "embed", "pairs", "epoch", "scaling"):
        assert counts_of_threads(name, [1, 2, 4]) == [4]


def test_arguments_of_an_operation_lie_as_the_networks_do() -> None:
    """Float32, the batch of images innermost in memory, the same at every call."""
    arrays = LAYERS["conv2"].arrays(5)
    assert {name: a.shape for name, a in arrays.items()} == {
        "x": (5, 32, 13, 13),
        "weight": (64, 32, 3, 3),
        "bias": (64,),
    }
    assert {a.dtype for a in arrays.values()} == {np.dtype("f4")}
    assert arrays["x"].strides[0] == 4
    assert arrays["weight"].flags.c_contiguous
    assert np.array_equal(arrays["x"], LAYERS["conv2"].arrays(5)["x"])
    chances = LAYERS["loss"].arrays(50)
    assert all(((a >= 0) & (a <= 1)).all() and a.std() > 0.1 for a in chances.values())
    assert arrays["x"].min() < -1 < 1 < arrays["x"].max()


def test_the_layers_are_the_networks() -> None:
    """Shapes of two images' activations through the network, layer by layer."""
    shapes = {}
    for name, layer in LAYERS.items():
        y, _ = layer.function()(**layer.arrays(2), **dict(layer.options))
        shapes[name] = np.shape(y)
    assert shapes == {
        "conv1": (2, 32, 26, 26),
        "conv2": (2, 64, 11, 11),
        "relu1": (2, 32, 26, 26),
        "pool1": (2, 32, 13, 13),
        "pool2": (2, 64, 5, 5),
        "layer1": (2, 32, 13, 13),
        "layer2": (2, 64, 5, 5),
        "fc1": (2, 120),
        "fc2": (2, 84),
        "distance": (2, 84),
        "head": (2, 1),
        "sigmoid": (2, 1),
        "loss": (),
    }
    assert workloads.EPOCH * 100 == 4000
