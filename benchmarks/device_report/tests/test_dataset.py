"""The digits of a report: MNIST's where they are, synthetic ones where not."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.device_report import dataset, seven_segments
from benchmarks.device_report.dataset import SYNTHETIC, digits
from numpy_siamese.errors import InputError


@pytest.fixture(autouse=True)
def _read_anew() -> None:
    digits.cache_clear()


def test_the_embedded_digits_come_first() -> None:
    """They are installed here."""
    assert digits(None).name == digits("mnist-5k").name == "mnist-5k"


def test_without_them_digits_are_synthetic(monkeypatch: pytest.MonkeyPatch) -> None:
    """And said to be. As many of each class as embedded."""

    def absent(name: str) -> None:
        raise InputError(f"{name}: no")

    monkeypatch.setattr(dataset, "load", absent)
    found = digits(None)
    assert found.name == SYNTHETIC
    assert (len(found.train.labels), len(found.test.labels)) == (4000, 1000)
    assert np.bincount(found.train.labels).tolist() == [400] * 10
    assert not np.array_equal(found.train.images[:1000], found.test.images)
    again = digits(SYNTHETIC)
    assert np.array_equal(again.test.images, found.test.images)


def test_a_name_is_not_replaced(tmp_path: Path) -> None:
    """Whoever asks for data of their own gets them or an error."""
    with pytest.raises(InputError):
        digits(str(tmp_path / "nothing"))
    with pytest.raises(InputError):
        digits(str(tmp_path))


def test_a_folder_is_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks run in processes with another folder; a name stays a name."""
    monkeypatch.chdir(tmp_path)
    assert dataset.from_anywhere("mine") == str(tmp_path / "mine")
    for name in ("mnist-5k", "mnist", SYNTHETIC):
        assert dataset.from_anywhere(name) == name


def test_segments_make_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Upright and in place, the nearest mean tells all ten apart; one has nothing on the left."""
    moved, _ = seven_segments.digits(30, seed=3)
    for name in ("MOVED", "SLANT", "SCALED", "NOISE"):
        monkeypatch.setattr(seven_segments, name, 0.0)
    images, labels = seven_segments.digits(30, seed=3)
    assert images.dtype == np.uint8
    assert images.shape == moved.shape == (300, 28, 28)
    mean = np.stack([images[labels == k].mean(axis=0) for k in range(10)])
    assert mean[8, 14, 10:18].min() > 200
    assert mean[0, 14, 12:16].max() == mean[1, :, :15].max() == 0
    apart = np.linalg.norm((images[:, None] - mean).reshape(300, 10, -1), axis=2)
    assert (apart.argmin(axis=1) == labels).mean() > 0.95  # they still differ in width
    shifts = np.linalg.norm((moved[:, None] - mean).reshape(300, 10, -1), axis=2)
    assert (shifts.min(axis=1) > apart.min(axis=1)).all()
