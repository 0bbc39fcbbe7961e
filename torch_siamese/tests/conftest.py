"""What tests of the mirror share: torch's way of rounding a·x + y, and data for whole runs."""

from collections.abc import Iterator

import pytest

from numpy_siamese.tests.conftest import data, finished, held_out, twelve_images
from torch_siamese.tests.rounding import as_torch_rounds

__all__ = ["data", "finished", "held_out", "twelve_images"]


@pytest.fixture(autouse=True)
def rounding_of_torch() -> Iterator[None]:
    """Ask for equal bits given the number of roundings."""
    with as_torch_rounds():
        yield
