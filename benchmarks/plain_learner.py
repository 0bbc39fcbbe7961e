"""The plain loop: PyTorch as a first version of the recipe has it, a host loader for each batch.

It is what the modes of `torch_siamese` are measured against. Images stay on the host. For each
batch they are taken, converted to float32 and sent to the device. Loss and accuracy are read after
each step, for which the host waits twice.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch.nn import functional as F

from numpy_siamese.parallel.cores import default_threads
from numpy_siamese.runs.learner import Pairs
from torch_siamese.initialization import initialize
from torch_siamese.settings import at_work

Array = np.ndarray


class PlainLearner:
    """The loop as a learner, in float32 without TF32.

    Parameters
    ----------
    images : (n, 28, 28) uint8
    device : str
        'cpu' or 'cuda'.
    lr, momentum : float
    seed : int
    """

    batches_done = 0

    def __init__(
        self, images: Array, device: str, lr: float = 0.001, momentum: float = 0.1, seed: int = 0
    ) -> None:
        self.images, self.device = images, torch.device(device)
        self.net = initialize(seed, torch.float32).to(self.device)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=lr, momentum=momentum)

    def learn(self, batches: Sequence[Pairs]) -> tuple[Array, Array]:
        """Learn from n batches; return losses and accuracies, (n,) float64."""
        with at_work(self.device, default_threads(), False):
            found = [self._step(*pairs) for pairs in batches]
        losses, accuracies = np.array(found, np.float64).reshape(len(found), 2).T
        return losses, accuracies

    def model_state(self) -> dict[str, Array]:
        """Return copies of the weights by name."""
        return {name: _array(value) for name, value in self.net.state_dict().items()}

    def momentum_state(self) -> dict[str, Array]:
        """Return copies of the momentum buffers by name; none before a first step."""
        state = self.optimizer.state
        found = {name: state[p].get("momentum_buffer") for name, p in self.net.named_parameters()}
        return {name: _array(buffer) for name, buffer in found.items() if buffer is not None}

    def load_state(self, model: Mapping[str, Array], momentum: Mapping[str, Array]) -> None:
        """Take the weights, and begin with a momentum of zero.

        Raises
        ------
        ValueError
            A momentum is given: the loop has no use for one.
        """
        if momentum:
            raise ValueError("momentum must be empty")
        self.net.load_state_dict(model)
        self.optimizer.state.clear()

    def _step(self, left_index: Array, right_index: Array, targets: Array) -> tuple[float, float]:
        left, right = (self._loaded(self.images[index]) for index in (left_index, right_index))
        truth = torch.from_numpy(targets).to(self.device)
        probs = self.net(left, right)
        loss = F.binary_cross_entropy(probs, truth)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        right_verdicts = ((probs > 0.5) == (truth == 1)).float().mean()
        return loss.item(), right_verdicts.item()

    def _loaded(self, images: Array) -> torch.Tensor:
        """Send images to the device: (N, 28, 28) uint8 → (N, 1, 28, 28) float32."""
        return torch.from_numpy(images[:, None].astype(np.float32)).to(self.device)


def _array(tensor: torch.Tensor) -> Array:
    return tensor.detach().cpu().numpy().copy()
