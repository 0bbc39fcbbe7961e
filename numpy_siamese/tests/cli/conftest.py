"""What tests of `evaluate` share: a finished run of their own, and its command line."""

import shutil

import pytest

from numpy_siamese.tests.support.evaluations import FEW


@pytest.fixture
def run(finished, tmp_path):
    """A copy of a finished run."""
    return shutil.copytree(finished, tmp_path / "run")


@pytest.fixture
def evaluate(run):
    """Return a function from further arguments to a command line."""
    return lambda *more: ["evaluate", str(run), *FEW, *map(str, more)]
