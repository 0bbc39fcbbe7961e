"""Images for one-shot trials: drawings by known drawers, and the official runs."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arrays


@dataclass(frozen=True, eq=False)
class Drawings:
    """Drawings of characters, each with its alphabet and who drew it.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, H, W)
        Ink is bright, 255, on black.
    labels, alphabets, drawers : ndarray of int64, shape (n,)
        The character, the number of its alphabet, and the number of the drawer.

    Raises
    ------
    TypeError, ValueError
        No such images, or not one whole number for each.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    alphabets: npt.NDArray[np.int64]
    drawers: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        _check_images("images", self.images)
        for name in ("labels", "alphabets", "drawers"):
            _check_numbers(name, getattr(self, name), len(self.images))


@dataclass(frozen=True, eq=False)
class OfficialRun:
    """One of Lake's runs: items that one drawer drew, to be found among those of another.

    Attributes
    ----------
    alphabet : str
    test, training : ndarray of uint8, shape (n, H, W)
        One drawing of each character, by either drawer.
    answers : ndarray of int64, shape (n,)
        Which of `training` shows the character of each of `test`, from 0.

    Raises
    ------
    TypeError, ValueError
        No such images, not as many in both, or answers that do not name each of `training` once.
    """

    alphabet: str
    test: npt.NDArray[np.uint8]
    training: npt.NDArray[np.uint8]
    answers: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        for name in ("test", "training"):
            _check_images(name, getattr(self, name))
        if self.test.shape != self.training.shape:
            raise ValueError(
                f"training must be {self.test.shape} as test is, got {self.training.shape}"
            )
        _check_numbers("answers", self.answers, len(self.test))
        if sorted(self.answers.tolist()) != [*range(len(self.test))]:
            raise ValueError(f"answers must be a permutation of 0..{len(self.test) - 1}")


@dataclass(frozen=True, eq=False)
class OneShotImages:
    """What a data set has for one-shot trials.

    Attributes
    ----------
    validation, test : Drawings
        All drawings of the alphabets to validate on, and to test on.
    runs : tuple of OfficialRun
        Empty where they are not at hand.
    """

    validation: Drawings
    test: Drawings
    runs: tuple[OfficialRun, ...] = ()


def _check_images(name: str, images: np.ndarray) -> None:
    images = _arrays.array(name, images)
    if images.dtype != np.uint8:
        raise TypeError(f"{name} must be uint8, got {images.dtype}")
    if images.ndim != 3:
        raise ValueError(f"{name} must be (n, H, W), got {images.shape}")


def _check_numbers(name: str, numbers: np.ndarray, count: int) -> None:
    numbers = _arrays.array(name, numbers)
    if numbers.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, got {numbers.dtype}")
    if numbers.shape != (count,):
        raise ValueError(f"{name} must be ({count},), got {numbers.shape}")
