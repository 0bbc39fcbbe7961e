"""What the pictures show: the right bar and line under the right name, in the right place."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from benchmarks import pictures
from benchmarks.layers import LAYERS
from benchmarks.limits import MATRIX_PRODUCT
from benchmarks.results import Cell, Results

FACTS = {"processor": "one of a kind", "BLAS": "its (kernel)", "torch": "2.99", "date": "today"}
MACHINE = "one of a kind, its (kernel), PyTorch 2.99, today"
LIMITS = {n: {"gemm_flops": n * 1e11, "copy_bytes": 1e10} for n in (1, 2)}

STEP = Cell("step", "step of 100 pairs", 100, "numpy", 1, [0.03, 0.02, 0.06], flops=3e9)

ROUNDING = 2.0**-48
"""Of a few operations in float64, on numbers around 1 or in units of themselves."""


def near(expected: Any) -> Any:
    """Return what equals numbers up to their roundings."""
    return pytest.approx(np.array(expected), rel=ROUNDING, abs=ROUNDING)


def drawn(figure: Figure | None) -> Axes:
    """Return the axes of a figure that was drawn."""
    assert figure is not None
    (axes,) = figure.axes
    return axes


def title(axes: Axes) -> str:
    """Return the title of the figure."""
    return axes.figure.get_suptitle()


def on(label_axis: list) -> list[str]:
    """Return the texts of labels."""
    return [label.get_text() for label in label_axis]


# ------------------------------------------------------------------------------ step


@pytest.fixture
def steps() -> Results:
    """Return steps on one thread and on two, with what is not to be drawn."""
    cells = [
        STEP,
        replace(STEP, backend="torch-eager", samples=[0.05]),
        replace(STEP, backend=MATRIX_PRODUCT, samples=[0.025]),
        replace(STEP, threads=2, samples=[1.2345]),
        replace(STEP, threads=2, backend="cuda-eager", samples=[], missing="no device"),
        replace(STEP, workload="scaling", samples=[9.0]),
    ]
    return Results(FACTS, dict(LIMITS), cells)


def test_bars_of_the_step(steps: Results) -> None:
    """Each as long as its median, in milliseconds, under its name, in the order of the table."""
    axes = drawn(pictures.step_times(steps))
    places = dict(zip(axes.get_yticks(), on(axes.get_yticklabels()), strict=True))
    bars = sorted(axes.patches, key=lambda bar: bar.get_y())
    named = [places[round(bar.get_y() + bar.get_height() / 2)] for bar in bars]
    assert named == ["numpy, 1 thread", "torch-eager, 1 thread", "numpy, 2 threads"]
    assert [bar.get_width() for bar in bars] == near([30, 50, 1234.5])
    assert [to_hex(bar.get_facecolor()) for bar in bars] == ["#1f6fb4", "#e08a3c", "#1f6fb4"]
    assert axes.yaxis_inverted()  # the first on top
    assert axes.get_xlabel().startswith("milliseconds")
    assert title(axes) == f"A training step of 100 pairs, float32\n{MACHINE}"


def test_a_gpu_has_one_bar_under_the_others(steps: Results) -> None:
    """Threads do not change it. The caption names the GPU. No limit of the CPU crosses its bar."""
    on_gpu = [replace(STEP, threads=n, backend="cuda-eager", samples=[n / 100]) for n in (1, 2)]
    facts = {**FACTS, "CUDA": "a GPU, CUDA 13.0"}
    axes = drawn(pictures.step_times(Results(facts, dict(LIMITS), [*on_gpu, *steps.cells])))
    assert on(axes.get_yticklabels()) == [
        *("numpy, 1 thread", "torch-eager, 1 thread", "numpy, 2 threads"),
        "cuda-eager",
    ]
    assert sorted(bar.get_y() for bar in axes.patches)[-1] == near(3 - 0.4)
    assert [bar.get_width() for bar in axes.patches][-1] == near(10)
    dotted = [line for line in axes.lines if line.get_linestyle() == ":"]
    assert max(max(line.get_ydata()) for line in dotted) == near(2.45)
    assert title(axes).endswith("\none of a kind, its (kernel)\na GPU, PyTorch 2.99, today")


def test_whiskers_and_numbers_of_the_step(steps: Results) -> None:
    """Quartiles, the median and what NumPy takes over it, on the bar that they are of."""
    axes = drawn(pictures.step_times(steps))
    whiskers = [line.get_xydata() for line in axes.lines if line.get_color() == "black"]
    assert np.array(whiskers) == near(
        [[[25, 0], [45, 0]], [[50, 1], [50, 1]], [[1234.5, 2], [1234.5, 2]]]
    )
    numbers = {round(text.xy[1]): (text.get_text(), text.xy[0]) for text in axes.texts}
    assert numbers[0] == (" 30", near(45))  # behind the whisker
    assert numbers[1] == (" 50, 0.60×", near(50))
    assert numbers[2] == (" 1,234", near(1234.5))


def test_limits_of_the_step(steps: Results) -> None:
    """The product of the same rounds where there is one, the best otherwise, beside their bars."""
    axes = drawn(pictures.step_times(steps))
    dotted = [line.get_xydata() for line in axes.lines if line.get_linestyle() == ":"]
    assert np.array(dotted) == near([[[25, -0.45], [25, 1.45]], [[15, 1.55], [15, 2.45]]])
    steps.limits.clear()
    steps.cells.pop(2)
    assert not [
        line for line in drawn(pictures.step_times(steps)).lines if line.get_linestyle() == ":"
    ]


# ------------------------------------------------------------------------------ throughput


@pytest.fixture
def scaling() -> Results:
    """Return two backends at three batch sizes, not in order."""
    of = replace(STEP, workload="scaling", threads=2)
    cells = [
        replace(of, size=size, backend=backend, samples=[seconds], flops=3e7 * size)
        for size, backend, seconds in (
            (100, "numpy", 0.02),
            (100, "torch-eager", 0.05),
            (1, "numpy", 0.004),
            (1, "torch-eager", 0.002),
            (10_000, "torch-eager", 10.0),
        )
    ]
    return Results(FACTS, dict(LIMITS), [*cells, STEP])


def test_lines_of_the_throughput(scaling: Results) -> None:
    """Pairs a second at each batch size, in order, each line in the colour of its legend."""
    axes = drawn(pictures.throughput(scaling))
    lines = {line.get_label(): line for line in axes.lines}
    assert list(lines) == ["numpy", "torch-eager", "matrix products alone"]
    points = {name: np.array(line.get_xydata()) for name, line in lines.items()}
    assert points["numpy"] == near([[1, 250], [100, 5000]])
    assert points["torch-eager"] == near([[1, 500], [100, 2000], [10_000, 1000]])
    for name in ("numpy", "torch-eager"):
        color, _, marker, _ = pictures.STYLES[name]
        assert (lines[name].get_color(), lines[name].get_marker()) == (color, marker)
    (legend,) = axes.figure.legends
    for text, handle in zip(legend.get_texts(), legend.get_lines(), strict=True):
        assert handle.get_color() == lines[text.get_text()].get_color()
        assert handle.get_marker() == lines[text.get_text()].get_marker()
    assert len(legend.get_texts()) == 3


def test_ratios_of_the_throughput(scaling: Results) -> None:
    """NumPy's time over that of PyTorch by hand, over the faster one, where both were measured."""
    assert not drawn(pictures.throughput(scaling)).texts
    tuned = [
        replace(scaling.cells[0], size=size, backend="torch-tuned", samples=[seconds])
        for size, seconds in ((1, 0.002), (100, 0.05), (10_000, 10.0))
    ]
    axes = drawn(pictures.throughput(replace(scaling, cells=[*scaling.cells, *tuned])))
    shown = {text.xy[0]: (text.get_text(), text.xy[1]) for text in axes.texts}
    assert shown == {1: ("2.00×", near(500)), 100: ("0.40×", near(5000))}


