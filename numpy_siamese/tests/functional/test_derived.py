"""Each operation is derived in the math."""

from pathlib import Path

import pytest

from numpy_siamese import functional

DOCS = Path(__file__).parents[3] / "docs"
TITLES = [page.read_text("utf-8").partition("\n")[0] for page in DOCS.glob("math/*.md")]


@pytest.mark.parametrize("name", functional.__all__)
def test_every_operation_that_is_in_the_table_is_derived(name):
    """Broken otherwise: a gradient is to be taken on trust."""
    assert any(f"`{name}`" in title for title in TITLES)
