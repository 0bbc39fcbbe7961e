"""Operations for which the host waits for the device."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten

READ_BY_THE_HOST = {
    aten._local_scalar_dense: "item",
    aten.equal: "equal",
    aten.nonzero: "nonzero",
    aten.masked_select: "masked_select",
    aten._unique2: "unique",
    aten.unique_dim: "unique",
    aten.unique_consecutive: "unique_consecutive",
    aten.bincount: "bincount",
}
"""A result's value or shape depends on numbers of the device, so the host has to read them."""

MASKED = {aten.index, aten.index_put, aten.index_put_, aten._index_put_impl_}
"""They count a mask's elements first."""


def tensors_of(*parts: Any) -> list[Tensor]:
    """Return all tensors of nested arguments, in order."""
    found: list[Tensor] = []
    mapped(lambda x: found.append(x) if isinstance(x, Tensor) else None, parts)
    return found


def mapped(change: Callable[[Any], Any], x: Any) -> Any:
    """Return nested arguments with each leaf changed. PyTorch's own function is slow."""
    if type(x) in (list, tuple):
        return type(x)([mapped(change, part) for part in x])
    if type(x) is dict:
        return {name: mapped(change, part) for name, part in x.items()}
    return change(x)


def waits_for(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
    """Return what makes the host wait for the device, None if nothing does.

    Parameters
    ----------
    func : torch._ops.OpOverload
    args, kwargs
        Its arguments.
    """
    packet = func.overloadpacket
    if packet in READ_BY_THE_HOST:
        return READ_BY_THE_HOST[packet]
    if packet in MASKED:
        indices = kwargs.get("indices", args[1] if len(args) > 1 else ())
        if any(x.dtype in (torch.bool, torch.uint8) for x in tensors_of(indices)):
            return "mask"
    if packet is aten.repeat_interleave and kwargs.get("output_size") is None:
        return "repeat_interleave"
    return None


def written(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Tensor]:
    """Return the tensors that an operation writes to."""
    found = []
    for position, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            given = kwargs.get(argument.name)
            if not argument.kwarg_only and position < len(args):
                given = args[position]
            found += tensors_of(given)
    return found
