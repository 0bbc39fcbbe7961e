"""The step of a share of a batch: its gradients, averaged over all ranks."""

import math
from contextlib import AbstractContextManager

from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from torch_siamese.distributed.group import Group
from torch_siamese.model import SiameseNet
from torch_siamese.modes import Backward


class AveragedBackward(Backward):
    r"""Loss and probabilities of this rank's share. The gradients are those of the whole batch.

    The gradient of a batch is the mean of the gradients of its K equal shares:

    .. math:: \nabla \frac{1}{N} \sum_n \ell_n
              = \frac{1}{K} \sum_r \nabla \frac{K}{N} \sum_{n \in r} \ell_n

    `DistributedDataParallel` computes it. If a probability of any rank is not finite, the
    probabilities of all ranks are NaN. That takes no message of its own: the gradient of the head's
    bias sums ∂loss/∂p (1 − p) p over the pairs, and is NaN if and only if a p is. The mean of the
    gradients carries it to the other ranks.

    `DistributedDataParallel` lays out its buffers anew after a first step, and the order of a sum
    follows from the layout. So a first step is done here, on blank images. Then all steps that
    count have one layout, also after a run has been broken off.

    Parameters
    ----------
    alone : Backward
        How one process computes.
    net : SiameseNet
        On its device, for good. Its weights may change.
    group : Group
    """

    def __init__(self, alone: Backward, net: SiameseNet, group: Group) -> None:
        with group.in_touch():
            self._parallel = DistributedDataParallel(alone.forward)
        super().__init__(self._parallel, alone.device, alone.half, alone.micro_batch)
        assert net.fc1.bias is not None
        self._head_bias, self._group = net.fc1.bias, group
        blank = net.fc1.weight.new_zeros(1, *net.architecture.image_shape)
        self(blank, blank, blank[:, :, 0, 0])

    def __call__(self, left: Tensor, right: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Compute as `Backward`. Probabilities are NaN if any rank has one that is not finite."""
        with self._group.in_touch():
            loss, probs = super().__call__(left, right, targets)
        grad = self._head_bias.grad
        assert grad is not None
        return loss, probs.masked_fill(grad.isnan().any(), math.nan)

    def more_to_come(self) -> AbstractContextManager[None]:
        """Add up gradients here, and leave it to the last part to tell the other ranks."""
        return self._parallel.no_sync()
