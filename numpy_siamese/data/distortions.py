"""Random affine distortions of images, as Koch, Zemel & Salakhutdinov 2015 learn from.

An image's distortion is a pure function of (seed, split, epoch, k), its side of the batch and its
place there. Maps are drawn with nothing but sums, products and quotients, which every machine
rounds alike. Pixels are computed in whole numbers. So both packages and all machines see the same
bits.
"""

import numpy as np

from numpy_siamese import _arguments
from numpy_siamese.data.dataset import checked_images
from numpy_siamese.data.pairs import SPLITS, checked_split

Array = np.ndarray

DEGREES, SHEAR, SCALE = 10.0, 0.3, 0.2
"""The limits of a rotation, of each shear, and of what each side's factor differs from 1."""

TRANSLATION = 2 / 105
"""The limit of a translation along each axis, as a share of the image's side."""

PROBABILITY = 0.5
"""That each of the seven parts takes part."""

MOST_STRENGTH = 2.0
"""Up to here no shear folds an image."""

STREAM = 2
"""Word 0 of the counter where a side begins, in units of 2³²; before it come pairs and classes."""

SIDES = ("left", "right")

PARTS = 7
BITS = 16
"""Of a map's numbers after the point; positions are taken to 1/256 of a pixel."""

BLOCK = 2**16
"""Pixels at a time: their positions fit the cache of a core."""


class Distortions:
    """Distort the images of a batch.

    A point (x, y) about the centre of the image moves to T R H S (x, y):

        S  scales the axes by 1 + 0.2·u₁ and 1 + 0.2·u₂
        H  shears by 0.3·u₃ and 0.3·u₄:  (x + 0.3·u₃·y, y + 0.3·u₄·x)
        R  rotates by 10°·u₅
        T  moves by 2/105 of the side, times u₆ and u₇

    Each u is uniform in [−1, 1], and with probability ½ it is 0. `strength` multiplies all limits.
    What comes from outside is black.

    Parameters
    ----------
    seed : int
        Taken modulo 2¹²⁸.
    strength : float, from 0 to 2
        1 is the paper's.
    split : 'train', 'validation' or 'test'

    Raises
    ------
    TypeError, ValueError
        No such numbers, or an unknown split.

    References
    ----------
    Koch, Zemel & Salakhutdinov 2015, *Siamese neural networks for one-shot image recognition*,
    §3.2.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((1, 28, 28), np.uint8)
    >>> image[0, 10:18, 13:15] = 255
    >>> distorted = Distortions(seed=0)(image, epoch=0, k=0, side="left")
    >>> distorted.shape, distorted.dtype
    ((1, 28, 28), dtype('uint8'))
    """

    def __init__(self, seed: int, strength: float = 1.0, split: str = "train") -> None:
        self.seed = _arguments.integer("seed", seed)
        self.strength = _arguments.finite("strength", strength)
        if not 0 <= self.strength <= MOST_STRENGTH:
            raise ValueError(f"strength must be from 0 to {MOST_STRENGTH:g}, got {strength}")
        self.split = checked_split(split)

    def __call__(self, images: Array, epoch: int, k: int, side: str) -> Array:
        """Distort one side of batch k of an epoch.

        Parameters
        ----------
        images : (N, H, W) uint8
        epoch, k : int
            Counted from 0 and below 2⁶³.
        side : 'left' or 'right'

        Returns
        -------
        (N, H, W) uint8
        """
        images = checked_images(images)
        matrices, shifts = self.maps(len(images), epoch, k, side)
        return resampled(images, matrices, shifts * images.shape[1:])

    def maps(self, count: int, epoch: int, k: int, side: str) -> tuple[Array, Array]:
        """Draw where each pixel of a distorted image comes from.

        Parameters
        ----------
        count : int
            Images of the side. More of them begin with the same maps.
        epoch, k, side
            As of a call.

        Returns
        -------
        matrices : (count, 2, 2) float64
            The inverse of R H S, for positions (row, column) about the centre.
        shifts : (count, 2) float64
            Added to them, as a share of the image's height and width: the inverse of T.
        """
        epoch, k = _arguments.count("epoch", epoch, 0), _arguments.count("k", k, 0)
        if side not in SIDES:
            raise ValueError(f"side must be left or right, got {side!r}")
        counter = [(STREAM + SIDES.index(side)) << 32, k, epoch, SPLITS.index(self.split)]
        stream = np.random.Philox(key=self.seed % 2**128, counter=counter)
        drawn = np.random.Generator(stream).random((count, 2 * PARTS)).T
        u = np.where(drawn[PARTS:] < PROBABILITY, self.strength * (2 * drawn[:PARTS] - 1), 0)
        scale_x, scale_y = 1 + SCALE * u[0], 1 + SCALE * u[1]
        shear_x, shear_y = SHEAR * u[2], SHEAR * u[3]
        cos, sin = _rotation(u[4])
        down, across = TRANSLATION * u[5], TRANSLATION * u[6]
        # R H S = [[a, b], [c, d]] in (x, y); its inverse takes (row, column) = (y, x)
        a, b = (cos - sin * shear_y) * scale_x, (cos * shear_x - sin) * scale_y
        c, d = (sin + cos * shear_y) * scale_x, (sin * shear_x + cos) * scale_y
        matrices = np.array([[a, -c], [-b, d]]) / (a * d - b * c)
        matrices = np.moveaxis(matrices, -1, 0)
        moved = np.stack([down, across], axis=-1)
        shifts = -(matrices[..., 0] * moved[:, :1] + matrices[..., 1] * moved[:, 1:])
        return np.ascontiguousarray(matrices), shifts


