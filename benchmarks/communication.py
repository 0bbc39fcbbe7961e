r"""What averaging the gradients over K devices costs, on paper.

    python -m benchmarks.communication      # the table of docs/distributed.md

An all-reduce of S bytes takes the shorter of two times. Around a ring, each device sends a K-th of
the gradients to its neighbour, 2(K − 1) times. Up and down a tree, it sends all of them twice, but
only the depth of the tree costs latency:

.. math:: T_{ring} = t_0 + 2(K - 1) t_{step} + \frac{2(K - 1)}{K} \frac{S}{B},
          T_{tree} = t_0 + 2 (d - 1) t_{in} + 2 \log_2(M) t_{between} + 2 \frac{S}{B}

for M nodes of d devices each. B is the slowest link's bandwidth in one direction. Nothing of it is
hidden behind the backward pass, as all gradients fit into one bucket of DistributedDataParallel.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from benchmarks.results_file import load
from numpy_siamese.model import SiameseNet

RESULTS = Path(__file__).parent / "results/nvidia-h200/results.json"
"""The measurement that one device's step is taken from."""

DEVICES_OF_A_NODE = 8

START = 14e-6
"""Assumed: seconds before the first byte (NCCL, src/graph/tuning.cc, LL128)."""


@dataclass(frozen=True)
class Link:
    """A connection between devices.

    Attributes
    ----------
    name : str
    bandwidth : float
        Bytes per second in one direction.
    ring, tree : float
        Seconds of latency of a step of either.
    """

    name: str
    bandwidth: float
    ring: float
    tree: float


NVLINK = Link("NVLink 4", 450e9, 1.9e-6, 1.25e-6)
"""Assumed: within a node (NVIDIA's data sheet of the H200, 900 GB/s in both directions; latencies
of NCCL, src/graph/tuning.cc, LL128)."""

INFINIBAND = Link("InfiniBand NDR", 50e9, 4.0e-6, 8.5e-6)
"""Assumed: between nodes (NVIDIA's data sheet of the ConnectX-7, 400 Gb/s; the same latencies)."""


def gradient_bytes() -> int:
    """Return S, the bytes of all gradients in float32."""
    return sum(4 * value.size for value in SiameseNet(0).parameters().values())


def ring_seconds(size: int, devices: int) -> float:
    """Return the time of an all-reduce around a ring.

    Parameters
    ----------
    size : int
        S, in bytes.
    devices : int
        K. Beyond `DEVICES_OF_A_NODE` they are on several nodes, all full.
    """
    nodes = _nodes(devices)
    between = 2 * (nodes - 1)
    latency = (2 * (devices - 1) - between) * NVLINK.ring + between * INFINIBAND.ring
    return START + latency + 2 * (devices - 1) / devices * size / _bandwidth(nodes)


def tree_seconds(size: int, devices: int) -> float:
    """Return the time of an all-reduce up and down a tree; see `ring_seconds`."""
    nodes = _nodes(devices)
    within = devices // nodes - 1
    latency = 2 * (within * NVLINK.tree + math.log2(nodes) * INFINIBAND.tree)
    return START + latency + 2 * size / _bandwidth(nodes)


def all_reduce_seconds(size: int, devices: int) -> float:
    """Return the shorter of both times, and none for one device."""
    if devices == 1:
        return 0.0
    return min(ring_seconds(size, devices), tree_seconds(size, devices))


def efficiency(step: float, all_reduce: float) -> float:
    """Return the share of K times one device's rate that K devices reach."""
    return step / (step + all_reduce)


def least_batch(share: float, pair: float, all_reduce: float) -> int:
    """Return the pairs for each device from which the efficiency is at least `share`.

    Parameters
    ----------
    share : float
        Below 1.
    pair : float
        Seconds for a pair, where the step is proportional to its pairs.
    all_reduce : float
        Seconds.
    """
    return math.ceil(share / (1 - share) * all_reduce / pair)


def measured_steps() -> dict[int, float]:
    """Return the seconds of a step on one H200, eager and in float32, by its pairs."""
    cells = load(RESULTS).cells
    return {
        cell.size: cell.median
        for cell in cells
        if (cell.workload, cell.backend) == ("scaling", "cuda-eager") and cell.samples
    }


def table() -> str:
    """Return the tables of the document, as Markdown."""
    size, steps = gradient_bytes(), measured_steps()
    largest = max(steps)
    pair = steps[largest] / largest
    costs = {devices: all_reduce_seconds(size, devices) for devices in (8, 64)}
    rows = [
        "| devices | nodes | ring | tree | half of the rate from | 90 % from | 95 % from |",
        "|---|---|---|---|---|---|---|",
    ]
    for devices, cost in costs.items():
        ways = [ring_seconds(size, devices), tree_seconds(size, devices)]
        times = " | ".join(f"{1e6 * seconds:.0f} µs" for seconds in ways)
        least = " | ".join(f"{least_batch(s, pair, cost)} pairs" for s in (0.5, 0.9, 0.95))
        rows.append(f"| {devices} | {_nodes(devices)} | {times} | {least} |")
    rows += [
        "",
        "| pairs for each device | step, eager, measured on one H200 | 8 | 64 "
        "| arithmetic alone | 8 | 64 |",
        "|---|---|---|---|---|---|---|",
    ]
    for pairs in (10, 100, 1000, 10_000):
        cells = [f"{pairs:,}"]
        for step in (steps[pairs], pairs * pair):
            cells.append(f"{1e3 * step:.2f} ms")
            cells += [f"{100 * efficiency(step, cost):.1f} %" for cost in costs.values()]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _nodes(devices: int) -> int:
    return -(-devices // DEVICES_OF_A_NODE)


def _bandwidth(nodes: int) -> float:
    return NVLINK.bandwidth if nodes == 1 else INFINIBAND.bandwidth


if __name__ == "__main__":
    print(table())