def test_scales_of_the_throughput(scaling: Results) -> None:
    """Both logarithmic, with the sizes that were measured; below the rate of matrix products."""
    axes = drawn(pictures.throughput(scaling))
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert axes.get_xlabel().startswith("pairs in a batch; ")
    assert axes.get_ylabel() == "pairs a second"
    assert on(axes.get_xticklabels()) == ["1", "100", "10,000"]
    (limit,) = (line for line in axes.lines if line.get_label() == "matrix products alone")
    assert list(limit.get_ydata()) == near([2e11 / 3e7] * 2)
    assert title(axes) == f"Training steps on 2 threads\n{MACHINE}"
    scaling.limits.clear()
    assert len(drawn(pictures.throughput(scaling)).lines) == 2


# ------------------------------------------------------------------------------ operations


@pytest.fixture
def operations() -> Results:
    """Return every operation by two backends: milliseconds 1, 2, 3 … and ten times as many."""
    names = [name for names in pictures.PARTS.values() for name in names]
    labels = [f"{name} {way}" for name in names for way in ("forward", "backward")]
    cells = [
        Cell("operations", label, 100, backend, 1, [factor * number / 1e3])
        for number, label in enumerate(labels, 1)
        for backend, factor in (("numpy", 1), ("torch-eager", 10), ("cuda-eager", 100))
    ]
    return Results(FACTS, dict(LIMITS), cells)


