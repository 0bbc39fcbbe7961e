"""Who handles signals: what was ignored stays ignored, and everything is put back."""

import runpy
import signal
import subprocess
import sys
import threading

import pytest

from numpy_siamese.runs import signals
from numpy_siamese.runs.signals import Stopped, handled
from numpy_siamese.tests.commands import status
from numpy_siamese.tests.test_signals import SIGNALS, WORDS, send_in_step
from numpy_siamese.tests.tiny import PATIENCE


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


# In processes


@SIGNALS
def test_an_ignored_signal_does_not_end_a_run(server, begin, tmp_path, number, word):
    """Broken otherwise: nohup, a shell's trap '' and its background jobs do not protect a run."""
    setup = f"import signal; signal.signal({int(number)}, signal.SIG_IGN)\n"
    setup += send_in_step(2, number, number, number)
    assert server.run(*begin("--epochs", 1, "--batches", 3), setup=setup) == (0, "")
    assert (tmp_path / "run" / "model.safetensors").exists()


def test_what_the_parent_ignores_is_ignored(begin):
    """Broken otherwise: the same, where nohup, not Python, has asked for it."""

    def ignore():
        for number in WORDS:
            signal.signal(number, signal.SIG_IGN)

    argv = [*map(str, begin("--epochs", 1, "--batches", 20, "--window", 1))]
    with subprocess.Popen(
        [sys.executable, "-m", "numpy_siamese", *argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=ignore,
    ) as process:
        assert "batch" in process.stdout.readline() + process.stdout.readline()
        for number in WORDS:
            process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, "")


START = """
import os, sys, numpy_siamese, numpy_siamese.cli
for package, name in ((numpy_siamese.cli, "verbs"), (numpy_siamese, "training")):
    sys.modules.pop(f"{{package.__name__}}.{{name}}")
    delattr(package, name)
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Slow())
"""


@SIGNALS
@pytest.mark.parametrize("module", ["numpy_siamese.cli.verbs", "numpy_siamese.training"])
def test_a_signal_while_modules_are_imported_is_one_line(
    server, begin, tmp_path, number, word, module
):
    """Broken otherwise: Ctrl-C in the first second, or as PyTorch is imported, is a traceback."""
    setup = START.format(module=module, number=int(number))
    assert server.run(*begin(), setup=setup) == (128 + number, f"numpy-siamese: {word}\n")
    assert not (tmp_path / "run").exists()


@SIGNALS
@pytest.mark.parametrize("argv", [("--help",), ("train", "--epoch"), ("fetch", "mnsit")])
def test_a_signal_while_the_last_line_is_written_is_no_traceback(server, number, word, argv):
    """Broken otherwise: an impatient user gets a traceback in place of the message."""
    setup = f"""
import os, sys
class Slow:
    def write(self, text):
        os.kill(os.getpid(), {int(number)})
    def flush(self):
        pass
sys.stdout = sys.stderr = Slow()
"""
    assert server.run(*argv, setup=setup) == (128 + number, "")


@SIGNALS
def test_a_third_signal_while_the_first_is_told_is_no_traceback(server, begin, number, word):
    """Broken otherwise: pressing Ctrl-C three times ends in a traceback, or another status."""
    setup = send_in_step(2, number, number)
    setup += f"""
import sys
class Slow:
    def write(self, text):
        os.kill(os.getpid(), {int(number)})
    def flush(self):
        pass
    def isatty(self):
        return False
sys.stderr = Slow()
"""
    assert server.run(*begin("--epochs", 1), setup=setup) == (128 + number, "")


FETCHING = """
import os, pooch
class Slow:
    def __init__(self, **_):
        pass
    def __call__(self, url, file, pooch):
        file.write(b"half")
        os.kill(os.getpid(), {number})
pooch.HTTPDownloader = Slow
"""


@SIGNALS
@pytest.mark.parametrize("existing", [True, False])
def test_a_signal_in_a_download_is_one_line(server, tmp_path, number, word, existing):
    """Broken otherwise: Ctrl-C in a slow download is a traceback, or half a file stays."""
    folder = tmp_path / "new" / "mnist"
    if existing:
        folder.mkdir(parents=True)
    found = server.run("fetch", "mnist", "--out", folder, setup=FETCHING.format(number=int(number)))
    assert found == (128 + number, f"numpy-siamese: {word}\n")
    assert [entry.name for entry in tmp_path.rglob("*")] == (["new", "mnist"] if existing else [])


@SIGNALS
def test_a_signal_in_the_last_results_comes_too_late(server, begin, tmp_path, number, word):
    """Broken otherwise: a run that has done all is told to have been stopped, or lacks a file."""
    setup = f"""
import os
from numpy_siamese.runs.trainer import Trainer
write = Trainer._write_results
def signalled(self, finished):
    os.kill(os.getpid(), {int(number)})
    return write(self, finished)
Trainer._write_results = signalled
"""
    flags = ("--epochs", 1, "--batches", 2)
    assert server.run(*begin(*flags), setup=setup) == (0, "")
    assert '"finished": true' in (tmp_path / "run" / "summary.json").read_text()


@SIGNALS
def test_a_signal_in_the_test_after_an_epoch_finishes_it(server, begin, tmp_path, number, word):
    """Broken otherwise: the test's figures are lost, and judged anew by who goes on."""
    setup = f"""
import os
from numpy_siamese.runs.trainer import Trainer
test = Trainer._test
def signalled(self, epoch):
    os.kill(os.getpid(), {int(number)})
    test(self, epoch)
Trainer._test = signalled
"""
    status, err = server.run(*begin("--epochs", 2, "--batches", 2), setup=setup)
    assert status == 128 + number
    assert err.startswith(f"numpy-siamese: {word}; saved after epoch 1, go on with: ")
    assert (tmp_path / "run" / "test_metrics.csv").read_text().count("\n") == 2


def test_ctrl_c_where_nothing_handles_it_is_one_line(capfd, monkeypatch):
    """Broken otherwise: in a thread, or where a handler was left alone, it is a traceback."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("numpy_siamese.data.download.fetch", interrupted)
    assert status(["fetch", "mnist"]) == 130
    assert capfd.readouterr() == ("", "numpy-siamese: interrupted\n")


def test_the_statuses_are_the_shells():
    """Broken otherwise: a job scheduler takes an end by a signal for a failure, or for success."""
    assert [Stopped(number).status for number in WORDS] == [130, 143, 129]
    assert str(Stopped(signal.SIGUSR1)) == "ended by signal 10"
