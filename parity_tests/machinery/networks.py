"""Networks and batches that the suite shares."""

import numpy as np
import torch

from numpy_siamese.data.dataset import gather
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.model import SiameseNet
from numpy_siamese.optim import SGD
from numpy_siamese.training import loss_and_gradients
from parity_tests.machinery.devices import CPU, Device
from parity_tests.machinery.digits import digits
from torch_siamese.model import SiameseNet as TorchSiameseNet

Array = np.ndarray


def torch_twin(net: SiameseNet, device: Device = CPU) -> TorchSiameseNet:
    """Return the PyTorch network with the same weights, on a device."""
    twin = TorchSiameseNet(net.architecture).to(torch.from_numpy(np.empty(0, net.dtype)).dtype)
    twin.load_state_dict(net.state_dict())
    return twin.to(device.torch_name)


def squashed_exactly(net: SiameseNet) -> None:
    """Give a network that ends in a sigmoid sparse weights, of which every sum is exact.

    The sums before the sigmoid are 0 or far from it, so that it is 0, 1/2 or 1.
    """
    rng = np.random.default_rng(12)
    terms = {"net.fc1": 2, "fc1": np.inf}  # of a sum that are not zero; all of the head's
    for name, parameter in net.parameters().items():
        inputs = parameter[0].size if parameter.ndim > 1 else 8
        share = min(terms.get(name.rsplit(".", 1)[0], 4) / inputs, 1)
        signs = rng.choice(np.array([-1, 1], np.int8), parameter.shape)
        parameter[...] = signs * (rng.random(parameter.shape, np.float32) < share)
        if name.startswith("net.fc1"):
            parameter[...] *= 2048


def draw_batch(N: int, dtype: type, k: int = 0) -> tuple[Array, Array, Array]:
    """Draw pairs of digits: left, right (N, 1, 28, 28) and targets (N, 1)."""
    images, labels = digits()
    left_index, right_index, targets = PairSampler(labels, N, seed=5).batch(0, k)
    left, right = gather(images, left_index, dtype), gather(images, right_index, dtype)
    return left, right, targets.astype(dtype)


def dithered(images: Array, seed: int) -> Array:
    """Add noise below one gray level, so that no two windows of an image are equal."""
    noise = np.random.default_rng(seed).uniform(size=images.shape)
    return (images + noise).astype(images.dtype)


def trained(steps: int, dtype: type) -> SiameseNet:
    """Return a network after some steps on the digits, in float32 and then converted."""
    net = SiameseNet(7, np.float32)
    optimizer = SGD(net.parameters(), lr=0.001, momentum=0.1)
    for k in range(steps):
        optimizer.step(loss_and_gradients(net, *draw_batch(50, np.float32, k))[2])
    converted = SiameseNet(0, dtype)
    converted.load_state_dict({n: value.astype(dtype) for n, value in net.state_dict().items()})
    return converted
