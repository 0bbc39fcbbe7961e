"""What tests of whole runs share: a server that starts them, and data for them."""

import numpy as np
import pytest

from numpy_siamese import canvas
from numpy_siamese.tests.processes import Server
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
