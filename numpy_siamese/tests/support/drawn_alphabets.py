"""Alphabets whose every character each drawer has drawn once, as labels, shuffled."""

from typing import NamedTuple

import numpy as np

Array = np.ndarray


class Columns(NamedTuple):
    """What `draw_trials` takes first: labels, alphabets and drawers, each (n,)."""

    labels: Array
    alphabets: Array
    drawers: Array


def columns(characters: list[int], drawers: list[int], seed: int = 0) -> Columns:
    """Return alphabets 0, 1, … of so many characters and drawers each, in random order."""
    sizes = [count * people for count, people in zip(characters, drawers, strict=True)]
    alphabets = np.repeat(np.arange(len(sizes)), sizes)
    starts = np.cumsum(characters) - characters
    labels = [
        np.repeat(start + np.arange(count), people)
        for start, count, people in zip(starts, characters, drawers, strict=True)
    ]
    who = [np.tile(np.arange(k), count) for count, k in zip(characters, drawers, strict=True)]
    order = np.random.default_rng(seed).permutation(len(alphabets))
    return Columns(np.concatenate(labels)[order], alphabets[order], np.concatenate(who)[order])
