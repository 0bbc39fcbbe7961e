"""The step of a share of a batch: its gradients, averaged over all ranks."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from torch_siamese.distributed.group import Group
from torch_siamese.model import SiameseNet
from torch_siamese.settings import plain_arithmetic

Step = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor, dict[str, Tensor]]]


def averaged(net: SiameseNet, group: Group) -> Step:
    r"""Return the function that computes loss, probabilities and averaged gradients.

    The gradient of a batch is the mean of the gradients of its K equal shares:

    .. math:: \nabla \frac{1}{N} \sum_n \ell_n
              = \frac{1}{K} \sum_r \nabla \frac{K}{N} \sum_{n \in r} \ell_n

    `DistributedDataParallel` computes it. If a probability of any rank is not finite, the
    probabilities of all ranks are NaN. That takes no message of its own: the gradient of a NaN
    through the sigmoid is NaN, whatever it is multiplied by, and the mean carries it to the others.
    The bias of the head shows it. Its gradient is else a mean of probabilities minus targets.

    `DistributedDataParallel` lays out its buffers anew after a first step, and the order of a sum
    follows from the layout. So a first step is done here, on blank images. Then all steps that
    count have one layout, also after a run has been broken off.

    Parameters
    ----------
    net : SiameseNet
        On its device, for good. Its weights may change.
    group : Group

    Returns
    -------
    function of left, right (n, 1, 28, 28) and targets (n, 1)
        It returns loss, probs (n, 1) and grads, a dict under the names of the state dict. The loss
        is of the share alone.
    """
    with group.in_touch():
        parallel = DistributedDataParallel(net)

    def step(
        left: Tensor, right: Tensor, targets: Tensor
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        parallel.zero_grad()
        with group.in_touch(), plain_arithmetic(left.device):
            probs = parallel(left, right)
            loss = F.binary_cross_entropy(probs.nan_to_num(0.5), targets.to(probs.dtype))
            loss.backward()
        grads = {n: p.grad for n, p in net.named_parameters() if p.grad is not None}
        finite = torch.isfinite(grads["fc1.bias"]).all()
        return loss.detach(), torch.where(finite, probs.detach(), torch.nan), grads

    blank = net.fc1.weight.new_zeros(1, 1, 28, 28)
    step(blank, blank, blank[:, :, 0, 0])
    parallel.zero_grad()
    return step
