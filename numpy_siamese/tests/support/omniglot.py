"""A small data set with alphabets, drawers and official runs, without files."""

import numpy as np

from numpy_siamese.data.dataset import Dataset, Split
from numpy_siamese.data.one_shot_images import Drawings, OfficialRun, OneShotImages

DRAWERS = 20


def drawings(
    characters: dict[int, int], size: int = 28, first_label: int = 0, seed: int = 0
) -> Drawings:
    """Return drawings by 20 drawers: of each alphabet as many characters as `characters` says."""
    count = sum(characters.values())
    alphabets = np.repeat([*characters], [*characters.values()])  # of each character
    return Drawings(
        _strokes(count, size, seed),
        np.repeat(np.arange(count) + first_label, DRAWERS),
        np.repeat(alphabets, DRAWERS),
        np.tile(np.arange(1, DRAWERS + 1), count),
    )


def dataset(size: int = 28, runs: int = 2) -> Dataset:
    """Return a data set with the splits of Omniglot, of two alphabets of 20 characters each."""
    background = drawings({0: 4, 1: 3}, size)
    validation = drawings({2: 20, 3: 20}, size, 7, seed=1)
    test = drawings({4: 20, 5: 20}, size, 47, seed=2)
    everything = (background, validation, test)
    owners = {
        int(label): f"Alphabet{alphabet}"
        for part in everything
        for label, alphabet in zip(part.labels, part.alphabets, strict=True)
    }
    names = {label: f"{owner}/character{label + 1:02d}" for label, owner in owners.items()}
    found = tuple(official_run(test, 4 + i % 2, seed=i) for i in range(runs))
    return Dataset(
        "tiny omniglot",
        _by_drawers(background, 1, 12),
        _by_drawers(test, 17, 20),
        names,
        alphabets=owners,
        validation=_by_drawers(validation, 13, 16),
        one_shot=OneShotImages(validation, test, found),
    )


def official_run(of: Drawings, alphabet: int, seed: int = 0) -> OfficialRun:
    """Return a run of 20 characters of an alphabet: items of one drawer among those of another."""
    rng = np.random.default_rng(seed)
    characters = rng.permutation(np.unique(of.labels[of.alphabets == alphabet]))[:DRAWERS]
    answers = rng.permutation(len(characters))
    by, others = rng.permutation(DRAWERS)[:2] + 1
    places = {pair: i for i, pair in enumerate(zip(of.labels, of.drawers, strict=True))}
    training = [places[label, others] for label in characters]
    test = [places[characters[answer], by] for answer in answers]
    return OfficialRun(f"Alphabet{alphabet}", of.images[test], of.images[training], answers)


def _by_drawers(of: Drawings, first: int, last: int) -> Split:
    kept = (of.drawers >= first) & (of.drawers <= last)
    return Split(of.images[kept], of.labels[kept])


def _strokes(characters: int, size: int, seed: int) -> np.ndarray:
    """Return images: of each character a shape of its own, of each drawer with a little noise."""
    rng = np.random.default_rng(seed)
    shapes = rng.random((characters, 1, 7, 7)) < 0.4
    drawn = shapes ^ (rng.random((characters, DRAWERS, 7, 7)) < 0.03)
    scale = size // 7
    ink = drawn.repeat(scale, axis=2).repeat(scale, axis=3)
    return (ink.reshape(-1, size, size) * 255).astype(np.uint8)
