"""What Ctrl-C and a polite kill do to a run: the first ends it well, the second at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
        super().__init__("interrupted" if number == signal.SIGINT else "terminated")
        self.number, self.at_once = number, at_once

    @property
    def status(self) -> int:
        """The exit status by the shells' convention: 130 for SIGINT, 143 for SIGTERM."""
        return 128 + self.number


class Stops:
    """Whom the first signal asks to stop; where there is nobody, it raises `Stopped`."""

    def __init__(self) -> None:
        self.ask: Callable[[int], None] | None = None

    def handle(self, number: int, frame: Any) -> None:
        """Ask, or raise Stopped where nobody can be asked or somebody has been."""
        ask, self.ask = self.ask, None
        if ask is None:
            raise Stopped(number, at_once=True)
        ask(number)


@contextmanager
def handled() -> Iterator[Stops]:
    """Handle SIGINT and SIGTERM within; afterwards they do what they did before.

    Only the main thread can: elsewhere they stay as they are.
    """
    stops = Stops()
    if threading.current_thread() is not threading.main_thread():
        yield stops
        return
    before = {number: signal.signal(number, stops.handle) for number in SIGNALS}
    try:
        yield stops
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
