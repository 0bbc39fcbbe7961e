"""Each operation is derived in the math."""

from pathlib import Path

import pytest

from numpy_siamese import functional

DOCS = Path(__file__).parents[3] / "docs"
MATH = "".join(p.read_text("utf-8") for p in sorted(DOCS.glob("math/*.md")))


@pytest.mark.parametrize("name", functional.__all__)
def test_every_operation_that_is_in_the_table_is_derived(name):
    """Broken otherwise: a gradient is to be taken on trust."""
    assert f"`{name}`" in MATH
