"""The digits that a report trains on."""

import os
from functools import cache

from benchmarks.device_report import seven_segments
from numpy_siamese.data.dataset import Dataset, Split
from numpy_siamese.data.sources import load, named
from numpy_siamese.errors import InputError

SYNTHETIC = "synthetic digits (seven segments)"

OF_A_CLASS = 400, 100
"""Synthetic digits to train on and to test on."""


@cache
def digits(name: str | None) -> Dataset:
    """Return a data set by its name or folder.

    Without a name it is mnist-5k, and where that is not installed, synthetic digits.

    Raises
    ------
    InputError
        As `numpy_siamese.data.sources.load`, for a name.
    """
    if name not in (None, SYNTHETIC):
        return load(name)
    try:
        if name is None:
            return load("mnist-5k")
    except InputError:
        pass
    train, test = (
        Split(*seven_segments.digits(count, seed)) for seed, count in enumerate(OF_A_CLASS)
    )
    return Dataset(SYNTHETIC, train, test)


def from_anywhere(name: str) -> str:
    """Return a data set's name, or its folder as a process elsewhere finds it."""
    return name if name in (*named(), SYNTHETIC) else os.path.abspath(name)
