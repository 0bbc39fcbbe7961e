"""What tests of the mirror share: torch's way of rounding a·x + y."""

from collections.abc import Iterator

import pytest

from torch_siamese.tests.rounding import as_torch_rounds


@pytest.fixture(autouse=True)
def rounding_of_torch() -> Iterator[None]:
    """Ask for equal bits given the number of roundings."""
    with as_torch_rounds():
        yield
