"""The pictures of the results, as PNG."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.limits import MATRIX_PRODUCT
from benchmarks.results import Cell, Results, gemm_flops
from benchmarks.timing import quartiles
from numpy_siamese.pictures import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TUNED = "torch-tuned"


class Style(NamedTuple):
    """How a backend is drawn: told apart by its bars' hatching and its line's marker alone."""

    color: str
    hatch: str
    marker: str
    line: Any = "-"


STYLES = {
    "numpy": Style("#1f6fb4", "", "o"),
    TUNED: Style("#f2c14e", "//", "s", "--"),
    "torch-eager": Style("#e08a3c", "..", "^", "-."),
    "torch-channels-last": Style("#c4501b", "xx", "v", (0, (5, 1, 1, 1, 1, 1))),
    "torch-compile": Style("#8c2f1b", "--", "D", (0, (1, 1))),
    "cuda-plain": Style("#9aa0a6", "\\\\\\", "d", ":"),
    "cuda-eager": Style("#4f9a94", "\\\\", "<", "--"),
    "cuda-tuned": Style("#3b5a9a", "..o", "p", "-."),
    "cuda-compile": Style("#a04a7a", "||", "X", (0, (1, 1))),
    "cuda-graph": Style("#b8902e", "**", "*", (0, (3, 1))),
    "cuda-graph-tf32": Style("#2a7f7f", "++", ">", "-."),
    "cuda-graph-bf16": Style("#7b5ea7", "oo", "P", (0, (5, 1, 1, 1, 1, 1))),
    "jax": Style("#6a8f3c", "OO", "h", (0, (3, 3))),
    "cuda-cupy": Style("#5b3f8c", "xo", "8", (0, (2, 2))),
}
OTHER = Style("#5f6368", "", ".")
LIMIT, EDGE = "#3c4043", "#202124"

RATIO = "×: NumPy's time over this"
"""What stands at a bar."""

PARTS = {
    "conv1, ReLU, pool": ["layer1"],
    "conv2, ReLU, pool": ["layer2"],
    "fc1": ["fc1"],
    "fc2": ["fc2"],
    "distance to loss": ["distance", "head", "sigmoid", "loss"],
}
"""What the bars of the operations' picture add up."""


@canvas.own_settings()
def step_times(results: Results) -> "Figure | None":
    """Draw the time of a training step by backend, a group for each number of threads.

    A GPU's times are drawn once, below the others, beside NumPy's on the fewest threads.
    """
    found = [cell for cell in _measured(results, "step") if cell.backend != MATRIX_PRODUCT]
    if not found:
        return None
    fewest = min(cell.threads for cell in found)
    on_cpu = [cell for cell in found if not _on_gpu(cell)]
    cells = [*on_cpu, *(c for c in found if _on_gpu(c) and c.threads == fewest)]
    figure, (axes,) = _figure(8.5, 1.4 + 0.42 * len(cells), 1)
    names = [
        c.backend
        if _on_gpu(c)
        else f"{c.backend}, {c.threads} thread{'s' if c.threads > 1 else ''}"
        for c in cells
    ]
    places = range(len(cells))
    styles = [STYLES.get(c.backend, OTHER) for c in cells]
    axes.barh(
        places,
        [c.median * 1e3 for c in cells],
        color=[style.color for style in styles],
        hatch=[style.hatch for style in styles],
        edgecolor=EDGE,
    )
    numpy_takes = {c.threads: c.median for c in cells if c.backend == "numpy"}
    for place, cell in zip(places, cells, strict=True):
        low, median, high = (value * 1e3 for value in quartiles(cell.samples))
        axes.plot([low, high], [place, place], color="black", linewidth=1.2)
        number = f"{median:.3g}" if median < 999.5 else f"{median:,.0f}"
        ratio = _ratio(numpy_takes.get(cell.threads), cell)
        axes.annotate(f" {number}{ratio}", (max(high, median), place), va="center")
    for threads in dict.fromkeys(cell.threads for cell in on_cpu):
        rows = [place for place, cell in enumerate(on_cpu) if cell.threads == threads]
        rate = gemm_flops(results, on_cpu[rows[0]])
        if rate:
            bound = on_cpu[rows[0]].flops / rate * 1e3
            axes.plot([bound, bound], [rows[0] - 0.45, rows[-1] + 0.45], color=LIMIT, linestyle=":")
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.margins(x=0.2, y=0.02)
    axes.set_xlabel(f"milliseconds, {RATIO}; dotted: the same FLOPs as one matrix product")
    figure.suptitle(_title(f"A training step of {cells[0].size} pairs, float32", results, cells))
    return figure


