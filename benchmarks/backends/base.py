"""What every backend offers, and the work that all of them are given."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from benchmarks.timing import Timer, WallTimer
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.data.sources import load
from numpy_siamese.model import SiameseNet

Array = np.ndarray
Results = dict[str, Array]

LR, MOMENTUM = 0.001, 0.1
"""Of the recipe."""


class NotRun(Exception):  # noqa: N818 - a verdict, not an error
    """Why a backend cannot do a piece of work here."""


@dataclass(frozen=True)
class Job:
    """A piece of work, ready to be timed, and what it computes, so that it can be checked.

    Parameters
    ----------
    run : () → output
        Does the work once; work given to a device need not be finished when it returns.
    named : output → arrays by name
        What the run has computed.
    weights : () → arrays by name
        What runs change, as it is now: copies; nothing where they change nothing.
    count : int
        How often one timed run does the work; times are of doing it once.
    once : () → output
        Does the work once, to be checked, where a run does it more often.
    """

    run: Callable[[], Any]
    named: Callable[[Any], Results]
    weights: Callable[[], Results] = dict
    count: int = 1
    once: Callable[[], Any] | None = None


class Backend(ABC):
    """One way to run the network.

    Parameters
    ----------
    name : str
        As on the command line and in the tables.
    """

    device = "cpu"
    unit_roundoff = 2.0**-24
    leaves_out: Mapping[str, str] = MappingProxyType({})
    """Workloads that it does not do, each with the reason."""
    most_pairs = math.inf
    """Pairs of a training step that is worth waiting for."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def missing(self) -> str | None:
        """Why it cannot run here, None if it can."""
        return None

    @contextmanager
    def threads(self, count: int) -> Iterator[None]:
        """Use so many threads on the CPU, verified.

        Raises
        ------
        NotRun
            If it cannot.
        """
        yield

    def threads_in_force(self) -> int:
        """Return how many threads it would use now."""
        return 1

    def enter(self) -> None:
        """Set what must be in force whenever this backend runs."""
        return

    @contextmanager
    def verified(self) -> Iterator[None]:
        """See that what runs within is what the backend's name says; it may be slow meanwhile.

        Raises
        ------
        Disagreement
            If it is something else.
        """
        yield

    def synchronize(self) -> None:
        """Wait until the device has done all it was given; the CPU has when a call returns."""
        return

    def timer(self, workload: str) -> Timer:
        """Return what takes the time of a workload."""
        return WallTimer()

    def bytes_per_pair(self) -> float:
        """Return about how much memory a training step takes for each pair of its batch."""
        return 0.0

    def peak_bytes(self, run: Callable[[], Any]) -> int | None:
        """Return the most memory that a run takes on the device, None for the host."""
        return None

    @abstractmethod
    def step(self, pairs: int) -> Job:
        """Forward, backward and update; images and targets are where the network is."""

    @abstractmethod
    def learn(self, pairs: int) -> Job:
        """From indices of images: take the images, forward, backward, update, report the loss."""

    @abstractmethod
    def embed(self, count: int) -> Job:
        """Embed so many uint8 images, from the host and back."""

    @abstractmethod
    def pairs(self, pairs: int) -> Job:
        """Draw a batch of pairs and put its images where the network is."""

    @abstractmethod
    def epoch(self, batches: int) -> Job:
        """Draw and learn so many batches of 100 pairs."""

    @abstractmethod
    def operation(self, name: str, images: int, direction: str) -> Job:
        """Run one operation of `layers.LAYERS`, 'forward' or 'backward'."""


@cache
def digits() -> tuple[Array, Array]:
    """Return the embedded training digits: images (4000, 28, 28) uint8, labels (4000,)."""
    images, labels = load("mnist-5k").train
    return images, labels


@cache
def initial_weights() -> dict[str, Array]:
    """Return the float32 weights of seed 0, from which every backend begins; not to be changed.

    PyTorch's own of that seed differ in their last bits where it rounds twice, without AVX2.
    """
    return SiameseNet(0).state_dict()


@cache
def _sampler(pairs: int) -> PairSampler:
    return PairSampler(digits()[1], pairs, seed=0)


def draw(pairs: int, k: int = 0) -> tuple[Array, Array, Array]:
    """Draw batch k of the pairs that every backend learns from: left, right, targets (N, 1)."""
    left, right, targets = _sampler(max(pairs, 2)).batch(0, k)  # the fewest that can be balanced
    return left[:pairs], right[:pairs], targets[:pairs]


def draw_epoch(batches: int) -> list[tuple[Array, Array, Array]]:
    """Draw the first batches of 100 pairs at once, as a run does: those that `draw` gives."""
    return _sampler(100).batches(0, range(batches))


def batch(pairs: int) -> tuple[Array, Array, Array]:
    """Return a first batch: left, right (N, 1, 28, 28) float32, targets (N, 1)."""
    images, _ = digits()
    left, right, targets = draw(pairs)
    return images[left, None].astype(np.float32), images[right, None].astype(np.float32), targets


def loss_and_grads(output: tuple[Any, Mapping[str, Any]]) -> Results:
    """Name what a step returns: its loss and the gradients by the names of their weights."""
    loss, grads = output
    return {"loss": np.asarray(loss)} | {name: np.asarray(grad) for name, grad in grads.items()}


def many_images(count: int) -> Array:
    """Return so many digits, repeating them if need be: (count, 28, 28) uint8."""
    return np.resize(digits()[0], (count, 28, 28))
