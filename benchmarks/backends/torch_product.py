"""`torch_siamese` itself, in one of its modes, as a run of it trains and embeds."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from benchmarks.agreement import Disagreement
from benchmarks.backends import verification
from benchmarks.backends.base import (
    Backend,
    Job,
    NotRun,
    Results,
    digits,
    draw,
    draw_epoch,
    initial_weights,
    many_images,
)
from benchmarks.backends.torch_operations import operation_job
from benchmarks.cuda_timer import CudaTimer, Flush
from benchmarks.learners import learned, new_learner, torch_config
from benchmarks.plain_learner import PlainLearner
from benchmarks.timing import Timer
from torch_siamese import settings
from torch_siamese.inference import TorchNetwork

UNIT_ROUNDOFF = {"fp32": 2.0**-24, "tf32": 2.0**-11, "bf16": 2.0**-8}

IN_A_CALL, FEWEST, MANY_PAIRS = 40, 2, 40_000
"""Batches of one timed call, of which none is read before the last: as many as make 40,000 pairs,
within these limits."""


class DeviceBackend(Backend):
    """A learner on a device, of which one call learns from many batches.

    Parameters
    ----------
    name : str
    device : 'cuda' or 'cpu'
    """

    device: str

    def __init__(self, name: str, device: str = "cuda") -> None:
        super().__init__(name)
        self.device = device
        self.leaves_out = {"pairs": "the learner draws no pairs; measured in epoch"}

    @property
    def missing(self) -> str | None:
        """Why it cannot run here."""
        return None if self.device == "cpu" or torch.cuda.is_available() else "no CUDA device"

    def enter(self) -> None:
        """Compute in float32 for what is no learner's: its settings are in force while it works."""
        if self.device == "cuda":
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False

    @contextmanager
    def threads(self, count: int) -> Iterator[None]:
        """Use so many threads."""
        with settings.threads(count):
            yield

    def threads_in_force(self) -> int:
        """Return how many threads PyTorch would use now."""
        return torch.get_num_threads()

    def synchronize(self) -> None:
        """Wait for the device."""
        if self.device == "cuda":
            torch.cuda.synchronize()

    def timer(self, workload: str) -> Timer:
        """Return CUDA events; before each single operation the cache is emptied."""
        if self.device == "cpu":
            return super().timer(workload)
        return CudaTimer(torch.cuda, Flush(torch) if workload == "operations" else None)

    def peak_bytes(self, run: Callable[[], Any]) -> int | None:
        """Return the most memory that PyTorch allocates on the device during a run."""
        if self.device != "cuda":
            return None
        torch.cuda.reset_peak_memory_stats()
        run()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated()

    def step(self, pairs: int) -> Job:
        """Learn from many batches in one call; times are of one of them."""
        learner = self.learner(pairs)
        count = batches_in_a_call(pairs)
        drawn = [draw(pairs, k) for k in range(count)]

        def run() -> float:
            return learned(learner, drawn)[-1]

        def once() -> float:
            return learned(learner, drawn[:1])[0]

        def named(loss: float) -> Results:
            # the momentum after a first step, which begins with none, is the gradient
            return {"loss": np.asarray(loss)} | _copied(learner.momentum_state())

        return Job(run, named, lambda: _copied(learner.model_state()), count, once)

    def learn(self, pairs: int) -> Job:
        """Learn from one batch, from indices to its loss."""
        learner, drawn = self.learner(pairs), [draw(pairs)]
        return Job(
            lambda: learned(learner, drawn)[-1], _loss, lambda: _copied(learner.model_state())
        )

    def epoch(self, batches: int) -> Job:
        """Draw so many batches of 100 pairs and learn from them in one call."""
        learner = self.learner(100)
        return Job(
            lambda: learned(learner, draw_epoch(batches))[-1],
            _loss,
            lambda: _copied(learner.model_state()),
        )

    def pairs(self, pairs: int) -> Job:
        """Refuse to draw pairs, which a learner does not."""
        raise NotRun(self.leaves_out["pairs"])

    @abstractmethod
    def learner(self, pairs: int) -> Any:
        """Return a learner with the weights of the beginning, for batches of so many pairs."""


