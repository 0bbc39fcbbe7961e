"""What signals do to a run: the first ends it well, the next at once."""

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
"""The signals that end a run, and how that is told."""


class Stopped(KeyboardInterrupt):
    """A signal has ended what was under way.

    Parameters
    ----------
    number : int
        The signal's.
    at_once : bool
        Nothing was finished first.
    """

    def __init__(self, number: int = signal.SIGINT, at_once: bool = False) -> None:
        super().__init__(WORDS.get(number, f"ended by signal {number}"))
        self.number, self.at_once = number, at_once

    @property
    def status(self) -> int:
        """The exit status by the shells' convention: 130 for SIGINT, 143 SIGTERM, 129 SIGHUP."""
        return 128 + self.number


class Stops:
    """Whom the first signal asks to stop; where there is nobody, it raises `Stopped`."""

    def __init__(self) -> None:
        self.ask: Callable[[int], None] | None = None
        self._closed, self._late = False, 0

    def handle(self, number: int, frame: Any) -> None:
        """Ask, or raise Stopped where nobody can be asked or somebody has been."""
        if self._closed:
            self._late = number
            return
        ask, self.ask = self.ask, None
        if ask is None:
            raise Stopped(number, at_once=True)
        ask(number)

    def close(self) -> None:
        """Let signals from here on wait until their handlers of before are back."""
        self._closed = True

    def pass_on(self) -> None:
        """Send what has waited to whoever handles it now."""
        if self._late:
            signal.raise_signal(self._late)


@contextmanager
def handled() -> Iterator[Stops]:
    """Handle the signals of `WORDS` within; afterwards they do what they did before.

    A signal that is ignored stays ignored: so do `nohup`, a shell's ``trap ''`` and its background
    jobs protect a process. One whose handler does not come from Python is left to it, as it could
    not be put back. Only the main thread can handle signals: elsewhere they stay as they are.
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
    """Return the handlers that may be replaced, by signal."""
    found = {number: signal.getsignal(number) for number in WORDS}
    return {n: handler for n, handler in found.items() if handler not in (None, signal.SIG_IGN)}
