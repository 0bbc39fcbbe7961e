"""Learners of `modern` that neither package has, as `ingredients.py` measures them."""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from numpy_siamese.architectures import ARCHITECTURES
from numpy_siamese.inference import embed_images
from numpy_siamese.rates import Schedule
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.learner import Pairs
from numpy_siamese.training import NumpyLearner
from torch_siamese.all_pairs import AllPairs, contrast
from torch_siamese.initialization import initialize

Array = np.ndarray


DECAY = 0.999
"""How much of an average of weights stays after a step, at most."""


class AveragingLearner(NumpyLearner):
    """A learner that is judged by an average of its weights over the steps.

    Of the average stays min(`DECAY`, t/(9 + t)) at step t, so that a young one soon forgets the
    initial weights.

    Parameters
    ----------
    config : TrainConfig
    images : (n, 28, 28) uint8
    """

    def __init__(self, config: TrainConfig, images: Array) -> None:
        super().__init__(config, images)
        self.average = copy.deepcopy(self.net)

    def learn(self, batches: Sequence[Pairs]) -> tuple[Array, Array]:
        """Learn, and let the average follow."""
        found = super().learn(batches)
        stays = min(DECAY, self.batches_done / (9 + self.batches_done))
        for value, mean in zip(
            self.net.parameters().values(), self.average.parameters().values(), strict=True
        ):
            mean += np.float32(1 - stays) * (value - mean)
        return found

    def embed(self, images: Array) -> Array:
        """Return embeddings by the average."""
        return embed_images(self.average, images, self.threads)

    def head(self) -> tuple[Array, Array]:
        """Return weight and bias of the average's head."""
        weights = self.average.parameters()
        return weights["fc1.weight"], weights["fc1.bias"]


class NormalizedLearner:
    """A network of PyTorch whose convolutions are normalised over the 2·N images of a batch.

    It begins with the weights of the seed, and learns from all pairs with Adam. No layer of the two
    packages normalises.

    Parameters
    ----------
    config : TrainConfig
    images : (n, 28, 28) uint8
        Not used: batches come as images.
    """

    def __init__(self, config: TrainConfig, images: Array) -> None:
        torch.set_num_threads(1)
        self.net = initialize(config.seed, torch.float32, ARCHITECTURES[config.model])
        for name, layer in list(self.net.net.named_children()):
            if isinstance(layer, nn.Conv2d):
                setattr(
                    self.net.net, name, nn.Sequential(layer, nn.BatchNorm2d(layer.out_channels))
                )
        self._config, self._all_pairs = config, AllPairs(self.net)
        self._schedule = Schedule(config.schedule, config.epochs, config.batches)
        self._optimizer = torch.optim.Adam(self.net.parameters(), fused=True)
        self._done = 0

    def learn(self, batches: Sequence[Pairs]) -> None:
        """Learn from batches of all pairs."""
        self.net.train()
        for left, right, targets in batches:
            logits = self._all_pairs(*(_images(side) for side in (left, right)))
            truth = torch.from_numpy(targets)
            self._optimizer.zero_grad()
            contrast(logits, truth, self._config.verdict_weight).backward()
            rate = self._schedule.rate(self._config.lr, self._done)
            self._optimizer.param_groups[0]["lr"] = rate
            self._optimizer.step()
            self._done += 1

    def embed(self, images: Array) -> Array:
        """Return embeddings, with the running means and variances."""
        self.net.eval()
        with torch.inference_mode():
            parts = np.array_split(images, -(-len(images) // 200))
            return np.concatenate([self.net.embed(_images(part)).numpy() for part in parts])

    def head(self) -> tuple[Array, Array]:
        """Return weight and bias of the head."""
        return self.net.fc1.weight.detach().numpy(), self.net.fc1.bias.detach().numpy()


def _images(side: Array) -> torch.Tensor:
    return torch.from_numpy(side).unsqueeze(1).float()