@canvas.own_settings()
def throughput(results: Results) -> "Figure | None":
    """Draw pairs a second against the batch size, with the rate of matrix products as limit."""
    cells = _measured(results, "scaling")
    if not cells:
        return None
    figure, (axes,) = _figure(8.5, 5.2, 1)
    for backend in dict.fromkeys(cell.backend for cell in cells):
        own = sorted((c for c in cells if c.backend == backend), key=lambda c: c.size)
        sizes, rates = [c.size for c in own], [c.size / c.median for c in own]
        color, _, marker, line = STYLES.get(backend, OTHER)
        axes.plot(sizes, rates, color=color, marker=marker, linestyle=line, label=backend)
    threads = cells[0].threads
    times = {(cell.backend, cell.size): cell.median for cell in cells}
    for size in sorted({cell.size for cell in cells}):
        ours, tuned = (times.get((name, size)) for name in ("numpy", TUNED))
        if ours and tuned:
            place = size, size / min(ours, tuned)
            label = f"{ours / tuned:.2f}×"
            axes.annotate(label, place, (0, 8), textcoords="offset points", ha="center")
    rate = gemm_flops(results, cells[0])
    if rate:
        limit = rate / (cells[0].flops / cells[0].size)
        axes.axhline(limit, color=LIMIT, linestyle=":", label="matrix products alone")
    axes.set(xscale="log", yscale="log", ylabel="pairs a second")
    axes.set_xlabel(f"pairs in a batch; numbers: NumPy's time over that of {TUNED}")
    axes.margins(y=0.1)
    axes.set_xticks(sorted({cell.size for cell in cells}))
    write_whole_numbers(axes)
    figure.legend(loc="outside lower center", ncols=4)
    figure.suptitle(_title(f"Training steps on {threads} threads", results, cells))
    return figure


@canvas.own_settings()
def operations(results: Results) -> "Figure | None":
    """Draw where the time goes: the parts of the network, NumPy beside PyTorch."""
    cells = _measured(results, "operations")
    times = {(cell.label, cell.backend): cell.median for cell in cells}
    cells = [cell for cell in cells if not _on_gpu(cell)]
    backends = list(dict.fromkeys(cell.backend for cell in cells))
    parts = {
        f"{words}, {way}": [f"{name} {way}" for name in names]
        for words, names in PARTS.items()
        for way in ("forward", "backward")
    }
    if not cells or any(
        (n, b) not in times for names in parts.values() for n in names for b in backends
    ):
        return None
    figure, (axes,) = _figure(8.5, 1.6 + 0.16 * len(parts) * len(backends), 1)
    height, sums = 0.8 / len(backends), {}
    for k, backend in enumerate(backends):
        places = [place + (k - (len(backends) - 1) / 2) * height for place in range(len(parts))]
        values = [1e3 * sum(times[name, backend] for name in names) for names in parts.values()]
        color, hatch, _, _ = STYLES.get(backend, OTHER)
        axes.barh(places, values, height, color=color, hatch=hatch, edgecolor=EDGE, label=backend)
        sums[backend] = values
        for place, value, ours in zip(places, values, sums["numpy"], strict=True):
            if backend != "numpy":
                axes.annotate(f" {ours / value:.2f}×", (value, place), va="center", fontsize=7)
    axes.set_yticks(range(len(parts)), list(parts))
    axes.invert_yaxis()
    axes.set_xlabel(f"milliseconds for 100 images, or 100 pairs behind the network; {RATIO}")
    axes.margins(x=0.08, y=0.02)
    axes.grid(alpha=0.3, axis="x")
    axes.legend()
    threads = cells[0].threads
    figure.suptitle(_title(f"Where the time goes, threads: {threads}", results, cells))
    return figure


PICTURES = {"step.png": step_times, "throughput.png": throughput, "operations.png": operations}


@canvas.own_settings()
def as_png(results: Results) -> dict[str, bytes]:
    """Return the pictures for which there is something to draw, by the name of their file."""
    figures = {file: draw(results) for file, draw in PICTURES.items()}
    return {file: _png(figure) for file, figure in figures.items() if figure is not None}


def write_whole_numbers(axes: "Axes") -> None:
    """Let logarithmic axes have whole numbers at their ticks, and a grid."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.yaxis.set_major_locator(LogLocator(subs=[1, 2, 5]))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:,.0f}")
        axis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.3)


def _measured(results: Results, workload: str) -> Sequence[Cell]:
    return [c for c in results.cells if c.workload == workload and not c.missing]


def _on_gpu(cell: Cell) -> bool:
    return cell.backend.startswith("cuda")


def _ratio(ours: float | None, cell: Cell) -> str:
    """Return what NumPy takes over this backend's time, in the words of a label."""
    if ours is None or cell.backend == "numpy":
        return ""
    return f", {ours / cell.median:.2f}×"


def _title(what: str, results: Results, cells: Sequence[Cell]) -> str:
    """Return what is drawn, on what and when, and that the machine was busy if it was."""
    facts = results.environment
    gpu = f"\n{facts['CUDA'].split(',')[0]}" if any(map(_on_gpu, cells)) else ""
    machine = (
        f"{facts['processor']}, {facts['BLAS']}{gpu}, PyTorch {facts['torch']}, {facts['date']}"
    )
    busy = any(cell.disturbed for cell in cells)
    return "\n".join([what, machine, *(["measured while the machine was busy"] if busy else [])])


def _figure(width: float, height: float, panels: int):
    figure = canvas.new_figure(130 * width, 130 * height, dpi=130, layout="constrained")
    return figure, [figure.add_subplot(1, panels, k + 1) for k in range(panels)]


def _png(figure) -> bytes:
    return canvas.png(figure)