class ProductBackend(DeviceBackend):
    """`torch_siamese` in one mode and precision.

    Parameters
    ----------
    name : str
    mode, precision : of `torch_siamese.config.TrainConfig`
    device : 'cuda' or 'cpu'
    """

    def __init__(self, name: str, mode: str, precision: str = "fp32", device: str = "cuda") -> None:
        super().__init__(name, device)
        self.mode, self.precision = mode, precision
        self.unit_roundoff = UNIT_ROUNDOFF[precision]
        if (mode, precision) != ("eager", "fp32"):
            why = "the same in every mode and precision; measured in cuda-eager"
            self.leaves_out |= dict.fromkeys(("operations", "embed"), why)
        if mode == "compile":
            why = "compiled anew for every batch size; measured in step, learn and epoch"
            self.leaves_out |= {"scaling": why}

    @contextmanager
    def verified(self) -> Iterator[None]:
        """See that what is compiled is, and that products are in bfloat16 where the name says so.

        A replayed graph calls no function. Its first steps, which run as they are, are those seen.
        """
        if self.mode == "compile":
            with verification.compiled():
                yield
        else:
            with verification.Watch(*[verification.in_bfloat16] * (self.precision == "bf16")):
                yield

    def learner(self, pairs: int) -> Any:
        """Return a learner, seen to be in the mode and precision of the name.

        Raises
        ------
        Disagreement
            It says that it is in another.
        """
        config = torch_config(
            self.device,
            mode=self.mode,
            precision=self.precision,
            batch_size=max(pairs, 2),
            threads=torch.get_num_threads(),
        )
        learner: Any = new_learner("torch", config, digits()[0])
        said = learner.environment()
        for name in ("mode", "precision"):
            if said[name] != getattr(self, name):
                raise Disagreement(f"{name} is {said[name]}, not {getattr(self, name)}")
        learner.load_state(initial_weights(), {})
        return learner

    def embed(self, count: int) -> Job:
        """Embed images, from the host and back."""
        config = torch_config(self.device, threads=torch.get_num_threads())
        network, images = TorchNetwork(config, initial_weights()), many_images(count)
        return Job(lambda: network.embed(images), lambda found: {"embeddings": found})

    def operation(self, name: str, images: int, direction: str) -> Job:
        """Run PyTorch's function of one operation."""
        return operation_job(name, images, direction, self.device)


class PlainBackend(DeviceBackend):
    """The plain loop: eager, a host loader for each batch, loss and accuracy read at each step."""

    def __init__(self, name: str, device: str = "cuda") -> None:
        super().__init__(name, device)
        why = "the loop loads each batch from the host; measured in learn, epoch"
        self.leaves_out |= dict.fromkeys(("step", "scaling", "embed", "operations"), why)

    def learner(self, pairs: int) -> Any:
        """Return the loop as a learner."""
        learner = PlainLearner(digits()[0], self.device)
        learner.load_state(initial_weights(), {})
        return learner

    def embed(self, count: int) -> Job:
        """Refuse to embed, which the loop does not."""
        raise NotRun(self.leaves_out["embed"])

    def operation(self, name: str, images: int, direction: str) -> Job:
        """Refuse single operations, which are nobody's loop."""
        raise NotRun(self.leaves_out["operations"])


def batches_in_a_call(pairs: int) -> int:
    """Return from how many batches of so many pairs a timed call learns."""
    return max(FEWEST, min(IN_A_CALL, MANY_PAIRS // pairs))


def _loss(loss: float) -> Results:
    return {"loss": np.asarray(loss)}


def _copied(arrays: Results) -> Results:
    return {name: array.copy() for name, array in arrays.items()}
