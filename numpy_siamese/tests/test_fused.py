"""How conv_relu_pool takes images apart by even and odd rows and columns."""

from typing import Any

import numpy as np
import pytest

from numpy_siamese import model
from numpy_siamese.fused import PHASES, _join, _read, _split, conv_relu_pool
from numpy_siamese.initialization import manual_seed
from numpy_siamese.model import CNN, SiameseNet


@pytest.mark.parametrize(("H", "W"), [(4, 6), (5, 6), (4, 7), (5, 7), (1, 1)])
def test_split_holds_every_pixel_once(H: int, W: int) -> None:
    """Even and odd rows and columns stand apart, in arrays no larger than they need."""
    xt = np.arange(2.0 * H * W * 3).reshape(2, H, W, 3)
    parts = _split(xt)
    assert parts.shape == (2, 2, 2, -(-H // 2), -(-W // 2), 3)
    for a, b in PHASES:
        own = xt[:, a::2, b::2]
        assert np.array_equal(parts[a, b, :, : own.shape[1], : own.shape[2]], own)
    assert np.array_equal(_join(parts, H, W), xt)


@pytest.mark.parametrize(("u", "v"), [(0, 0), (1, 2), (3, 1)])
def test_read_is_every_second_pixel(u: int, v: int) -> None:
    """Row u and column v of every window, of windows two apart."""
    xt = np.arange(7.0 * 8).reshape(1, 7, 8, 1)
    assert np.array_equal(_read(_split(xt), u, v, 2, 3), xt[:, u : u + 4 : 2, v : v + 6 : 2])


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
