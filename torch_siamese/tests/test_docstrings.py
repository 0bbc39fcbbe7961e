"""The docstrings of all public names say what numpydoc asks for."""

import pytest

from numpy_siamese.tests.support.docstrings import complaints
from numpy_siamese.tests.support.public_names import public_modules


@pytest.mark.parametrize("module", public_modules("torch_siamese"))
def test_docstrings_are_complete(module):
    """Otherwise the reference would keep a parameter, a result or a whole function from readers."""
    assert complaints(module) == []
