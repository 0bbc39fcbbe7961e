"""How the pictures of the tests are drawn."""

import warnings

import pytest

from numpy_siamese.pictures import canvas


@pytest.fixture
def warnings_are_errors():
    """Draw with our settings, and let a warning of matplotlib fail the test."""
    with canvas.own_settings(), warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
