"""The pictures of the results, as PNG."""

from collections.abc import Sequence

from benchmarks.limits import MATRIX_PRODUCT
from benchmarks.results import Cell, Results, gemm_flops
from benchmarks.timing import quartiles
from numpy_siamese import canvas

COLORS = {
    "numpy": "#1f6fb4",
    "torch-eager": "#e08a3c",
    "torch-channels-last": "#c4501b",
    "torch-compile": "#8c2f1b",
    "jax": "#6a8f3c",
}
OTHER = "#5f6368"
LIMIT = "#3c4043"

PARTS = {
    "conv1, ReLU, pool": ["layer1"],
    "conv2, ReLU, pool": ["layer2"],
    "fc1": ["fc1"],
    "fc2": ["fc2"],
    "distance to loss": ["distance", "head", "sigmoid", "loss"],
}
"""What the bars of the operations' picture add up."""


@canvas.own_settings()
def step_times(results: Results) -> bytes | None:
    """Draw the time of a training step by backend, a group for each number of threads."""
    cells = [cell for cell in _measured(results, "step") if cell.backend != MATRIX_PRODUCT]
    if not cells:
        return None
    figure, (axes,) = _figure(8.5, 1.4 + 0.42 * len(cells), 1)
    names = [f"{c.backend}, {c.threads} thread{'s' if c.threads > 1 else ''}" for c in cells]
    places = range(len(cells))
    axes.barh(
        places, [c.median * 1e3 for c in cells], color=[COLORS.get(c.backend, OTHER) for c in cells]
    )
    for place, cell in zip(places, cells, strict=True):
        low, median, high = (value * 1e3 for value in quartiles(cell.samples))
        axes.plot([low, high], [place, place], color="black", linewidth=1.2)
        axes.annotate(f" {median:.3g}", (max(high, median), place), va="center")
    for threads in results.limits:
        rows = [place for place in places if cells[place].threads == threads]
        if rows and cells[rows[0]].flops:
            bound = cells[rows[0]].flops / gemm_flops(results, cells[rows[0]]) * 1e3
            axes.plot([bound, bound], [rows[0] - 0.45, rows[-1] + 0.45], color=LIMIT, linestyle=":")
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel("milliseconds; dotted: the same FLOPs as one matrix product")
    figure.suptitle(f"A training step of {cells[0].size} pairs, float32\n{_machine(results)}")
    return _png(figure)


@canvas.own_settings()
def throughput(results: Results) -> bytes | None:
    """Draw pairs a second against the batch size, with the rate of matrix products as limit."""
    from matplotlib.ticker import LogLocator, NullFormatter

    cells = _measured(results, "scaling")
    if not cells:
        return None
    figure, (axes,) = _figure(7.5, 4.6, 1)
    for backend in dict.fromkeys(cell.backend for cell in cells):
        own = sorted((c for c in cells if c.backend == backend), key=lambda c: c.size)
        sizes, rates = [c.size for c in own], [c.size / c.median for c in own]
        axes.plot(sizes, rates, marker="o", color=COLORS.get(backend, OTHER), label=backend)
    threads = cells[0].threads
    limit = results.limits[threads]["gemm_flops"] / (cells[0].flops / cells[0].size)
    axes.axhline(limit, color=LIMIT, linestyle=":", label="matrix products alone")
    axes.set(xscale="log", yscale="log", xlabel="pairs in a batch", ylabel="pairs a second")
    axes.set_xticks(sorted({cell.size for cell in cells}))
    axes.yaxis.set_major_locator(LogLocator(subs=[1, 2, 5]))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:,.0f}")
        axis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=5)
    figure.suptitle(f"Training steps on {threads} threads\n{_machine(results)}")
    return _png(figure)


@canvas.own_settings()
def operations(results: Results) -> bytes | None:
    """Draw where the time goes: the parts of the network, NumPy beside PyTorch."""
    cells = _measured(results, "operations")
    times = {(cell.label, cell.backend): cell.median for cell in cells}
    backends = [b for b in dict.fromkeys(c.backend for c in cells) if not b.startswith("cuda")]
    parts = {
        f"{words}, {way}": [f"{name} {way}" for name in names]
        for words, names in PARTS.items()
        for way in ("forward", "backward")
    }
    if not cells or any(
        (n, b) not in times for names in parts.values() for n in names for b in backends
    ):
        return None
    figure, (axes,) = _figure(8.5, 1.6 + 0.5 * len(parts), 1)
    height = 0.8 / len(backends)
    for k, backend in enumerate(backends):
        places = [place + (k - (len(backends) - 1) / 2) * height for place in range(len(parts))]
        values = [1e3 * sum(times[name, backend] for name in names) for names in parts.values()]
        axes.barh(places, values, height, color=COLORS.get(backend, OTHER), label=backend)
    axes.set_yticks(range(len(parts)), list(parts))
    axes.invert_yaxis()
    axes.set_xlabel("milliseconds for 100 images, or 100 pairs behind the network")
    axes.grid(alpha=0.3, axis="x")
    axes.legend()
    threads = cells[0].threads
    figure.suptitle(f"Where the time goes, threads: {threads}\n{_machine(results)}")
    return _png(figure)


PICTURES = {"step.png": step_times, "throughput.png": throughput, "operations.png": operations}


def _measured(results: Results, workload: str) -> Sequence[Cell]:
    return [c for c in results.cells if c.workload == workload and not c.missing]


def _machine(results: Results) -> str:
    facts = results.environment
    return f"{facts['processor']}, NumPy {facts['numpy']}, PyTorch {facts['torch']}"


def _figure(width: float, height: float, panels: int):
    figure = canvas.new_figure(130 * width, 130 * height, dpi=130, layout="constrained")
    return figure, [figure.add_subplot(1, panels, k + 1) for k in range(panels)]


def _png(figure) -> bytes:
    return canvas.png(figure)
