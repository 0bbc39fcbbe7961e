"""From a grey image of any size to the pixels that a network reads.

28×28 pixels are made as MNIST's digits were. The ink is cropped, scaled into a box of 20×20 and put
with its centre of mass on pixel 14. Of MNIST's own digits three in four stay as they are, and the
others lose a faint rim.

Images of another size are the whole picture, with its margins, as Omniglot's of 105×105 are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arrays
from numpy_siamese.data.raw_images import IMAGE_SHAPE

Grey = npt.NDArray[np.float32]
Ground = Literal["light", "dark", "mixed"]

GROUNDS = {"light": "a light ground", "dark": "a dark ground", "mixed": "a light or dark ground"}
"""What messages call the grounds."""

SIZE = IMAGE_SHAPE[0]
"""Pixels of a side of MNIST's images."""

BOX = 20
"""Pixels of the longer side of what is shown, within the 28 of an image."""

CENTRE = 14.5
"""Where the centre of mass lies: the middle of pixel 14, which is MNIST's."""

OUTVOTED = 0.1
"""The largest share of images that may have another ground than the set's."""

FAINTEST = 8
"""Levels of 255 by which ink is told from its ground, at least."""

NOISES, LEAST_CUT, MOST_CUT = 3.0, 0.15, 0.3
"""Where a stroke begins: above so many noises of the ground, within these shares of full ink."""


@dataclass(frozen=True)
class Preparation:
    """How the images of a set become what the network reads.

    Attributes
    ----------
    ground : 'light', 'dark' or 'mixed'
        What the images are drawn on. Ink on a light ground is inverted. In a mixed set each image
        is judged by itself.
    size : int
        Pixels of a side of what the network reads. Of 28 the ink is put into MNIST's box. Of others
        the whole picture is scaled, with its aspect kept, and padded to a square.

    Raises
    ------
    ValueError
        Another ground.
    """

    ground: Ground
    size: int = SIZE

    def __post_init__(self) -> None:
        if self.ground not in ("light", "dark", "mixed"):
            raise ValueError(f"ground must be light, dark or mixed, got {self.ground!r}")

    @classmethod
    def of_set(cls, light: Sequence[bool]) -> "Preparation":
        """Decide for a set of images.

        The ground of most images is the set's. If more than a tenth have the other one, it is
        mixed.

        Parameters
        ----------
        light : sequence of bool, at least one
            `has_light_ground` of each image.

        Returns
        -------
        Preparation
        """
        share = sum(light) / len(light)
        if min(share, 1 - share) > OUTVOTED:
            return cls("mixed")
        return cls("light" if share > 0.5 else "dark")

    def __call__(self, grey: Grey) -> npt.NDArray[np.uint8]:
        """Return the image as the network reads it: uint8, ink bright, ground 0.

        Parameters
        ----------
        grey : (H, W) float32
            Levels from 0, black, to 255, white.

        Returns
        -------
        (size, size) uint8
            All 0 if there is no ink on such a ground.

        Raises
        ------
        TypeError, ValueError
            No such image.

        References
        ----------
        LeCun, Cortes & Burges, *The MNIST database of handwritten digits*: the box of 20×20 that
        keeps the aspect, and the centre of mass.
        """
        grey = _checked(grey)
        light = has_light_ground(grey) if self.ground == "mixed" else self.ground == "light"
        ink, stroke = _ink(255 - grey if light else grey)
        if not stroke.any():
            return np.zeros((self.size, self.size), np.uint8)
        if self.size == SIZE:
            return _centred(_scaled(_cropped(ink, stroke), BOX))
        return np.rint(_squared(_scaled(ink, self.size))).astype(np.uint8)


def has_light_ground(grey: Grey) -> bool:
    """Return whether an image shows dark ink on a lighter ground.

    The ground is the median of the border. The ink is on that side of it on which the squared
    departures of all pixels add up to more.

    Parameters
    ----------
    grey : (H, W) float32

    Returns
    -------
    bool
    """
    departure = (grey := _checked(grey)) - np.median(_border(grey))
    squares = departure * np.abs(departure)
    return bool(squares.sum(dtype=np.float64) < 0)


def _checked(grey: Grey) -> Grey:
    grey = _arrays.array("grey", grey)
    if grey.dtype != np.float32:
        raise TypeError(f"grey must be float32, got {grey.dtype}")
    if grey.ndim != 2 or not grey.size:
        raise ValueError(f"grey must be (H, W) of at least one pixel, got {grey.shape}")
    return grey


def _border(grey: Grey) -> Grey:
    return np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])  # (2·W + 2·H,)


def _ink(bright: Grey) -> tuple[Grey, npt.NDArray[np.bool_]]:
    """Return how far ink stands out of its ground, and where it is a stroke.

    Noise of the ground counts as none. A faint rim, such as JPEG leaves around a stroke, is ink but
    no stroke.
    """
    border = _border(bright)
    ground = np.median(border)
    ink = np.maximum(bright - ground, 0)
    full = ink.max()
    if full < FAINTEST:
        return ink, np.zeros(ink.shape, np.bool_)
    noise = min(NOISES * np.quantile(np.abs(border - ground), 0.95), MOST_CUT * full)
    ink[ink < noise] = 0
    return ink, ink >= max(noise, LEAST_CUT * full)


def _cropped(ink: Grey, stroke: npt.NDArray[np.bool_]) -> Grey:
    """Return the ink from the first row and column with a stroke to the last."""
    rows, columns = (np.flatnonzero(stroke.any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _squared(ink: Grey) -> Grey:
    """Return a picture in the middle of the smallest square that holds it."""
    margins = [max(ink.shape) - side for side in ink.shape]
    return np.pad(ink, [(margin // 2, margin - margin // 2) for margin in margins])


def _scaled(ink: Grey, box: int) -> Grey:
    """Return the ink in a square box, its strongest pixel 255. A pixel is the mean of its area.

    A thin stroke fades where it is made smaller. So the strongest is raised last.
    """
    from PIL import Image

    height, width = (max(1, round(side * box / max(ink.shape))) for side in ink.shape)
    picture = Image.fromarray(ink).resize((width, height), Image.Resampling.BOX)
    small = np.asarray(picture)  # (height, width)
    return small * (255 / small.max())


def _centred(ink: Grey) -> npt.NDArray[np.uint8]:
    """Return 28×28 pixels with the centre of mass in the middle, as far as all ink stays inside."""
    starts = []
    for axis, whole in enumerate(IMAGE_SHAPE):
        mass = ink.sum(axis=1 - axis, dtype=np.float64)
        centre = mass @ (np.arange(len(mass)) + 0.5) / mass.sum()
        starts.append(min(max(round(CENTRE - centre), 0), whole - len(mass)))
    top, left = starts
    image = np.zeros(IMAGE_SHAPE, np.uint8)
    image[top : top + ink.shape[0], left : left + ink.shape[1]] = np.rint(ink)
    return image
