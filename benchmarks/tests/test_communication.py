"""The cost of an all-reduce on paper."""

from pathlib import Path

import pytest

from benchmarks import communication
from benchmarks.communication import (
    INFINIBAND,
    NVLINK,
    START,
    all_reduce_seconds,
    efficiency,
    gradient_bytes,
    least_batch,
    ring_seconds,
    tree_seconds,
)

DOCUMENT = Path(__file__).parents[2] / "docs/distributed.md"


def test_the_gradients_are_those_of_the_network():
    """221,185 parameters of 4 bytes: the 885 kB of the document."""
    layers = 32 * 9 + 32, 64 * 32 * 9 + 64, 120 * 1600 + 120, 84 * 120 + 84, 84 + 1
    assert gradient_bytes() == 4 * sum(layers) == 884_740


def test_a_ring_sends_a_share_to_each_neighbour():
    """Two devices: 2 steps of half of the gradients, so all of them once."""
    assert ring_seconds(900, 2) == pytest.approx(START + 2 * NVLINK.ring + 900 / 450e9)
    assert ring_seconds(0, 8) == pytest.approx(START + 14 * NVLINK.ring)


def test_nodes_are_joined_by_the_slower_link():
    """Sixteen devices on two nodes: 2 of 30 steps go between nodes, at that bandwidth."""
    latency = START + 28 * NVLINK.ring + 2 * INFINIBAND.ring
    assert ring_seconds(1600, 16) == pytest.approx(latency + 30 / 16 * 1600 / 50e9)
    latency = START + 2 * (7 * NVLINK.tree + INFINIBAND.tree)
    assert tree_seconds(1600, 16) == pytest.approx(latency + 2 * 1600 / 50e9)


def test_the_shorter_way_is_taken():
    """Many devices: the tree for few bytes, the ring for many. One device needs neither."""
    assert all_reduce_seconds(10**9, 1) == 0
    assert all_reduce_seconds(1000, 64) == tree_seconds(1000, 64) < ring_seconds(1000, 64)
    assert all_reduce_seconds(10**9, 64) == ring_seconds(10**9, 64) < tree_seconds(10**9, 64)


def test_the_least_batch_reaches_the_share():
    """At it the efficiency is at least the share, with a pair less it is not."""
    for share in (0.5, 0.9, 0.95):
        pairs = least_batch(share, 3e-6, 1e-4)
        assert efficiency(pairs * 3e-6, 1e-4) >= share > efficiency((pairs - 1) * 3e-6, 1e-4)


def test_the_table_stands_in_the_document():
    """A figure that is typed by hand would stay when the model changes."""
    assert communication.table() in DOCUMENT.read_text("utf-8")
