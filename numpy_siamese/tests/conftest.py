"""What tests of whole runs share: a server that starts them, and data for them."""

import signal
import sys
import time

import numpy as np
import pytest

from numpy_siamese.pictures import canvas
from numpy_siamese.runs import signals
from numpy_siamese.tests.support.commands import SMALL
from numpy_siamese.tests.support.evaluations import tiny_run
from numpy_siamese.tests.support.processes import Server
from numpy_siamese.tests.support.terminal import Terminal
from numpy_siamese.tests.support.tiny import csv_folder, idx_folder, replace_pictures


@pytest.fixture(autouse=True, scope="session")
def signals_of_a_terminal():
    """Let signals be as in a terminal, where the tests run under nohup or in the background."""
    before = {number: signal.getsignal(number) for number in signals.WORDS}
    for number, handler in before.items():
        usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, usual if handler is signal.SIG_IGN else handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


canvas.new_figure(1, 1)  # imports matplotlib, whatever backend a notebook has chosen


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Start runs of numpy-siamese."""
    server = Server("numpy_siamese", tmp_path_factory.mktemp("printed"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def twelve_images(tmp_path_factory):
    """A folder of three classes with four images each."""
    return idx_folder(tmp_path_factory.mktemp("twelve"), [4, 4, 4])


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The folder of a finished run on four classes."""
    return tiny_run(tmp_path_factory.mktemp("finished"))


@pytest.fixture(scope="session")
def held_out(tmp_path_factory):
    """The folder of a finished run that never saw the classes 1 and 3."""
    return tiny_run(tmp_path_factory.mktemp("held"), "--holdout-classes", "1,3")


@pytest.fixture
def begin(twelve_images, tmp_path):
    """Return a function from further flags to the command line of a new run in tmp_path/run."""

    def command(*flags):
        place = ("--data", twelve_images, "--out", tmp_path / "run")
        return ("train", *place, "--batch-size", 4, "--test-pairs", 10, "--threads", 1, *flags)

    return command


@pytest.fixture
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Six random images of three classes."""
    images = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
    return images, np.array([0, 1, 2, 0, 1, 2])


@pytest.fixture
def now(monkeypatch):
    """A clock that a test sets: a list of one number."""
    times = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: times[0])
    return times


@pytest.fixture
def terminal(monkeypatch):
    """Return a function from a number of columns to a terminal in stdout's and stderr's place."""

    def connect(columns):
        terminal = Terminal(columns, monkeypatch)
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setattr(sys, "stderr", terminal)
        return terminal

    return connect


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A folder of three classes with ten images each."""
    return csv_folder(tmp_path_factory.mktemp("digits"), [10, 10, 10])


@pytest.fixture
def train(data, tmp_path):
    """Return a function from further flags to the command line of a small run in tmp_path/run."""

    def command(*flags):
        place = ["--data", str(data), "--out", str(tmp_path / "run")]
        return ["train", *place, *SMALL, *map(str, flags)]

    return command


@pytest.fixture
def no_pictures(monkeypatch):
    """Leave out the drawing, which takes most of a small run's time."""
    replace_pictures(monkeypatch)
