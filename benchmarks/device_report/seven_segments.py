"""Synthetic digits, for a machine without any others: seven segments, moved, bent and blurred.

They stand for MNIST where nothing but time is measured. Accuracies on them are not MNIST's.
"""

import numpy as np

Array = np.ndarray

SEGMENTS = {
    0: "abcdef",
    1: "bc",
    2: "abdeg",
    3: "abcdg",
    4: "bcfg",
    5: "acdfg",
    6: "acdefg",
    7: "abc",
    8: "abcdefg",
    9: "abcdfg",
}
"""The segments of each digit: a on top, then clockwise to f, g in the middle."""

LINES = {
    "a": ((6, 9), (6, 18)),
    "b": ((6, 18), (14, 18)),
    "c": ((14, 18), (22, 18)),
    "d": ((22, 9), (22, 18)),
    "e": ((14, 9), (22, 9)),
    "f": ((6, 9), (14, 9)),
    "g": ((14, 9), (14, 18)),
}
"""Row and column of both ends of a segment, in an image of 28 × 28."""

MOVED, SLANT, SCALED, NOISE = 3.0, 0.25, 0.15, 12.0
"""How far digits differ: pixels, slope, share of their size, grey levels."""


def digits(count: int, seed: int) -> tuple[Array, Array]:
    """Draw so many digits of each class.

    Returns
    -------
    images : (10·count, 28, 28) uint8
    labels : (10·count,) int64
    """
    rng = np.random.default_rng(seed)
    labels = np.tile(np.arange(10), count)
    return np.stack([_digit(int(label), rng) for label in labels]), labels


def _digit(label: int, rng: np.random.Generator) -> Array:
    """Return the ink of each pixel: it falls with the distance to the nearest segment."""
    rows, columns = np.mgrid[:28, :28] - 13.5
    down, across = rng.uniform(-MOVED, MOVED, 2)
    scale, slant = 1 + rng.uniform(-SCALED, SCALED), rng.uniform(-SLANT, SLANT)
    rows = (rows - down) / scale + 13.5
    columns = (columns - across) / scale + slant * (rows - 13.5) + 13.5
    distance = np.min([_distance(rows, columns, *LINES[s]) for s in SEGMENTS[label]], axis=0)
    ink = 255 * np.clip(rng.uniform(1.5, 2.5) - distance, 0, 1) + rng.normal(0, NOISE, (28, 28))
    return np.clip(ink, 0, 255).astype(np.uint8)


def _distance(rows: Array, columns: Array, one: tuple[int, int], other: tuple[int, int]) -> Array:
    """Return the distance of pixels to a segment, which is upright or level."""
    down = rows - np.clip(rows, one[0], other[0])
    across = columns - np.clip(columns, one[1], other[1])
    return np.hypot(down, across)
