"""A CUDA device without hardware, which counts copies, waits and launches.

    with CountingDevice() as device:                 # torch.cuda.is_available() is True now
        x = torch.ones(3, device="cuda")             # computes on the CPU, and gives equal bits
        device.reset()
        (x * 2).sum().item()
    device.launches, device.copies, device.waits     # 2, [], ["item"]

The product is not told: `torch.device("cuda")` names this device as long as it is in force, in
threads that begin then as well. `torch.cuda` has its streams, events, graphs and memory.

It is stricter than hardware, which corrupts numbers where this raises:

- Tensors of the CPU among those of the device are refused, but for one number of an elementwise
  operation.
- If the host writes over pinned memory that a copy is still to read, the next wait raises.
- What a copy brings to pinned memory without blocking arrives at the next wait. Before, garbage
  lies there.
- Work on one stream that uses what another one makes has to wait for it.
- A graph's capture needs what `recorded_graph` says. The libraries have to be warm before it.

It cannot show speed, CUDA's kernels, their rounding, or what a driver does.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from torch_siamese.tests.support import simulated_cuda
from torch_siamese.tests.support.copies import TO_DEVICE, TO_HOST, Copy, Pending
from torch_siamese.tests.support.device_memory import DeviceMemory
from torch_siamese.tests.support.device_tensor import CUDA, STAND_IN, DeviceTensor
from torch_siamese.tests.support.recorded_graph import RecordedGraph, refuse_in_capture
from torch_siamese.tests.support.streams import Clock, Streams, covers, merge
from torch_siamese.tests.support.waiting import mapped, tensors_of, waits_for, written

aten = torch.ops.aten

ON_DEVICE = (CUDA.type, STAND_IN.type)

OF_LIBRARIES = {aten.convolution, aten.convolution_backward, aten.mm, aten.addmm, aten.bmm}
"""cuBLAS and cuDNN take memory at their first use, which a capture forbids."""

TAKES_A_NUMBER = {aten.index_put, aten.index_put_, aten._index_put_impl_, aten.fill, aten.fill_}
"""They take one number of the CPU, as elementwise operations do."""


class CountingDevice:
    """A simulated CUDA device.

    Parameters
    ----------
    limit : int, optional
        Bytes of its memory.

    Attributes
    ----------
    copies : list of Copy
        Between host and device, either way.
    waits : list of str
        How the host has waited otherwise.
    launches : int
        Operations that the host has started; one for each replay of a graph.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.memory = DeviceMemory(limit)
        self.streams = Streams(refuse_in_capture, lambda: self._pending.settle())
        self._pending = Pending(self.streams)
        self._uses: WeakKeyDictionary[torch.UntypedStorage, tuple[Clock, Clock]]
        self._uses = WeakKeyDictionary()
        self._warm: set[Any] = set()
        self._in_force = ExitStack()
        self.reset()

    def __enter__(self) -> "CountingDevice":
        self._in_force.enter_context(simulated_cuda.in_force(self))
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._in_force.close()
        if kind is None:
            self.streams.wait_for_all("the end")

    def reset(self) -> None:
        """Count from zero."""
        self.copies: list[Copy] = []
        self.waits = self.streams.waits = []
        self.launches = 0

    def copies_to(self, direction: str) -> list[Copy]:
        """Return the copies of one direction."""
        return [copy for copy in self.copies if copy.direction == direction]

    @property
    def stops(self) -> int:
        """How often the host has waited for the device, copies that block included."""
        return len(self.waits) + sum(copy.blocks for copy in self.copies)

    def run(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Run an operation that PyTorch dispatches."""
        tensors = tensors_of(args, kwargs)
        ours = any(isinstance(x, DeviceTensor) for x in tensors)
        target, packet = kwargs.get("device"), func.overloadpacket
        if packet is aten.is_pinned:
            return not ours and self.memory.is_pinned(tensors[0])
        if packet is aten._pin_memory:
            return self.memory.pin(tensors[0].clone())
        if packet is aten._to_copy:
            return self._converted(func, args[0], dict(kwargs))
        if packet is aten.copy_:
            return self._copied(func, *args, **kwargs)
        if ours or (target is not None and target.type in ON_DEVICE):
            return self._computed(func, args, _on_cpu(kwargs))
        found = func(*args, **_on_cpu(kwargs))
        return self.memory.pin(found) if kwargs.get("pin_memory") else found

    def replayed(self, graph: RecordedGraph) -> None:
        """Count the replay of a graph as one launch."""
        self.launches += 1
        self.streams.advance()
        read, changed = graph.touched()
        self._ordered(read, changed)
        for host in filter(self.memory.is_pinned, read):
            self._pending.reads(host)
        for host in filter(self.memory.is_pinned, changed):
            self._pending.writes(host, host.clone())

    def _computed(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Compute on the device."""
        self._refuse_mixture(func, args, kwargs)
        reason = waits_for(func, args, kwargs)
        if reason is not None:
            self.streams.wait_for(reason, self.streams.current.clock)
        return self._launched(func, args, kwargs)

    def _launched(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Start an operation whose arguments may be of the device."""
        given = {id(x.held): x for x in tensors_of(args, kwargs) if isinstance(x, DeviceTensor)}
        args, kwargs = mapped(_held, (args, kwargs))
        if torch.Tag.inplace_view in func.tags:
            raise NotImplementedError(f"{func}: a shape changed in place is not simulated")
        graph, packet = RecordedGraph.capturing, func.overloadpacket
        if graph is not None and packet in OF_LIBRARIES - self._warm:
            raise RuntimeError(f"{func}: its library is used in a capture for the first time")
        read, changed = tensors_of(args, kwargs), written(func, args, kwargs)
        if graph is None:
            self.streams.advance()
            self._ordered(read, changed)
        out = graph.call(func, args, kwargs) if graph else func(*args, **kwargs)
        self._warm.add(packet)
        inputs = {x.untyped_storage() for x in read}
        made = [x for x in tensors_of(out) if x.untyped_storage() not in inputs]
        for tensor in made:
            self.memory.take(tensor)
        if graph is None and (made or changed):
            self._ordered([], made)
            self.launches += 1

        def wrapped(x: Any) -> Any:
            if not isinstance(x, Tensor):
                return x
            return given[id(x)] if id(x) in given else DeviceTensor(x)

        return mapped(wrapped, out)

    def _converted(self, func: Any, source: Tensor, kwargs: dict[str, Any]) -> Any:
        """Convert a tensor, and take it elsewhere."""
        target, ours = kwargs.pop("device", None), isinstance(source, DeviceTensor)
        pinned, non_blocking = kwargs.pop("pin_memory", None), kwargs.pop("non_blocking", False)
        to_device = ours if target is None else target.type in ON_DEVICE
        if to_device and not ours:
            self._leaving(source, non_blocking)
        if ours and not to_device:
            # PyTorch pins the memory of a copy to the host that does not block
            found = self._launched(func, [source], kwargs).held
            return self._arriving(found, torch.empty_like(found), non_blocking, non_blocking)
        if to_device:
            return self._launched(func, [source], kwargs)
        found = func(source, **kwargs)
        return self.memory.pin(found) if pinned else found

    def _copied(self, func: Any, target: Tensor, source: Tensor, non_blocking: bool = False) -> Any:
        """Copy into a tensor."""
        to_device, ours = isinstance(target, DeviceTensor), isinstance(source, DeviceTensor)
        if to_device and not ours:
            self._leaving(source, non_blocking)
        if ours and not to_device:
            value = self._launched(aten._to_copy.default, [source], {"dtype": target.dtype}).held
            value = value.expand_as(target)
            return self._arriving(value, target, self.memory.is_pinned(target), non_blocking)
        if to_device:
            return self._launched(func, [target, source], {})
        return func(target, source, non_blocking)

    def _leaving(self, source: Tensor, non_blocking: bool) -> None:
        """Note a copy to the device."""
        copy = Copy(TO_DEVICE, source.nbytes, self.memory.is_pinned(source), non_blocking)
        if RecordedGraph.capturing is not None and not copy.pinned:
            refuse_in_capture("a copy from memory that is not pinned")
        self._note(copy)
        if not copy.blocks and RecordedGraph.capturing is None:
            self._pending.reads(source)

    def _arriving(self, value: Tensor, host: Tensor, pinned: bool, non_blocking: bool) -> Tensor:
        """Note a copy to the host, and return it."""
        copy = Copy(TO_HOST, value.nbytes, pinned, non_blocking)
        self._note(copy)
        if pinned:
            self.memory.pin(host)
        if copy.blocks:
            return host.copy_(value)
        if RecordedGraph.capturing is not None:
            RecordedGraph.capturing.call(aten.copy_.default, [host, value], {})
            return host
        self._pending.writes(host, value)
        return host

    def _note(self, copy: Copy) -> None:
        self.copies.append(copy)
        self.streams.advance()
        if copy.blocks:
            self.streams.reach(copy.direction, self.streams.current.clock)

    def _ordered(self, read: Sequence[Tensor], changed: Sequence[Tensor]) -> None:
        """Check that the current stream has waited for the work that its own depends on."""
        stream = self.streams.current
        known = dict(self.streams.done)
        merge(known, stream.clock)
        for tensors, is_written in ((read, False), (changed, True)):
            for storage in {x.untyped_storage() for x in tensors}:
                writes, reads = self._uses.setdefault(storage, ({}, {}))
                if not (covers(known, writes) and (not is_written or covers(known, reads))):
                    raise RuntimeError("a stream uses what another one works on, without waiting")
                (writes if is_written else reads)[stream] = stream.clock[stream]

    def _refuse_mixture(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Refuse tensors of the CPU, as CUDA does."""
        packet = func.overloadpacket
        takes_a_number = torch.Tag.pointwise in func.tags or packet in TAKES_A_NUMBER
        hosts = [x for x in tensors_of(args, kwargs) if not isinstance(x, DeviceTensor)]
        for host in hosts:
            if host.ndim or not takes_a_number or host in written(func, args, kwargs):
                raise RuntimeError(
                    f"{func}: Expected all tensors to be on the same device, but found at least "
                    f"two devices, cuda:0 and cpu! (shape {tuple(host.shape)})"
                )
        if hosts and RecordedGraph.capturing is not None:
            refuse_in_capture("a number of the host's tensor would be baked in")


def _on_cpu(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of an operation with CPU for its device, and no memory to pin."""
    own = {name: value for name, value in kwargs.items() if name != "pin_memory"}
    return own | {"device": torch.device("cpu")} if own.get("device") is not None else own


def _held(x: Any) -> Any:
    return x.held if isinstance(x, DeviceTensor) else x
