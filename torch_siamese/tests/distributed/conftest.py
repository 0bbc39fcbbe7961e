"""Data and a server for the tests of several ranks."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from numpy_siamese.tests.support.processes import Server
from numpy_siamese.tests.support.tiny import idx_folder
from torch_siamese.tests.distributed.ranks import server_of_ranks

SMALL = (
    *("--epochs", 2, "--batches", 6, "--batch-size", 12, "--test-pairs", 10, "--window", 5),
    *("--momentum", 0.9, "--checkpoint-every", 2, "--keep-checkpoints", "--threads", 1),
)
"""Flags of a run of 12 batches."""


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start processes that have imported all that they need."""
    with server_of_ranks(tmp_path_factory.mktemp("ranks")) as found:
        yield found


@pytest.fixture(scope="package")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three classes with ten images each."""
    folder = tmp_path_factory.mktemp("digits")
    return idx_folder(folder, [10, 10, 10])


@pytest.fixture
def flags(digits: Path) -> Callable[..., list[str]]:
    """Return a function from further flags to those of a small run."""

    def of(*further: Any) -> list[str]:
        return ["train", "--data", str(digits), *map(str, SMALL), *map(str, further)]

    return of
