"""What tests of the mirror share: torch's way of rounding a·x + y, a device, data for runs."""

from collections.abc import Iterator

import pytest

from numpy_siamese.tests.conftest import data, finished, held_out, no_pictures, twelve_images
from torch_siamese.tests.rounding import as_torch_rounds
from torch_siamese.tests.support.counting_device import CountingDevice

__all__ = ["data", "finished", "held_out", "no_pictures", "twelve_images"]


@pytest.fixture(autouse=True)
def rounding_of_torch() -> Iterator[None]:
    """Ask for equal bits given the number of roundings."""
    with as_torch_rounds():
        yield


@pytest.fixture
def device() -> Iterator[CountingDevice]:
    """Let `cuda` be a device without hardware."""
    with CountingDevice() as device:
        yield device
