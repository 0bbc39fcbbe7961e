"""Random data for an argument of a case, from the case's own generator."""

from collections.abc import Callable

import numpy as np

Array = np.ndarray
Draw = Callable[[np.random.Generator, str, tuple[int, ...]], Array]


def floats(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Draw normal numbers of scale 1."""
    return rng.standard_normal(shape)


def integers(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Draw integers −3..3: sums of their products are exact."""
    return rng.integers(-3, 4, shape).astype(np.float64)


def unit_interval(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw numbers in [0, 1]: uniform, the ends themselves, and numbers close to the ends."""
    kind = rng.integers(0, 6, shape)
    near = rng.uniform(1, 2, shape) * 2.0 ** -rng.integers(2, 24, shape)
    values = [rng.uniform(size=shape), np.zeros(shape), np.ones(shape), near, 1 - near]
    return np.choose(np.maximum(kind - 1, 0), values)


def spread_logits(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Draw logits of scale 10, targets in [0, 1], weights below 2."""
    if name == "logits":
        return 10 * rng.standard_normal(shape)
    return unit_interval(rng, shape) if name == "target" else 2 * rng.uniform(size=shape)


def probabilities(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Draw probabilities and targets in [0, 1], weights and cotangents of scale 1."""
    return unit_interval(rng, shape) if name in ("probs", "target") else floats(rng, name, shape)