def _rotation(u: Array) -> tuple[Array, Array]:
    """Return cos and sin of 10°·u.

    With t = tan(θ/2) they are (1 − t²)/(1 + t²) and 2t/(1 + t²): a rotation for any t. The series
    of the tangent is off by less than 10⁻⁸ at 20°. NumPy's own cos and sin may differ in the last
    bit from one processor to another.
    """
    h = u * (DEGREES * np.pi / 360)
    h2 = h * h
    t = h * (1 + h2 * (1 / 3 + h2 * (2 / 15 + h2 * (17 / 315))))
    return (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)


def resampled(images: Array, matrices: Array, shifts: Array) -> Array:
    """Take each pixel from where a map says, between four pixels.

    The pixel at p about the centre is what the image has at M p + s, by bilinear interpolation,
    rounded to nearest. M and s are taken to 2⁻¹⁶, and positions to 2⁻⁸ of a pixel.

    Parameters
    ----------
    images : (N, H, W) uint8
        H and W below 2¹¹.
    matrices : (N, 2, 2)
        M, of positions (row, column), each number between −8 and 8.
    shifts : (N, 2)
        s, in pixels.

    Returns
    -------
    (N, H, W) uint8
        Black outside.
    """
    images = checked_images(images)
    found = np.empty_like(images)
    step = max(1, BLOCK // max(1, images[0].size)) if len(images) else 1
    for start in range(0, len(images), step):
        part = slice(start, start + step)
        found[part] = _resampled(images[part], matrices[part], shifts[part])
    return found


def _resampled(images: Array, matrices: Array, shifts: Array) -> Array:
    N, H, W = images.shape
    padded = np.zeros((N, H + 3, W + 3), np.uint8)  # a frame, which what is outside falls on
    padded[:, 1:-2, 1:-2] = images
    row, row_share = _positions(matrices[:, 0], shifts[:, 0], H, W, H)
    column, column_share = _positions(matrices[:, 1], shifts[:, 1], H, W, W)
    first = np.arange(N, dtype=np.int64)[:, None, None] * padded[0].size
    place = (row * np.int32(W + 3) + column) + first
    flat = padded.ravel()
    above = _between(flat, place, column_share)
    place += W + 3
    below = _between(flat, place, column_share)
    below -= above
    below *= row_share
    above <<= 8
    above += below
    above += 1 << 15
    above >>= 16
    return above.astype(np.uint8)


def _positions(rows: Array, shift: Array, H: int, W: int, side: int) -> tuple[Array, Array]:
    """Return where pixels come from along one axis: the framed pixel before it, and 256ths."""
    one = 1 << BITS
    fixed = np.rint(rows * one).astype(np.int32)
    down, across = (np.arange(1 - n, n, 2, dtype=np.int32) for n in (H, W))  # in half pixels
    moved = np.rint(shift * one).astype(np.int32)[:, None, None] * 2
    twice = (fixed[:, 0, None] * down)[:, :, None] + (fixed[:, 1, None] * across)[:, None, :]
    twice += moved + (side + 1) * one + (one >> 8)  # half a 256th more, to round
    np.clip(twice, 0, 2 * (side + 1) * one, out=twice)
    twice >>= BITS + 1 - 8
    return twice >> 8, twice & 255


def _between(flat: Array, place: Array, share: Array) -> Array:
    """Return 256 times what lies between the pixels at `place` and after it."""
    one = flat.take(place, mode="clip").astype(np.int32)
    other = flat.take(place + 1, mode="clip").astype(np.int32)
    other -= one
    other *= share
    one <<= 8
    one += other
    return one
