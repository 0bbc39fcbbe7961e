"""What signals do to a run: the first ends it after its batch, the next at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

WORDS: dict[int, str] = {
    number: word
    for name, word in (
        ("SIGINT", "interrupted"),
        ("SIGTERM", "terminated"),
        ("SIGHUP", "hung up"),  # not on Windows
    )
    if (number := getattr(signal, name, None)) is not None
}
"""The signals that end a run, and the word for each."""


class Stopped(KeyboardInterrupt):
    """A signal has ended the run.

    Parameters
    ----------
    number : int
        The number of the signal.
    at_once : bool
        Whether the run ended without finishing its batch.
    """

    def __init__(self, number: int = signal.SIGINT, at_once: bool = False) -> None:
        super().__init__(WORDS.get(number, f"ended by signal {number}"))
        self.number, self.at_once = number, at_once

    @property
    def status(self) -> int:
        """The exit status by the convention of shells: 130 SIGINT, 143 SIGTERM, 129 SIGHUP."""
        return 128 + self.number


class Stops:
    """The handler of signals: the first calls `ask` if it is set, all others raise `Stopped`."""

    def __init__(self) -> None:
        self.ask: Callable[[int], None] | None = None
        self._closed, self._late = False, 0

    def handle(self, number: int, frame: Any) -> None:
        """Call `ask` once. Raise Stopped if it is not set, or was called before."""
        if self._closed:
            self._late = number
            return
        ask, self.ask = self.ask, None
        if ask is None:
            raise Stopped(number, at_once=True)
        ask(number)

    @contextmanager
    def postponed(self) -> Iterator[None]:
        """Let a first signal wait for the end of what is within, and raise `Stopped` then."""
        waiting: list[int] = []
        self.ask = waiting.append
        try:
            yield
        finally:
            self.ask = None
        if waiting:
            raise Stopped(waiting[0])

    def close(self) -> None:
        """Keep later signals until the earlier handlers are back."""
        self._closed = True

    def pass_on(self) -> None:
        """Raise a signal that was kept, for the handler of now."""
        if self._late:
            signal.raise_signal(self._late)


@contextmanager
def handled() -> Iterator[Stops]:
    """Handle the signals of `WORDS` within; afterwards they do what they did before.

    A signal that is ignored stays ignored. `nohup`, a shell's ``trap ''`` and its background jobs
    protect a process in this way. A handler that does not come from Python stays in force, because
    it could not be put back. Only the main thread can handle signals. In others they stay as they
    are.
    """
    stops = Stops()
    before = _handlers() if threading.current_thread() is threading.main_thread() else {}
    try:
        for number in before:
            signal.signal(number, stops.handle)
        try:
            yield stops
        finally:
            stops.close()
    finally:
        stops.close()  # again, where a signal came in between
        for number, handler in before.items():
            signal.signal(number, handler)
        stops.pass_on()


def _handlers() -> dict[int, Any]:
    """Return the handlers that can be replaced, by signal."""
    found = {number: signal.getsignal(number) for number in WORDS}
    return {n: handler for n, handler in found.items() if handler not in (None, signal.SIG_IGN)}
