"""The paper's network with a few of its maps, and drawings that it reads."""

from dataclasses import replace

import numpy as np

from numpy_siamese import architectures
from numpy_siamese.architectures import KOCH, Architecture, Conv2d, Linear
from numpy_siamese.data import sources
from numpy_siamese.data.dataset import Dataset, Split
from numpy_siamese.runs import finished_run


def narrowed(architecture: Architecture, by: int) -> Architecture:
    """Return the same layers with fewer maps and features."""
    layers = []
    for layer in architecture.layers:
        if isinstance(layer, Conv2d):
            layer = replace(layer, out_channels=layer.out_channels // by)
        elif isinstance(layer, Linear):
            layer = replace(layer, out_features=layer.out_features // by)
        layers.append(layer)
    return replace(architecture, layers=tuple(layers))


NARROW = narrowed(KOCH, 32)


def drawings(count: int, seed: int = 6) -> np.ndarray:
    """Return dots as sparse as strokes: (count, 105, 105) uint8, 0 or 255."""
    rng = np.random.default_rng(seed)
    drawn = rng.random((count, *KOCH.image_shape[1:])) < 0.05
    return 255 * drawn.astype(np.uint8)


def dataset() -> Dataset:
    """Return 3 classes of 8 drawings to train and to test."""
    labels = np.repeat(np.arange(3), 8)
    return Dataset("drawings", Split(drawings(24, 1), labels), Split(drawings(24, 2), labels))


def use_narrow(monkeypatch) -> None:
    """Let `--model koch` be narrow, and every `--data` be drawings."""
    monkeypatch.setitem(architectures.ARCHITECTURES, "koch", NARROW)
    for module in (sources, finished_run):
        monkeypatch.setattr(module, "load", lambda *_, **__: dataset())
