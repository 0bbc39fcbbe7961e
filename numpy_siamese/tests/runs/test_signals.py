"""Who handles signals: what was ignored stays ignored, and everything is put back."""

import runpy
import signal
import threading

import pytest

from numpy_siamese.runs import signals
from numpy_siamese.runs.signals import Stopped, handled
from numpy_siamese.tests.support.commands import status
from numpy_siamese.tests.support.signals import SIGNALS, WORDS
from numpy_siamese.tests.support.tiny import PATIENCE


def own_handler(number, frame):
    """Stand for a handler of the user."""


@pytest.fixture(autouse=True)
def as_it_was():
    """Give back the handlers that a test sets."""
    before = {number: signal.getsignal(number) for number in WORDS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


HANDLERS = {
    "default": signal.SIG_DFL,
    "ignored": signal.SIG_IGN,
    "Python's": signal.default_int_handler,
    "own": own_handler,
}


@SIGNALS
@pytest.mark.parametrize("handler", HANDLERS.values(), ids=HANDLERS)
@pytest.mark.parametrize("error", [None, ValueError, Stopped])
def test_handlers_are_put_back_as_they_were(number, word, handler, error):
    """Broken otherwise: after a run in a notebook the first Ctrl-C does nothing, or a process that
    ignored the end of its terminal dies of it.
    """
    signal.signal(number, handler)
    others = {n: signal.getsignal(n) for n in WORDS}
    try:
        with handled() as stops:
            inside = signal.getsignal(number)
            assert inside == (handler if handler is signal.SIG_IGN else stops.handle)
            if error is not None:
                raise error
    except (ValueError, Stopped):
        pass
    assert {n: signal.getsignal(n) for n in WORDS} == others
    assert signal.getsignal(number) is handler


def test_a_handler_that_is_not_pythons_is_left_alone(monkeypatch):
    """Broken otherwise: a program that embeds Python loses its handler, which Python cannot put
    back: it knows of it only that it is not its own (None).
    """
    touched = []
    monkeypatch.setattr(signal, "getsignal", lambda number: None)
    monkeypatch.setattr(signal, "signal", lambda *args: touched.append(args))
    with handled():
        pass
    assert touched == []


def test_without_sighup_the_others_are_handled(monkeypatch):
    """Broken otherwise: nothing works on Windows, which has none."""
    monkeypatch.setattr(signals, "WORDS", {int(signal.SIGINT): "interrupted"})
    with monkeypatch.context() as windows:
        windows.delattr(signal, "SIGHUP")
        words = runpy.run_path(signals.__file__)["WORDS"]
        assert words == {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
    before = signal.getsignal(signal.SIGINT)
    with handled() as stops:
        assert signal.getsignal(signal.SIGINT) == stops.handle
        assert signal.getsignal(signal.SIGHUP) != stops.handle
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_leave_signals_alone():
    """Broken otherwise: a run in a thread fails, as only the main thread can handle signals."""
    before = {number: signal.getsignal(number) for number in WORDS}
    seen = []

    def work():
        with handled() as stops:
            seen.append((stops.ask, {number: signal.getsignal(number) for number in WORDS}))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(PATIENCE)
    assert seen == [(None, before)]


@SIGNALS
def test_a_signal_while_handlers_are_put_back_is_the_old_handlers(number, word, monkeypatch):
    """Broken otherwise: a signal between the run and what follows is lost, or leaves a handler of
    a run that is over.
    """
    found = []
    signal.signal(number, lambda *_: found.append(number))
    before = {n: signal.getsignal(n) for n in WORDS}
    put_back = signal.signal

    def slow(n, handler):
        signal.raise_signal(number)  # at every step
        return put_back(n, handler)

    with handled():
        monkeypatch.setattr(signal, "signal", slow)
    monkeypatch.undo()
    assert {n: signal.getsignal(n) for n in WORDS} == before
    assert found[-1:] == [number]


@SIGNALS
def test_a_signal_while_handlers_are_set_puts_them_back(number, word, monkeypatch):
    """Broken otherwise: a signal in the first moment leaves handlers of a run that never was."""
    before = {n: signal.getsignal(n) for n in WORDS}
    install = signal.signal

    def signalled(n, handler):
        old = install(n, handler)
        if n == number and handler is not before[n]:
            signal.raise_signal(number)
        return old

    monkeypatch.setattr(signal, "signal", signalled)
    with pytest.raises(Stopped, match=word), handled():
        raise AssertionError("it went on")
    monkeypatch.undo()
    assert {n: signal.getsignal(n) for n in WORDS} == before


def postponed(stops, *numbers, error=None):
    """Raise signals and perhaps an error while signals wait; return what was done after them."""
    done = []
    with stops.postponed():
        for number in numbers:
            signal.raise_signal(number)
            done.append(number)
        if error is not None:
            raise error
    return done


@SIGNALS
def test_a_postponed_signal_comes_when_the_block_has_ended(number, word):
    """Broken otherwise: Ctrl-C between two files that belong together leaves one new, one old."""
    with handled() as stops:
        assert postponed(stops) == []
        with pytest.raises(Stopped, match=f"^{word}$") as caught:
            postponed(stops, number)
        assert caught.traceback[-1].name == "postponed"  # of `Stops`, behind the block
        assert caught.value.status == 128 + number
        with pytest.raises(Stopped, match=word):  # as before
            signal.raise_signal(number)


def test_a_second_postponed_signal_comes_at_once():
    """Broken otherwise: a disk that hangs cannot be left."""
    with handled() as stops, pytest.raises(Stopped) as caught:
        postponed(stops, signal.SIGINT, signal.SIGINT)
    assert caught.traceback[-1].name == "handle"
    assert caught.value.at_once


def test_an_error_while_a_signal_waits_is_told():
    """Broken otherwise: of a disk that is full only the Ctrl-C is told."""
    with handled() as stops, pytest.raises(OSError, match="full"):
        postponed(stops, signal.SIGINT, error=OSError("full"))


def test_the_statuses_are_the_shells():
    """Broken otherwise: a job scheduler takes an end by a signal for a failure, or for success."""
    assert [Stopped(number).status for number in WORDS] == [130, 143, 129]
    assert str(Stopped(signal.SIGUSR1)) == "ended by signal 10"


@pytest.mark.usefixtures("no_pictures")
def test_a_run_gives_the_handlers_of_signals_back(train):
    """Broken otherwise: after a run in a notebook the first Ctrl-C does nothing."""
    before = [signal.getsignal(number) for number in WORDS]
    assert status(train("--quiet")) == 0
    assert [signal.getsignal(number) for number in WORDS] == before
