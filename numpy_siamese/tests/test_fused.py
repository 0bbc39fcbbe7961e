"""Inference by conv_relu_pool, and what it does without."""

from typing import Any

import numpy as np
import pytest

from numpy_siamese import model
from numpy_siamese.fused import conv_relu_pool
from numpy_siamese.initialization import manual_seed
from numpy_siamese.model import CNN, SiameseNet


def test_without_a_pullback_values_are_the_same() -> None:
    """Inference leaves out bookkeeping, nothing of the values."""
    rng = np.random.default_rng(0)
    x, weight, bias = (rng.standard_normal(s) for s in ((3, 2, 7, 8), (4, 2, 3, 3), (4,)))
    y, pullback = conv_relu_pool(x, weight, bias)
    alone, nothing = conv_relu_pool(x, weight, bias, needs_pullback=False)
    assert callable(pullback)
    assert nothing is None
    assert np.array_equal(y, alone)

    images = rng.integers(0, 256, (3, 1, 28, 28)).astype(np.float32)
    cnn = CNN(manual_seed(0), np.float32)
    embedding, pullback = cnn(images)
    alone, nothing = cnn(images, needs_pullback=False)
    assert callable(pullback)
    assert nothing is None
    assert np.array_equal(embedding, alone)
    assert np.array_equal(embedding, SiameseNet(0).embed(images))


def test_inference_asks_for_no_bookkeeping(monkeypatch: pytest.MonkeyPatch) -> None:
    """`embed` tells both layers that nobody will ask for a pullback; training tells neither."""
    asked = []

    def recorded(*arguments: Any) -> Any:
        asked.append(arguments[3])
        return conv_relu_pool(*arguments)

    monkeypatch.setattr(model, "conv_relu_pool", recorded)
    images = np.zeros((2, 1, 28, 28), np.float32)
    net = SiameseNet()
    net.embed(images)
    net(images, images)
    assert asked == [False, False, True, True, True, True]
