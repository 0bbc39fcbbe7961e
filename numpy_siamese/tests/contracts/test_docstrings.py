"""The docstrings of all public names say what numpydoc asks for."""

from pathlib import Path

import pytest

import numpy_siamese
from numpy_siamese.tests.support.docstrings import REFERENCE, complaints, unknown_rules
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
        "optim.SGD",
        "optim.optimizer.Optimizer.step",
        "runs.trained_run.TrainedRun.rank",
    ):
        assert f"numpy_siamese.{name}" in names
    assert "numpy_siamese.functional.conv.conv2d" not in names
    assert not any("._" in name or ".tests" in name for name in names)


def test_every_rule_is_chosen_or_left_out_with_a_reason():
    """Otherwise a rule of a newer numpydoc would hold or not hold by accident."""
    assert unknown_rules() == set()


def test_what_people_call_is_there():
    """Otherwise a module that was renamed would need no sections any more."""
    root = Path(numpy_siamese.__file__).parents[1]
    for package, rooms in REFERENCE.items():
        for room in rooms:
            place = root / package / room.replace(".", "/")
            assert place.is_dir() or place.with_suffix(".py").is_file()
