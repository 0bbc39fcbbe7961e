"""NumPy, with its own threads over micro-batches and BLAS on one thread each."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from benchmarks.backends.base import (
    LR,
    MOMENTUM,
    Array,
    Backend,
    Job,
    NotRun,
    Results,
    batch,
    digits,
    draw,
    initial_weights,
    loss_and_grads,
    many_images,
)
from benchmarks.blas_threads import threadpool_info, threadpool_limits
from benchmarks.layers import LAYERS
from numpy_siamese.data.dataset import gather
from numpy_siamese.inference import embed_images
from numpy_siamese.model import SiameseNet
from numpy_siamese.optim import SGD
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.training import NumpyLearner, loss_and_gradients


class NumpyBackend(Backend):
    """`numpy_siamese`.

    Parameters
    ----------
    name : str
    dtype : numpy.float32, or numpy.float64 for the reference that all results are held against
    """

    def __init__(self, name: str, dtype: type[np.floating] = np.float32) -> None:
        super().__init__(name)
        self.dtype = dtype
        self._threads = 1

    @contextmanager
    def threads(self, count: int) -> Iterator[None]:
        """Use so many threads for micro-batches, and BLAS threads where there are none."""
        with threadpool_limits(count, user_api="blas"):
            found = _blas_threads()
            if found != {count}:
                taken = " or ".join(map(str, sorted(found))) or "an unknown number of"
                raise NotRun(f"BLAS takes {taken} threads, not {count}")
            self._threads = count
            yield

    def threads_in_force(self) -> int:
        """Return how many threads BLAS would use now, the fewest of several."""
        return min(_blas_threads(), default=0)

    def bytes_per_pair(self) -> float:
        """Return the size of two images in float32 and uint8; all else is a micro-batch's."""
        return 2 * 784 * 5

    def step(self, pairs: int) -> Job:
        """Forward, backward and update."""
        left, right, targets = self._batch(pairs)
        net = self._net()
        optimizer = SGD(net.parameters(), LR, MOMENTUM)

        def run() -> tuple[float, Results]:
            loss, _, grads = loss_and_gradients(net, left, right, targets, self._threads)
            optimizer.step(grads)
            return loss, grads

        return Job(run, loss_and_grads, lambda: _copies(net))

    def learn(self, pairs: int) -> Job:
        """From indices to the loss."""
        learner, indices = self._learner(), draw(pairs)
        return Job(
            lambda: learner.learn([indices]),
            lambda output: {"loss": output[0][0]},
            lambda: _copies(learner.net),
        )

    def embed(self, count: int) -> Job:
        """Embed images."""
        net, images = self._net(), many_images(count)

        def run() -> Array:
            return embed_images(net, images, self._threads)

        return Job(run, lambda found: {"embeddings": found})

    def pairs(self, pairs: int) -> Job:
        """Draw a batch and take its images."""
        images, _ = digits()

        def run() -> tuple[Array, Array]:
            left, right, _ = draw(pairs)
            return gather(images, left, self.dtype), gather(images, right, self.dtype)

        return Job(run, lambda found: dict(zip(("left", "right"), found, strict=True)))

    def epoch(self, batches: int) -> Job:
        """Learn so many batches of 100 pairs."""
        learner = self._learner()

        def run() -> float:
            for k in range(batches):
                (loss,), _ = learner.learn([draw(100, k)])
            return loss

        return Job(run, lambda loss: {"loss": np.asarray(loss)}, lambda: _copies(learner.net))

    def operation(self, name: str, images: int, direction: str) -> Job:
        """Run one operation."""
        layer = LAYERS[name]
        arrays = {key: a.astype(self.dtype) for key, a in layer.arrays(images).items()}
        function, options = layer.function(), dict(layer.options)
        y, pullback = function(**arrays, **options)
        dy = np.ones_like(y)

        if direction == "forward":
            return Job(
                lambda: function(**arrays, **options), lambda found: {"y": np.asarray(found[0])}
            )
        return Job(lambda: pullback(dy), _gradients)

    def _batch(self, pairs: int) -> tuple[Array, Array, Array]:
        left, right, targets = batch(pairs)
        innermost = (np.moveaxis(np.moveaxis(x, 0, -1).copy(), -1, 0) for x in (left, right))
        left, right = (x.astype(self.dtype, order="K") for x in innermost)
        return left, right, targets

    def _net(self) -> SiameseNet:
        """Return the network of float32's seed 0, in this dtype: float64 draws other weights."""
        net = SiameseNet(0, self.dtype)
        net.load_state_dict({n: w.astype(self.dtype) for n, w in initial_weights().items()})
        return net

    def _learner(self) -> NumpyLearner:
        config = TrainConfig(threads=self._threads, dtype=np.dtype(self.dtype).name)
        learner = NumpyLearner(config, digits()[0])
        learner.net.load_state_dict(self._net().state_dict())
        return learner


def _gradients(found: tuple[Array | None, ...]) -> Results:
    return {f"gradient {k}": g for k, g in enumerate(g for g in found if g is not None)}


def _copies(net: SiameseNet) -> Results:
    return {name: weight.copy() for name, weight in net.state_dict().items()}


def _blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
