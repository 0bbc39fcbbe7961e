"""What is measured: which work, of which size, on how many threads, by whom."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.backends.base import Backend, Job
from benchmarks.layers import LAYERS, embed_flops, step_flops

EMBEDDED, EPOCH = 10_000, 40
"""Images embedded; batches in an epoch of the 4,000 embedded training digits."""

OPERATION_IMAGES = 100
"""Images that an operation sees: one side of a batch of pairs."""

REFERENCE_SIZE, REFERENCE_BATCHES = 100, 2
"""Results are held against the reference at this size at most, and epochs for so many batches:
float64 costs time and memory, and with every batch the rounding of the earlier ones grows."""


@dataclass(frozen=True)
class Work:
    """One line of the table, before it is known who does it.

    Parameters
    ----------
    workload : str
    label : str
        What exactly, as in tables.
    size : int
        Pairs of a step, images of an embedding or an operation, batches of an epoch.
    prepare : (backend, size) → Job
    flops : additions and multiplications of one run, 0 where they are not what it is about
    images : images that one run looks at
    traffic : bytes that one run cannot but read and write, 0 where they are not known
    most_checked : size up to which results are held against the reference
    """

    workload: str
    label: str
    size: int
    prepare: Callable[[Backend, int], Job]
    flops: float
    images: int
    traffic: float = 0.0
    most_checked: int = REFERENCE_SIZE

    @property
    def checked(self) -> int:
        """The size at which results are held against the reference."""
        return min(self.size, self.most_checked)

    def job(self, backend: Backend, size: int | None = None) -> Job:
        """Prepare the work for a backend.

        Raises
        ------
        NotRun
            If the backend does not do it.
        """
        return self.prepare(backend, self.size if size is None else size)


def operations(sizes: Sequence[int]) -> Iterator[Work]:
    """Yield each operation at the network's shapes, forward and backward."""
    N = OPERATION_IMAGES
    for name, layer in LAYERS.items():
        for direction in ("forward", "backward"):

            def prepare(
                backend: Backend, size: int, name: str = name, direction: str = direction
            ) -> Job:
                return backend.operation(name, size, direction)

            flops, traffic = layer.flops(N, direction), layer.traffic(N, direction)
            yield Work("operations", f"{name} {direction}", N, prepare, flops, N, traffic)


def step(sizes: Sequence[int]) -> Iterator[Work]:
    """Yield the training step of 100 pairs, images and targets in place."""
    yield _step("step", 100)


def scaling(sizes: Sequence[int]) -> Iterator[Work]:
    """Yield the training step for every batch size."""
    for size in sizes:
        yield _step("scaling", size)


def learn(sizes: Sequence[int]) -> Iterator[Work]:
    """Yield the training step from indices to the reported loss."""
    yield Work("learn", "learn 100 pairs", 100, lambda b, n: b.learn(n), step_flops(100), 200)


def embed(sizes: Sequence[int]) -> Iterator[Work]:
    """Yield the embedding of many images, from the host and back."""
    yield Work(
        "embed",
        f"embed {EMBEDDED:,} images",
        EMBEDDED,
        lambda b, n: b.embed(n),
        embed_flops(EMBEDDED),
        EMBEDDED,
    )


def pairs(sizes: Sequence[int]) -> Iterator[Work]:
    """Yield drawing a batch and putting its images in place."""
    yield Work("pairs", "draw 100 pairs", 100, lambda b, n: b.pairs(n), 0.0, 200)


def epoch(sizes: Sequence[int]) -> Iterator[Work]:
    """Yield an epoch of the embedded digits."""
    yield Work(
        "epoch",
        f"epoch of {EPOCH} batches",
        EPOCH,
        lambda b, n: b.epoch(n),
        EPOCH * step_flops(100),
        EPOCH * 200,
        most_checked=REFERENCE_BATCHES,
    )


def _step(workload: str, size: int) -> Work:
    label = f"step of {size:,} pair{'s' if size != 1 else ''}"
    flops = step_flops(size)
    return Work(workload, label, size, lambda b, n: b.step(n), flops, 2 * size)


WORKLOADS: dict[str, Callable[[Sequence[int]], Iterator[Work]]] = {
    "step": step,
    "learn": learn,
    "embed": embed,
    "operations": operations,
    "pairs": pairs,
    "epoch": epoch,
    "scaling": scaling,
}


def counts_of_threads(workload: str, counts: Sequence[int]) -> Sequence[int]:
    """Return on which of the numbers of threads a workload is measured.

    Operations are measured on the first number, by default one thread. On several, OpenBLAS's
    threads go on looking for work for 0.07 s after a product, on cores that the next one needs.
    """
    return {"step": counts, "operations": counts[:1]}.get(workload, counts[-1:])
