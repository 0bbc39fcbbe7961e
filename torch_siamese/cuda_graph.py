"""Steps as CUDA graphs: captured once, and replayed by one launch for many steps."""

from typing import Any

import torch

from torch_siamese.steps import Steps

WARM_UP = 3
"""Steps that run before the capture: they choose algorithms and allocate workspaces."""

MANY = 10
"""Steps of the larger graph. Beyond some, a launch costs nothing that shows."""


class CapturedSteps(Steps):
    """Steps whose work on the device is recorded, and repeated without Python.

    The first steps run as they are, on a stream of their own, and are steps like all others. What
    follows is captured as a graph of one step and a graph of many. A graph reads its batch at the
    place that it counts on the device. So one recording serves for all batches.

    References
    ----------
    "CUDA Graphs" in PyTorch's notes on CUDA semantics.
    """

    _graphs: dict[int, torch.cuda.CUDAGraph] | None = None
    _warm = 0

    def _run(self, count: int) -> None:
        first = min(count, WARM_UP - self._warm)
        if first:
            self._warm_up(first)
            self._warm += first
            count -= first
        if count and self._graphs is None:
            one = self._captured(1)
            self._graphs = {1: one, MANY: self._captured(MANY, one.pool())}
        while count:
            assert self._graphs is not None
            steps = MANY if count >= MANY else 1
            self._graphs[steps].replay()
            count -= steps

    def _warm_up(self, count: int) -> None:
        """Do steps on another stream, as capture needs it of what comes before."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            super()._run(count)
        torch.cuda.current_stream().wait_stream(side)

    def _captured(self, count: int, pool: Any = None) -> torch.cuda.CUDAGraph:
        """Record so many steps. None of them is done.

        Graphs that never run at once may share a pool of memory.
        """
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool):
            super()._run(count)
        return graph
