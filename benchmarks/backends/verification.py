"""That a row of PyTorch is what its name says, seen on a run that is not timed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from benchmarks.agreement import Disagreement

Check = Callable[[str, list[Tensor], list[Tensor]], None]
"""Raises `Disagreement` about a function's name, the tensors it takes and those it gives."""

PRODUCTS = ("conv2d", "linear")


class Watch(TorchFunctionMode):
    """Has checks look at every function of torch that is called within."""

    def __init__(self, *checks: Check) -> None:
        super().__init__()
        self.checks = checks

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        output = function(*args, **kwargs)
        taken, given = list(_tensors((args, kwargs))), list(_tensors(output))
        for check in self.checks:
            check(getattr(function, "__name__", str(function)), taken, given)
        return output


def on_threads(count: int) -> Check:
    """Return the check that functions run on so many threads."""

    def check(name: str, taken: list[Tensor], given: list[Tensor]) -> None:
        if torch.get_num_threads() != count:
            raise Disagreement(f"{name} runs on {torch.get_num_threads()} threads, not {count}")

    return check


def channels_last(name: str, taken: list[Tensor], given: list[Tensor]) -> None:
    """See that images and kernels lie with the channel innermost, coming and going.

    With one channel, or one position, every layout is also this one.
    """
    for tensor in (*taken, *given):
        if tensor.ndim == 4 and not tensor.is_contiguous(memory_format=torch.channels_last):
            shape = tuple(tensor.shape)
            raise Disagreement(f"{name} takes or gives {shape} that is not channels-last")


def activations_channels_last(name: str, taken: list[Tensor], given: list[Tensor]) -> None:
    """See the same of what has several channels: one channel alone, of images, is any layout."""
    several = [[t for t in ts if t.ndim == 4 and t.shape[1] > 1] for ts in (taken, given)]
    channels_last(name, *several)


def in_bfloat16(name: str, taken: list[Tensor], given: list[Tensor]) -> None:
    """See that products are in bfloat16."""
    for tensor in given:
        if name in PRODUCTS and tensor.dtype != torch.bfloat16:
            raise Disagreement(f"{name} gives {tensor.dtype}, not bfloat16")


@contextmanager
def compiled() -> Iterator[None]:
    """See that what runs within was compiled, and whole.

    ``TORCH_COMPILE_DISABLE`` and its like make `torch.compile` return what it was given.
    """
    counters = torch._dynamo.utils.counters
    breaks = sum(counters["graph_break"].values())
    yield
    if not counters["stats"]["unique_graphs"]:
        raise Disagreement("torch.compile compiles nothing (is it disabled in the environment?)")
    if sum(counters["graph_break"].values()) > breaks:
        raise Disagreement(f"torch.compile leaves parts out: {list(counters['graph_break'])[-1]}")


def _tensors(found: Any) -> Iterator[Tensor]:
    """Yield the tensors in nested tuples, lists and dicts."""
    if isinstance(found, Tensor):
        yield found
    elif isinstance(found, dict):
        yield from _tensors(tuple(found.values()))
    elif isinstance(found, (tuple, list)):
        for item in found:
            yield from _tensors(item)
