"""Stand-ins for CUDA's streams and events: who has waited for what."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Clock = dict["Stream", int]
"""How far the work of each stream is known to be done."""


class Streams:
    """The streams of a device.

    Parameters
    ----------
    refuse : callable, optional
        Is called before the host waits. It raises where waiting is not permitted.
    settle : callable, optional
        Is called after the host has waited.

    Attributes
    ----------
    default, current : Stream
    done : dict
        The work of each stream that the host has waited for.
    waits : list of str
        How the host has waited, in order.
    """

    def __init__(
        self,
        refuse: Callable[[str], None] = lambda reason: None,
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        self._refuse, self._settle = refuse, settle
        self.all: list[Stream] = []
        self.default = self.current = self.stream()
        self.done: Clock = {}
        self.waits: list[str] = []

    def stream(self, *args: Any, **kwargs: Any) -> "Stream":
        """Return a new stream."""
        stream = Stream(self)
        self.all.append(stream)
        return stream

    def event(self, *args: Any, **kwargs: Any) -> "Event":
        """Return a new event."""
        return Event(self)

    @contextmanager
    def use(self, stream: "Stream | None") -> Iterator[None]:
        """Send work to a stream."""
        before = self.current
        self.current = stream or before
        try:
            yield
        finally:
            self.current = before

    def advance(self) -> None:
        """Add a piece of work to the current stream."""
        self.current.clock[self.current] = self.current.clock.get(self.current, 0) + 1

    def wait_for(self, reason: str, clock: Clock) -> None:
        """Let the host wait for the work of a clock."""
        self.reach(reason, clock)
        self.waits.append(reason)

    def reach(self, reason: str, clock: Clock) -> None:
        """Let the host know that the work of a clock is done."""
        self._refuse(reason)
        merge(self.done, clock)
        self._settle()

    def wait_for_all(self, reason: str) -> None:
        """Let the host wait for all streams."""
        clock: Clock = {}
        for stream in self.all:
            merge(clock, stream.clock)
        self.wait_for(reason, clock)

    def replacements(self) -> dict[str, Any]:
        """Return what stands for the names of `torch.cuda` that have to do with streams."""
        return {
            "Stream": self.stream,
            "Event": self.event,
            "stream": self.use,
            "current_stream": lambda device=None: self.current,
            "default_stream": lambda device=None: self.default,
            "set_stream": self._set,
            "synchronize": lambda device=None: self.wait_for_all("synchronize"),
        }

    def _set(self, stream: "Stream") -> None:
        self.current = stream


class Stream:
    """Work in order."""

    def __init__(self, streams: Streams) -> None:
        self._streams, self.clock = streams, Clock()

    def synchronize(self) -> None:
        """Let the host wait for the work so far."""
        self._streams.wait_for("stream.synchronize", self.clock)

    def wait_stream(self, other: "Stream") -> None:
        """Do further work only after the other's so far."""
        merge(self.clock, other.clock)

    def wait_event(self, event: "Event") -> None:
        """Do further work only after the event."""
        merge(self.clock, event.clock)

    def record_event(self, event: "Event | None" = None) -> "Event":
        """Return an event after the work so far."""
        event = event or self._streams.event()
        event.record(self)
        return event

    def query(self) -> bool:
        """Whether the host knows that all work is done."""
        return covers(self._streams.done, self.clock)


class Event:
    """A point in a stream."""

    def __init__(self, streams: Streams) -> None:
        self._streams, self.clock = streams, Clock()

    def record(self, stream: Stream | None = None) -> None:
        """Mark the point that a stream has reached."""
        self.clock = dict((stream or self._streams.current).clock)

    def wait(self, stream: Stream | None = None) -> None:
        """Let a stream do further work only after the event."""
        (stream or self._streams.current).wait_event(self)

    def synchronize(self) -> None:
        """Let the host wait for the event."""
        self._streams.wait_for("event.synchronize", self.clock)

    def query(self) -> bool:
        """Whether the host knows that the event has happened."""
        return covers(self._streams.done, self.clock)

    def elapsed_time(self, end: "Event") -> float:
        """Return milliseconds: one for each piece of work, since no device tells the time."""
        return float(sum(end.clock.values()) - sum(self.clock.values()))


def merge(clock: Clock, other: Clock) -> None:
    """Add what another clock knows."""
    for stream, reached in other.items():
        clock[stream] = max(clock.get(stream, 0), reached)


def covers(clock: Clock, other: Clock) -> bool:
    """Whether a clock knows all that another one does."""
    return all(clock.get(stream, 0) >= reached for stream, reached in other.items())
