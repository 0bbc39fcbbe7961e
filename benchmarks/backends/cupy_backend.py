"""The source of `numpy_siamese` on arrays of CuPy, where it and a device are there."""

from collections.abc import Callable
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np

from benchmarks.backends.base import (
    LR,
    MOMENTUM,
    Array,
    Job,
    NotRun,
    Results,
    loss_and_grads,
    many_images,
)
from benchmarks.backends.numpy_backend import NumpyBackend
from benchmarks.layers import LAYERS
from numpy_siamese.inference import embed_images
from numpy_siamese.optim import SGD
from numpy_siamese.training import loss_and_gradients

ONLY = "only step, embed and operations are written for CuPy"


class CupyBackend(NumpyBackend):
    """A whole batch at once, in float32."""

    device = "cuda"
    leaves_out = MappingProxyType(dict.fromkeys(("learn", "pairs", "epoch"), ONLY))

    @property
    def missing(self) -> str | None:
        """Why it cannot run here."""
        try:
            runtime = _cupy().cuda.runtime
        except ImportError:
            return "CuPy is not installed"
        try:
            found = runtime.getDeviceCount()
        except runtime.CUDARuntimeError:  # no driver
            found = 0
        return None if found else "no CUDA device"

    def synchronize(self) -> None:
        """Wait for the device."""
        _cupy().cuda.Device().synchronize()

    def peak_bytes(self, run: Callable[[], Any]) -> int | None:
        """Return what CuPy's pool has taken from the device during a run: it keeps what it took."""
        pool = _cupy().get_default_memory_pool()
        pool.free_all_blocks()
        run()
        self.synchronize()
        return int(pool.total_bytes())

    def step(self, pairs: int) -> Job:
        """Forward, backward and update."""
        cupy = _cupy()
        left, right, targets = map(cupy.asarray, self._batch(pairs))
        net = self._net().to(cupy.asarray)
        optimizer = SGD(net.parameters(), LR, MOMENTUM)

        def run() -> tuple[float, Results]:
            loss, _, grads = loss_and_gradients(net, left, right, targets, micro_batch=pairs)
            optimizer.step(grads)
            return loss, grads

        def named(output: tuple[float, Results]) -> Results:
            loss, grads = output
            return loss_and_grads((loss, _fetched(grads)))

        return Job(run, named, lambda: _fetched(net.state_dict()))

    def embed(self, count: int) -> Job:
        """Embed images."""
        cupy = _cupy()
        net, images = self._net().to(cupy.asarray), many_images(count)

        def run() -> Array:
            return cupy.asnumpy(embed_images(net, cupy.asarray(images), micro_batch=count))

        return Job(run, lambda found: {"embeddings": found})

    def operation(self, name: str, images: int, direction: str) -> Job:
        """Run one operation."""
        layer = LAYERS[name]
        given = layer.arrays(images).items()
        arrays = {key: _cupy().asarray(array.astype(self.dtype)) for key, array in given}
        function, options = layer.function(), dict(layer.options)
        y, pullback = function(**arrays, **options)
        dy = np.ones_like(y)
        if direction == "forward":
            return Job(
                lambda: function(**arrays, **options), lambda found: _fetched({"y": found[0]})
            )
        return Job(lambda: pullback(dy), _gradients)

    def _left_out(self, *arguments: Any) -> Job:
        raise NotRun(ONLY)

    learn = pairs = epoch = _left_out


def _cupy() -> ModuleType:
    import cupy

    return cupy


def _fetched(arrays: Results) -> Results:
    """Copy arrays to the host."""
    return {name: _cupy().asnumpy(array) for name, array in arrays.items()}


def _gradients(found: tuple[Any, ...]) -> Results:
    given = [gradient for gradient in found if gradient is not None]
    return _fetched({f"gradient {k}": gradient for k, gradient in enumerate(given)})
