"""Fixtures for the tests of Omniglot: a small one in the place of the official one."""

import pytest

from numpy_siamese.tests.support import omniglot_files


@pytest.fixture
def small(tmp_path, monkeypatch):
    """The folder of a small Omniglot, which is the official one; the cache is beside it."""
    omniglot_files.use(monkeypatch, tmp_path / "cache")
    return omniglot_files.write(tmp_path / "data")
