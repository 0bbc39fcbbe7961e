"""The docstrings of all public names say what numpydoc asks for."""

import pytest

from numpy_siamese.tests.support.docstrings import complaints, unknown_rules
from numpy_siamese.tests.support.public_names import documented, public_modules


@pytest.mark.parametrize("module", public_modules("numpy_siamese"))
def test_docstrings_are_complete(module):
    """Otherwise the reference would keep a parameter, a result or a whole function from readers."""
    assert complaints(module) == []


def test_every_public_name_is_looked_at():
    """Otherwise the test above would pass on nothing."""
    names = documented("numpy_siamese")
    for name in (
        "SiameseNet.embed",
        "data.Dataset",
        "functional.conv2d",
        "optim.SGD.step",
        "runs.trained_run.TrainedRun.rank",
    ):
        assert f"numpy_siamese.{name}" in names
    assert "numpy_siamese.functional.conv.conv2d" not in names
    assert not any("._" in name or ".tests" in name for name in names)


def test_every_rule_is_chosen_or_left_out_with_a_reason():
    """Otherwise a rule of a newer numpydoc would hold or not hold by accident."""
    assert unknown_rules() == set()
