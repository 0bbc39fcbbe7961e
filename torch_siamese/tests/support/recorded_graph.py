"""A stand-in for `torch.cuda.CUDAGraph`: it records operations, and replays them for real.

The quickest way is the whole device, whose tensors are on `cuda` and whose copies count:

    with CountingDevice():                    # of `counting_device`
        learner = TorchLearner(TrainConfig(device="cuda", …), images)

A test with tensors of the CPU patches what CUDA's graphs consist of, and nothing else:

    recorded_graph.install(monkeypatch)       # CUDAGraph, graph, Stream, stream, Event, …
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        y = x * 2                             # is recorded; y holds nothing yet, as on CUDA
    x.copy_(other)
    graph.replay()                            # computes y anew, where y lies

While a capture runs, what CUDA refuses is refused: reading a number, a copy from or to memory that
is not pinned, waiting, and capture on the default stream. As on CUDA the capture itself changes no
number: what it wrote is put back, and its results hold garbage until the first replay. A replay
uses the very addresses of the capture. If memory from before the capture has been freed since, it
raises, where CUDA would read what lies there now. Python's numbers are baked in, as on CUDA:
`graph.constants` lists them, so two captures can be compared.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from torch_siamese.tests.support.streams import Streams
from torch_siamese.tests.support.waiting import mapped, tensors_of, waits_for, written

NOT_PERMITTED = "CUDA error: operation not permitted when stream is capturing"


class Address:
    """A tensor that was there before the capture: where it lies, without keeping it alive."""

    def __init__(self, given: Tensor) -> None:
        self._storage = StorageWeakRef(given.untyped_storage())
        self._form = given.storage_offset(), given.size(), given.stride()
        self._dtype = given.dtype

    def tensor(self) -> Tensor:
        """Return the tensor.

        Raises
        ------
        RuntimeError
            Its memory has been freed.
        """
        storage: Any = torch.UntypedStorage._new_with_weak_ptr(self._storage.cdata)
        if storage is None:
            form = tuple(self._form[1]), self._dtype
            raise RuntimeError(f"the graph uses memory that has been freed, of a tensor {form}")
        return torch.empty(0, dtype=self._dtype).set_(storage, *self._form)


@dataclass(frozen=True)
class Operation:
    """One recorded operation: its arguments, and where its new results lie."""

    func: Any
    args: Any
    kwargs: Any
    results: tuple[Tensor | None, ...]

    def arguments(self) -> Any:
        """Return positional and named arguments, with tensors for their addresses."""
        return mapped(
            lambda x: x.tensor() if isinstance(x, Address) else x, (self.args, self.kwargs)
        )

    def numbers(self) -> list[Any]:
        """Return Python's numbers among the arguments."""
        found: list[Any] = []
        mapped(lambda x: found.append(x) if isinstance(x, int | float) else None, self.args)
        mapped(lambda x: found.append(x) if isinstance(x, int | float) else None, self.kwargs)
        return found

    def run(self) -> None:
        """Compute the results anew, in place."""
        args, kwargs = self.arguments()
        found = tensors_of(self.func(*args, **kwargs))
        for place, value in zip(self.results, found, strict=True):
            if place is not None:
                place.copy_(value)