def test_bars_of_the_operations(operations: Results) -> None:
    """The parts' sums in milliseconds, NumPy above PyTorch, and none of a device."""
    axes = drawn(pictures.operations(operations))
    names = on(axes.get_yticklabels())
    assert names[:4] == [
        "conv1, ReLU, pool, forward",
        "conv1, ReLU, pool, backward",
        "conv2, ReLU, pool, forward",
        "conv2, ReLU, pool, backward",
    ]
    assert list(axes.get_yticks()) == list(range(10))
    sums = [1, 2, 3, 4, 5, 6, 7, 8, 9 + 11 + 13 + 15, 10 + 12 + 14 + 16]
    assert names[8:] == ["distance to loss, forward", "distance to loss, backward"]
    for container, factor, offset in zip(axes.containers, (1, 10), (-0.2, 0.2), strict=True):
        assert [bar.get_width() for bar in container] == near([factor * s for s in sums])
        middles = [bar.get_y() + bar.get_height() / 2 for bar in container]
        assert middles == near([place + offset for place in range(10)])
        assert [bar.get_height() for bar in container] == near([0.4] * 10)
    assert axes.yaxis_inverted()


def test_words_of_the_operations(operations: Results) -> None:
    """The legend names colours and hatching; a bar has what NumPy takes over it."""
    axes = drawn(pictures.operations(operations))
    legend = axes.get_legend()
    assert legend is not None
    shown = [
        (text.get_text(), to_hex(handle.get_facecolor()))
        for text, handle in zip(legend.get_texts(), legend.get_patches(), strict=True)
    ]
    assert shown == [("numpy", "#1f6fb4"), ("torch-eager", "#e08a3c")]
    for container, (name, color) in zip(axes.containers, shown, strict=True):
        assert container.get_label() == name
        assert to_hex(container[0].get_facecolor()) == color
        assert {bar.get_hatch() or "" for bar in container} == {pictures.STYLES[name].hatch}
    assert [handle.get_hatch() or "" for handle in legend.get_patches()] == ["", ".."]
    assert [text.get_text() for text in axes.texts] == [" 0.10×"] * 10
    assert [text.xy for text in axes.texts] == [
        (bar.get_width(), near(bar.get_y() + bar.get_height() / 2)) for bar in axes.containers[1]
    ]
    assert axes.get_xlabel().startswith("milliseconds for 100 images")
    assert title(axes) == f"Where the time goes, threads: 1\n{MACHINE}"


def test_the_parts_are_the_network_s() -> None:
    """Every layer is in one part, none in two: a fused one is not also in pieces."""
    assert pictures.PARTS == {
        "conv1, ReLU, pool": ["layer1"],
        "conv2, ReLU, pool": ["layer2"],
        "fc1": ["fc1"],
        "fc2": ["fc2"],
        "distance to loss": ["distance", "head", "sigmoid", "loss"],
    }
    pieces = {"conv1", "relu1", "pool1", "conv2", "pool2"}
    parts = [name for names in pictures.PARTS.values() for name in names]
    assert sorted([*parts, *pieces]) == sorted(LAYERS)


def test_a_part_that_lacks_an_operation_is_not_drawn(operations: Results) -> None:
    """A bar that is a part of the sum would look fast."""
    operations.cells[-2] = replace(operations.cells[-2], samples=[], missing="failed")
    assert pictures.operations(operations) is None


# ------------------------------------------------------------------------------ all


def test_a_busy_machine_is_said_in_the_title(
    steps: Results, scaling: Results, operations: Results
) -> None:
    """Of what is drawn, whichever way it was disturbed."""
    for results, draw in (
        (steps, pictures.step_times),
        (scaling, pictures.throughput),
        (operations, pictures.operations),
    ):
        for disturbed in ({"waited": 0.5}, {"others": 0.5}, {"stolen": 0.5}):
            cells = [replace(results.cells[0], **disturbed), *results.cells[1:]]
            busy = title(drawn(draw(replace(results, cells=cells))))
            assert busy.endswith(f"{MACHINE}\nmeasured while the machine was busy")


@pytest.mark.slow
def test_each_picture_is_written_where_there_is_something_to_draw(
    steps: Results, scaling: Results, operations: Results
) -> None:
    """Each under its own name, as PNG of the size of its figure."""
    everything = replace(steps, cells=[*steps.cells, *scaling.cells, *operations.cells])
    files = pictures.as_png(everything)
    assert list(files) == ["step.png", "throughput.png", "operations.png"]
    for file, content in files.items():
        figure = pictures.PICTURES[file](everything)
        assert figure is not None
        assert content.startswith(b"\x89PNG")
        size = np.frombuffer(content[16:24], ">u4")
        assert size.tolist() == [int(inches * 130) for inches in figure.get_size_inches()]
    assert pictures.as_png(replace(steps, cells=[])) == {}
    assert list(pictures.as_png(replace(operations, cells=operations.cells))) == ["operations.png"]
    assert pictures.PICTURES["step.png"] is pictures.step_times
    assert pictures.PICTURES["throughput.png"] is pictures.throughput
