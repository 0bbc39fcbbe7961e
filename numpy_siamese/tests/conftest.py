"""What tests of whole runs share: a server that starts them, and data for them."""

import sys
import time

import numpy as np
import pytest

from numpy_siamese import canvas
from numpy_siamese.tests.processes import Server
from numpy_siamese.tests.terminal import Terminal
from numpy_siamese.tests.tiny import idx_folder

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