class RecordedGraph:
    """The operations of a capture.

    Parameters
    ----------
    streams : Streams
    on_replay : callable, optional
        Is told of each replay.
    on_cpu : bool
        Whether the tensors of the CPU are those of the device. A device with tensors of its own
        hands operations over by itself.

    Attributes
    ----------
    capturing : RecordedGraph or None
        Of the class: the graph that is being captured.
    """

    capturing: "RecordedGraph | None" = None

    def __init__(
        self,
        streams: Streams,
        on_replay: "Callable[[RecordedGraph], None]" = lambda graph: None,
        on_cpu: bool = True,
    ) -> None:
        self._streams, self._on_replay = streams, on_replay
        self._mode = _OnCPU(self) if on_cpu else None
        self.reset()

    def reset(self) -> None:
        """Forget the capture."""
        self.operations: list[Operation] = []
        self.replays, self._is_captured = 0, False
        self._own: dict[int, torch.UntypedStorage] = {}
        self._before: dict[int, tuple[torch.UntypedStorage, Tensor]] = {}

    @property
    def constants(self) -> list[tuple[str, list[Any]]]:
        """Names of the operations, and Python's numbers among their arguments, baked in."""
        return [(str(o.func), o.numbers()) for o in self.operations]

    def capture_begin(self, pool: Any = None, capture_error_mode: str = "global") -> None:
        """Begin to record, on a stream other than the default one."""
        if self._is_captured:
            raise RuntimeError("the graph holds a capture already, expected reset() first")
        if RecordedGraph.capturing is not None:
            raise RuntimeError("another graph is being captured")
        if self._streams.current is self._streams.default:
            raise RuntimeError("CUDA graphs must be captured on a non-default stream.")
        RecordedGraph.capturing = self
        if self._mode is not None:
            self._mode.__enter__()

    def capture_end(self) -> None:
        """End the recording, and undo what it wrote."""
        RecordedGraph.capturing = None
        if self._mode is not None:
            self._mode.__exit__(None, None, None)
        self._is_captured = True
        with _plainly():
            for storage, content in self._before.values():
                _bytes(storage).copy_(content)
            for storage in self._own.values():
                _bytes(storage).fill_(255)  # NaN of every floating type, -1, 255
        self._before.clear()

    def replay(self) -> None:
        """Run all operations again, on the same memory."""
        if not self._is_captured or RecordedGraph.capturing is not None:
            raise RuntimeError("replay is called without a capture, or within one")
        with _plainly():
            for operation in self.operations:
                operation.run()
            self.replays += 1
            self._on_replay(self)

    def touched(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return the tensors that a replay reads alone, and those that it writes."""
        read: list[Tensor] = []
        changed: list[Tensor] = []
        for operation in self.operations:
            args, kwargs = operation.arguments()
            targets = written(operation.func, args, kwargs)
            read += [x for x in tensors_of(args, kwargs) if not any(x is y for y in targets)]
            changed += [*targets, *tensors_of(operation.results)]
        return read, changed

    def pool(self) -> tuple[int, int]:
        """Return a name of the graph's memory."""
        return (0, id(self))

    def call(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Run an operation, and record it.

        Raises
        ------
        RuntimeError
            The host would wait for its result.
        """
        reason = waits_for(func, args, kwargs)
        if reason is not None:
            raise RuntimeError(f"{NOT_PERMITTED}: {reason}")
        given = {_key(x) for x in tensors_of(args, kwargs)}
        changed = written(func, args, kwargs)
        for tensor in changed:
            self._keep(tensor)
        kept = self._addresses(args), self._addresses(kwargs)
        try:
            out = func(*args, **kwargs)
        except (IndexError, RuntimeError):  # of numbers: those of a capture are nobody's
            out = _unknown(func, args, kwargs)
        results = tuple(None if _key(x) in given else x for x in tensors_of(out))
        self._own |= {_key(x): x.untyped_storage() for x in results if x is not None}
        if changed or any(x is not None for x in results):  # else a view, which needs no work
            self.operations.append(Operation(func, *kept, results))
        return out

    def _keep(self, tensor: Tensor) -> None:
        """Keep what lies where an operation is about to write."""
        key, storage = _key(tensor), tensor.untyped_storage()
        if key not in self._own and key not in self._before:
            self._before[key] = storage, _bytes(storage).clone()

    def _addresses(self, arguments: Any) -> Any:
        def address(x: Any) -> Any:
            return Address(x) if isinstance(x, Tensor) and _key(x) not in self._own else x

        return mapped(address, arguments)


class _OnCPU(TorchDispatchMode):
    """Hand what is computed on the CPU to a graph."""

    def __init__(self, graph: RecordedGraph) -> None:
        super().__init__()
        self._graph = graph

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return self._graph.call(func, args, kwargs or {})


def replacements(
    streams: Streams,
    on_replay: "Callable[[RecordedGraph], None]" = lambda graph: None,
    on_cpu: bool = True,
) -> dict[str, Any]:
    """Return what stands for the names of `torch.cuda` that have to do with graphs."""

    @contextmanager
    def graph(
        cuda_graph: RecordedGraph,
        pool: Any = None,
        stream: Any = None,
        capture_error_mode: str = "global",
    ) -> Iterator[None]:
        streams.wait_for_all("synchronize")
        with streams.use(stream or streams.stream()):
            cuda_graph.capture_begin(pool, capture_error_mode)
            try:
                yield
            finally:
                cuda_graph.capture_end()

    def cuda_graph(keep_graph: bool = False) -> RecordedGraph:
        return RecordedGraph(streams, on_replay, on_cpu)

    return {
        "CUDAGraph": cuda_graph,
        "graph": graph,
        "graph_pool_handle": lambda: (0, 0),
        "is_current_stream_capturing": lambda: RecordedGraph.capturing is not None,
        **streams.replacements(),
    }


def install(monkeypatch: Any, streams: Streams | None = None) -> Streams:
    """Let `torch.cuda` record graphs of tensors of the CPU, for the length of a test.

    Parameters
    ----------
    monkeypatch : pytest.MonkeyPatch
    streams : Streams, optional

    Returns
    -------
    Streams
        Its `waits` are the synchronisations.
    """
    streams = streams or Streams(refuse_in_capture)
    for name, replacement in replacements(streams).items():
        monkeypatch.setattr(torch.cuda, name, replacement)
    return streams


def _unknown(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Return what an operation gives in form, with any numbers.

    Raises
    ------
    RuntimeError
        Shapes or dtypes are refused as well.
    """
    forms = {id(x): x.to("meta") for x in tensors_of(args, kwargs)}
    given = {id(forms[id(x)]): x for x in tensors_of(args, kwargs)}
    formed = mapped(lambda x: forms.get(id(x), x), (args, dict(kwargs)))
    if formed[1].get("device") is not None:
        formed[1]["device"] = torch.device("meta")

    def unknown(x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        return given[id(x)] if id(x) in given else torch.empty_like(x, device="cpu").zero_()

    return mapped(unknown, func(*formed[0], **formed[1]))


def refuse_in_capture(reason: str) -> None:
    """Raise what CUDA raises if the host waits while a graph is being captured."""
    if RecordedGraph.capturing is not None:
        raise RuntimeError(f"{NOT_PERMITTED}: {reason}")


@contextmanager
def _plainly() -> Iterator[None]:
    """Compute on the CPU, whatever modes are in force."""
    with torch.no_grad(), torch._C.DisableTorchFunction(), _disable_current_modes():
        yield


def _bytes(storage: torch.UntypedStorage) -> Tensor:
    return torch.empty(0, dtype=torch.uint8).set_(storage)


def _key(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata
